"""A route sends packets to an interface that takes nothing: a tunnel or an uplink that is down."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.model import HostState, Severity
from analyzer.model.finding import Symptom
from analyzer.packet.stops import Passed

MOST = 2_000
"""Packets of one client to one port whose way is asked for."""
USUAL = ("main", "local", "default")


def causes(case: Case) -> Iterator[Cause]:
    """Give each such interface, with what was lost before it."""
    found: dict[tuple[str | None, str], tuple[Passed, list[int]]] = {}
    prover = case.tracer.prover
    if not any(_dead(host, link.name) for host in case.hosts.states for link in host.links):
        return
    # Where the way out has no capture, nobody can say that a packet was lost before it; only no answer comes.
    lost = case.with_symptom(Symptom.LOST_INSIDE, Symptom.UNANSWERED)
    for packet in case.few_packets(lost, MOST).tolist():
        host, rows = case.host_of(packet), case.context.rows_of(packet)
        passed = prover.tried(host, packet, rows) if prover.able(rows[-1]) else None
        if isinstance(passed, Passed) and passed.out is not None and _dead(host, passed.out):
            found.setdefault((host.name, passed.out), (passed, []))[1].append(packet)
    for key, (passed, packets) in found.items():
        yield Cause(packets, partial(_tell, case, passed), key=key, went=_dropped(case.hosts[key[0]], key[1]))


def _dead(host: HostState, name: str) -> bool:
    # A bridge is down while none of its ports is up, and a veth goes with its container: maybe only afterwards.
    link = host.link(name)
    return link is not None and link.down and link.kind not in ("bridge", "veth")


def _dropped(host: HostState, name: str) -> int | None:
    return host.counted(f"link.{name}.tx.dropped")


def _tell(case: Case, passed: Passed, packets: list[int]) -> Told:
    host, dev = case.host_of(packets[0]), passed.out or ""
    facts: Facts = {"dev": dev, "commands": [f"ip link set {quote(dev)} up"]}
    proof = [f"ip-addr.json: {dev} is down, or has no carrier"]
    if passed.route is not None:
        facts["route"] = passed.route.route.text
        proof.append(f"ip-route.json: {passed.route.route.text} table {passed.route.route.table}")
        if passed.route.route.table not in USUAL:
            facts |= {"rule": passed.route.rule.text, "table": passed.route.route.table}
            proof.insert(1, f"ip-rule.json: {passed.route.rule.text}")
    if went := _dropped(host, dev):
        proof.append(f"ip-addr.json: {dev} tx dropped went up by {went}")
    return Told(facts, proof=tuple(proof), severity=severity(case, packets, Severity.ERROR))


HYPOTHESIS = Hypothesis(
    "sent-to-dead-link",
    Severity.ERROR,
    "captures, ip-addr.json, ip-route.json (ip-rule.json, iptables-save.txt)",
    "The recorded routes send packets to an interface that is down or has no carrier, such as a VPN that is not up.",
    "Bring the interface, or the VPN behind it, up; or take away the route, or the routing rule, that leads there.",
    causes,
    Specific.SETTING,
)
