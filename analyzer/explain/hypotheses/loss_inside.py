"""Packets vanish between two points of one host, and no recorded rule, route or setting says why."""

import re
from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.fixes import ip_version
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Rise, Told
from analyzer.model import Basis, HostState, Link, Role, Severity
from analyzer.model.finding import Other, Symptom
from analyzer.state.snmp import ON_THE_WAY, Counter, counter_of, counters

FILES = {
    "conntrack": "conntrack-stats.txt", "link": "ip-addr.json", "qdisc": "tc-qdisc.json", "softnet": "softnet_stat.txt",
}  # fmt: skip
"""The dumps of counters, by the beginning of their names."""
NOTHING = "no rule, route or setting of the dumps, from before and after, stops these packets"


def causes(case: Case) -> Iterator[Cause]:
    """Give each place where packets vanish."""
    by_place: dict[str, list[int]] = {}
    for packet in case.with_symptom(Symptom.LOST_INSIDE).tolist():
        by_place.setdefault(case.tracer.outcome(packet).reason, []).append(packet)
    for why, packets in by_place.items():
        yield Cause(packets, partial(_tell, case, why), Basis.INFERRED, (why,))


def _tell(case: Case, why: str, packets: list[int]) -> Told:
    facts, refuted = _looked_at(case, packets[0])
    facts["last"] = case.context.point(int(case.last_row[packets[0]])).name
    facts["onward"] = list(case.tracer.outcome(packets[0]).onward)
    other = {4: "Ip6", 6: "Ip"}[ip_version(case, packets[0])]
    up = _went_up(case.host_of(packets[0]))
    moved = [one for one in up if re.match(f"{other}[A-Z]", one[0].name) is None]  # what counts the other version
    near = {facts["last"], *case.tracer.outcome(packets[0]).onward, ""}
    rises = [
        Rise(count, f"{interface} {counter.name}".strip(), counter.meaning, counter.helps)
        for counter, interface, count in moved
        if interface in near
    ]
    return Told(
        {"lost": why} | facts,
        severity=severity(case, packets, Severity.ERROR),
        proof=tuple(_line(*one) for one in moved),
        rises=tuple(rises),
        refuted=refuted,
    )


def _went_up(host: HostState) -> Iterator[tuple[Counter, str, int]]:
    """Give the counters of drops that went up meanwhile, with their interface: one of them may be this."""
    places = list(counters())
    known = ((name, counter_of(name)) for name in host.counters)
    found = [(of, host.counted(name)) for name, of in known if of is not None and of[0].where in ON_THE_WAY]
    for of, count in sorted(found, key=lambda one: (places.index(one[0][0].name), one[0][1])):
        if count:
            yield *of, count


def _line(counter: Counter, interface: str, count: int) -> str:
    kind, dot, name = counter.name.partition(".")
    file = FILES.get(kind, "nstat.txt") if dot else "nstat.txt"
    return f"{file}: {f'{interface} ' if interface else ''}{name if dot else counter.name} went up by {count}"


def _looked_at(case: Case, packet: int) -> tuple[Facts, tuple[Other, ...]]:
    """Say what was asked of the recorded state, and to which end."""
    prover, host = case.tracer.prover, case.host_of(packet)
    if not host.tells:
        return {"no_dumps": True}, ()
    last = case.context.point(int(case.last_row[packet])).name
    names = (last, *case.tracer.outcome(packet).onward)
    if (port := _too_small(case, packet)) is not None:
        length = case.context.value("ip_len", int(case.last_row[packet]))
        return {"too_long": [port.name, str(port.mtu)], "length": length}, ()
    if broken := [text for name in names for text in _broken(case, packet, name)]:
        return {"broken": broken}, ()
    cause = prover.why(packet, case.context.rows_of(packet), lost=True)
    if cause is None or not cause.unknown:
        return {}, (
            Other(
                "filtered-by-rule", "no rule, route or setting of the dumps, from before and after, stops these packets"
            ),
        )
    if cause.acquits:
        return {"undecided": cause.text}, (Other("filtered-by-rule", cause.text),)
    rule: Facts = {"rule": cause.rule.text} if cause.rule is not None else {}
    return {"undecided": cause.text} | rule, ()


def _too_small(case: Case, packet: int) -> Link | None:
    """Return the port of the same bridge that takes less than a packet has; what offload made is split there."""
    length = case.context.value("ip_len", int(case.last_row[packet]))
    here = case.link_at(case.context.point(int(case.last_row[packet])).name)
    ports = [case.link_at(name) for name in case.tracer.outcome(packet).onward]
    if here is None or here.master is None or here.mtu is None or here.mtu < length:
        return None
    small = (one for one in ports if one is not None and one.master == here.master)
    return next((one for one in small if one.mtu is not None and one.mtu < length), None)


def _broken(case: Case, packet: int, name: str) -> Iterator[str]:
    """Say what is wrong with the interface at a point, as the dump from after the captures has it."""
    link = case.link_at(name)
    if link is not None and link.down:
        yield f"{link.name} is down"
    elif link is not None and case.point_named(name).role is Role.VETH and link.master is None:
        yield f"{link.name} is no port of any bridge"
    length = case.context.value("ip_len", int(case.last_row[packet]))
    if link is not None and link.mtu is not None and length > link.mtu:
        yield f"{link.name} takes {link.mtu} bytes, and the first of these packets has {length}"


HYPOTHESIS = Hypothesis(
    "loss-inside-host",
    Severity.ERROR,
    "captures (iptables-save.txt, ip-route.json, sysctl.txt, nstat.txt)",
    "Packets were seen at one point of the host and not at the next, which was recording, for no known reason.",
    "Compare the drop counters of both interfaces and of netfilter: ip -s link, tc -s qdisc, nstat -az, dropwatch.",
    causes,
    Specific.PLACE,
)
