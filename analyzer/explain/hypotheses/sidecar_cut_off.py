"""A container that shares another one's network stays behind in the old one when that one starts anew."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.fates import PORT_UNREACHABLE
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.symptoms import refused, unanswered
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Container, HostState, Severity
from analyzer.model.engine import Sidecar
from analyzer.schema import Int64

MOST = 5_000
"""Packets of one client to one port that are looked at; the first ones."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each of them, with what clients ask in vain of the ports that it listens on where nobody comes."""
    quoted = [error.quoted for error in case.errors if error.kind in PORT_UNREACHABLE and error.quoted is not None]
    failed = np.unique(np.concatenate([unanswered(case), refused(case), quoted])).astype(np.int64)
    for host in case.hosts.states:
        for sidecar in _cut_off(host):
            packets = _in_vain(case, host, sidecar, case.few_packets(failed, MOST)).tolist()
            key = host.name or "", sidecar.name
            yield Cause(packets, partial(_tell, host, sidecar), Basis.STATED, key, also=case.troubled(packets))


def state(host: Host) -> Iterator[Told]:
    """Give them, as the recorded state has them."""
    for sidecar in _cut_off(host.state):
        yield _tell(host.state, sidecar, [])


def _cut_off(host: HostState) -> Iterator[Sidecar]:
    """Give those whose own namespace was recorded, and has no interface but loopback."""
    for one in host.sidecars:
        own = host.inside.get(one.name)
        if own is not None and own.links and all(link.loopback for link in own.links):
            yield one


def _in_vain(case: Case, host: HostState, sidecar: Sidecar, failed: Int64) -> Int64:
    """Return what was for the other one, or for who may have taken its place, and the sidecar would have taken."""
    addresses = {ip for one in host.containers if _in_place(one, sidecar) for ip in one.addresses}
    own, found = host.inside[sidecar.name], []
    for packet in failed.tolist():
        row = int(case.last_row[packet])
        dst, proto = case.context.dst(row), {6: "tcp", 17: "udp"}.get(case.context.value("proto", row), "")
        if dst in addresses and own.listener(proto, dst, case.context.value("dport", row)) is not None:
            found.append(packet)
    return np.array(found, np.int64)


def _in_place(one: Container, sidecar: Sidecar) -> bool:
    """Tell whether a container is the one that was joined, or, where that is gone, was made after the sidecar."""
    return one.name == sidecar.owner if sidecar.owner is not None else one.created > sidecar.created > ""


def _tell(host: HostState, sidecar: Sidecar, packets: list[int]) -> Told:
    facts: Facts = {"container": sidecar.name, "owner": sidecar.owner or ""}
    if not packets:
        facts["who"] = [sidecar.name]
    if sidecar.owner is not None:
        facts["commands"] = [f"docker restart {quote(sidecar.name)}"]
    elif sidecar.service is not None:
        facts["commands"] = [f"docker compose up -d --force-recreate {quote(sidecar.service)}"]
    return Told(
        facts,
        proof=(
            f"containers/{sidecar.name}/ip-addr.json: no interface but {host.inside[sidecar.name].links[0].name}",
            f"docker-inspect.json: {sidecar.name} has network mode container:{sidecar.owner or '(gone)'}",
        ),
    )


HYPOTHESIS = Hypothesis(
    "sidecar-cut-off",
    Severity.ERROR,
    "docker-inspect.json, containers/NAME/ip-addr.json (captures)",
    "A container that shares another one's network is left in the old one, for that other was started anew.",
    "Restart it, or make it anew if the other one is gone: docker restart NAME, docker compose up --force-recreate.",
    causes,
    Specific.ROOT,
    state=state,
)
