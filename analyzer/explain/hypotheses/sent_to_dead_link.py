"""A route sends packets to an interface that takes nothing: a tunnel or an uplink that is down."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.onward import onward
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.model import HostState, Severity
from analyzer.model.finding import Symptom
from analyzer.state.routing import Chosen

USUAL = ("main", "local", "default")


def causes(case: Case) -> Iterator[Cause]:
    """Give each such interface, with what was lost before it."""
    found: dict[tuple[str | None, str], tuple[Chosen | None, list[int]]] = {}
    # Where the way out has no capture, nobody can say that a packet was lost before it; only no answer comes.
    for packet, dev, way in onward(case, _dead, Symptom.LOST_INSIDE, Symptom.UNANSWERED):
        found.setdefault((case.host_of(packet).name, dev), (way, []))[1].append(packet)
    for key, (way, packets) in found.items():
        yield Cause(packets, partial(_tell, case, key[1], way), key=key, went=_dropped(case.hosts[key[0]], key[1]))


def _dead(host: HostState, name: str) -> bool:
    link = host.link(name)
    return link is not None and link.dead


def _dropped(host: HostState, name: str) -> int | None:
    return host.counted(f"link.{name}.tx.dropped")


def _tell(case: Case, dev: str, way: Chosen | None, packets: list[int]) -> Told:
    host = case.host_of(packets[0])
    facts: Facts = {"dev": dev, "commands": [f"ip link set {quote(dev)} up"]}
    proof = [f"ip-addr.json: {dev} is down, or has no carrier"]
    if way is not None:
        facts["route"] = way.route.text
        proof.append(f"ip-route.json: {way.route.text} table {way.route.table}")
        if way.route.table not in USUAL:
            facts |= {"rule": way.rule.text, "table": way.route.table}
            proof.insert(1, f"ip-rule.json: {way.rule.text}")
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
