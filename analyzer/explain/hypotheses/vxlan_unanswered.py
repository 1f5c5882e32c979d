"""VXLAN packets leave for another host, and not one of them comes back."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.explain.tunnels import kept_out, one_way
from analyzer.model import Address, Basis, Finding, HostState, Severity, mac_text
from analyzer.packet.stops import Cause as Stop

ENOUGH = 3
"""Packets, after which nobody is only slow."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each host to which an overlay network's packets go in vain, and what keeps them out of this one."""
    for (name, text), (cause, (peer, own), packets) in case.once(kept_out).items():
        yield Cause(
            packets, partial(_kept_out, case, cause, own, peer), Basis.STATED, ("out", name or "", text),
            specific=Specific.SETTING,
        )  # fmt: skip
    for (own, peer), packets in case.once(one_way).items():
        waited = [packet for packet in packets if case.waited(packet)]
        if waited:
            yield Cause(waited, partial(_tell, case, own, peer), key=(str(own), str(peer)))


def _kept_out(case: Case, cause: Stop, own: Address, peer: Address, packets: list[int]) -> Told:
    place = case.context.tunnel_of_row[int(case.last_row[packets[0]])]
    facts: Facts = {
        "own": str(own), "peer": str(peer), "port": int(case.context.tunnels["dport"][place]), "kept_out": cause.text,
        "last": case.context.point(int(case.last_row[packets[0]])).name,
    }  # fmt: skip
    return Told(facts, proof=cause.proof, severity=Severity.ERROR)


def _tell(case: Case, own: Address, peer: Address, packets: list[int]) -> Told:
    table, place = case.context.tunnels, case.context.tunnel_of_row[int(case.last_row[packets[0]])]
    facts: Facts = {
        "own": str(own), "peer": str(peer), "port": int(table["dport"][place]), "vni": int(table["vni"][place]),
        "last": case.context.point(int(case.last_row[packets[0]])).name,
        "others_answered": int(peer) in case.context.all.alive,
    }  # fmt: skip
    stray, proof = _stray(case.host_of(packets[0]), peer)
    return Told(facts | stray, proof=proof)


def _stray(host: HostState, peer: Address) -> tuple[Facts, tuple[str, ...]]:
    """Say which overlay's table leads to a host that is none of that network's."""
    for network in host.networks:
        state = host.overlays.get(network.name)
        entry = next((one for one in state.fdb if one.dst == peer), None) if state is not None else None
        if entry is not None and network.peers and peer not in network.peers:
            peers = [str(ip) for ip in network.peers]
            proof = (f"overlays/{network.name}/bridge-fdb.json: {entry.text}",
                     f"docker-network-inspect.json: {network.name} Peers {', '.join(peers)}")  # fmt: skip
            return {"network": network.name, "peers": peers, "mac": mac_text(entry.mac)}, proof
    return {}, ()


def _completed(finding: Finding) -> Finding:
    """Take it for a warning, where it may be nothing but a few lost packets."""
    few = int(finding.facts.get("packets", 0)) < ENOUGH  # type: ignore[arg-type]
    return replace(finding, severity=Severity.WARNING) if few else finding


HYPOTHESIS = Hypothesis(
    "vxlan-unanswered",
    Severity.ERROR,
    "captures of the uplink",
    "VXLAN packets leave for another host, and none at all comes back from it.",
    "Let UDP port 4789 pass between the hosts, both ways: host firewalls, security groups, routers between.",
    causes,
    Specific.MECHANISM,
    complete=_completed,
)
