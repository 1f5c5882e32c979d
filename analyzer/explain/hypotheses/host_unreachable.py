"""No way to the destination: a route is missing or forbids it, or a router says so."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.absent import no_carrier
from analyzer.explain.case import Case
from analyzer.explain.fates import IcmpError, Stopped
from analyzer.explain.fixes import fix, ip_version
from analyzer.explain.hypothesis import Cause, Crowd, Hypothesis, Specific
from analyzer.explain.remedy import unblocked
from analyzer.explain.stopped import by_cause, severity
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, HostState, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

UNREACHABLE = {(4, 3, code) for code in (0, 1, 5, 6, 7, 8, 11, 12)} | {(6, 1, code) for code in (0, 2, 3)}
"""Network and host unreachable, and what says the same (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1)."""
THIS_HOST = ""


def causes(case: Case) -> Iterator[Cause]:
    """Give routes of this host, then what routers said."""
    own = {packet for one in case.stopped.get(HYPOTHESIS.name, ()) for packet in one.packets}
    yield from by_cause(case, HYPOTHESIS.name, _describe)
    by_end: dict[tuple[str, str], list[int]] = {}
    targets: dict[str, Address] = {}
    for error in case.errors:
        if error.kind not in UNREACHABLE or error.quoted is None or error.quoted in own:
            continue
        targets[str(error.target)] = error.target
        by_end.setdefault((_who(case, error), str(error.target)), []).append(error.quoted)
    for (said_by, target), packets in by_end.items():
        # One that routers are allowed to say seldom (RFC 1812 section 4.3.2.8) is about all packets.
        also = [*case.towards([targets[target]]), *case.troubled(packets)]
        facts: Facts = {"said_by": said_by, "target": target}
        yield Cause(packets, partial(_said, case, facts), also=also, key=(target, said_by))


def _who(case: Case, error: IcmpError) -> str:
    """Name who says so; what the host says of a translated packet comes from the address that was asked."""
    own = error.source == error.target or case.host_of(error.packet).owns(error.source)
    return THIS_HOST if own else str(error.source)


def _said(case: Case, facts: Facts, packets: list[int]) -> Told:
    row = int(case.first_row[packets[0]])
    src, dst = case.context.src(row), case.context.dst(row)
    if src is not None and dst is not None and src.version == 6 and src.is_link_local and not dst.is_link_local:
        owner = case.context.owner_of_mac(case.context.value("eth_src", row), row)
        facts = {**facts, "link_local": owner.name if owner is not None else str(src)}
    proof: tuple[str, ...] = ()
    if facts["said_by"] == THIS_HOST and dst is not None and (cut := no_carrier(case.host_of(packets[0]), dst)):
        facts, proof = facts | {"carrier": cut.facts["dev"], "flaps": cut.facts.get("flaps", 0)}, cut.proof
    return Told(dict(facts), proof=proof, severity=severity(case, packets, Severity.ERROR))


def _describe(case: Case, stopped: Stopped) -> Told:
    first = fix(case, stopped.packets[0], stopped.cause)
    if first is not None:
        return unblocked(case, stopped.packets[0], first)
    return (
        Told() if stopped.cause.route is not None else _no_default(stopped.host, ip_version(case, stopped.packets[0]))
    )


def _no_default(host: HostState, version: int) -> Told:
    """Say that the host has no default route at all, if so, and why IPv6 may have lost it."""
    defaults = [route for route in host.routes if route.dst.prefixlen == 0 and route.kind == "unicast"]
    if any(route.dst.version == version for route in defaults):
        return Told()
    facts: Facts = {"no_default": version}
    down = [link.name for link in host.links if link.down and link.addresses and link.kind not in ("bridge", "veth")]
    facts |= {"down": down} if down else {}
    uplink = next((route.dev for route in defaults if route.dev is not None), None)
    ignoring = f"net.ipv6.conf.{uplink}.accept_ra"
    forwards = f"net.ipv6.conf.{uplink}.forwarding"
    if uplink is None:
        return Told(facts)
    facts["uplink"] = uplink
    # A router takes no other router's word (net/ipv6/ndisc.c, ipv6_accept_ra()).
    if version == 6 and sysctl(host, ignoring) == 1 and sysctl(host, forwards):
        facts |= {"ignores": ignoring, "commands": [f"sysctl -w {ignoring}=2"]}
        return Told(facts, proof=tuple(sysctl_line(host, name) for name in (ignoring, forwards)))
    return Told(facts)


HYPOTHESIS = Hypothesis(
    "host-unreachable",
    Severity.ERROR,
    "captures (ip-route.json, ip-rule.json)",
    "No route leads to a destination, or a router answers that it cannot be reached.",
    "ip route get ADDRESS shows which route it is; add the right one, or remove the one that forbids it.",
    causes,
    Specific.KIND,
    crowd=Crowd("target", "destinations"),
)
