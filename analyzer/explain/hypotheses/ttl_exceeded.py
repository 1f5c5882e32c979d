"""Packets died of age: a loop, or a traceroute."""

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Count, Texts
from analyzer.explain.told import Facts, Told
from analyzer.model import HostState, Role, Severity
from analyzer.model.question import Field

EXCEEDED = {(4, 11, 0), (6, 3, 0)}
YOUNG = 30
"""Nobody sends with so low a TTL but traceroute, and ping -t."""
ROUNDS = 2


def causes(case: Case) -> Iterator[Cause]:
    """Give packets that went round in circles, then those that a router says were too old."""
    circling = _circling(case)
    died = [e for e in case.errors if e.kind in EXCEEDED and e.quoted is not None]
    same: list[int] = []
    if circling:
        sources = list(dict.fromkeys(str(e.source) for e in died))
        quoted = [e.quoted for e in died if e.quoted is not None]
        same = [packet for packet in quoted if case.connection[packet] in case.connection[circling]]
        tell = partial(_circle, case, sources, set(circling))
        yield Cause(sorted({*circling, *same}), tell, also=case.troubled(circling), key=("circle",))
    old: dict[tuple[str, bool], list[int]] = {}
    for error in died:
        if error.quoted is not None and error.quoted not in same:
            young = case.context.value("ttl", int(case.first_row[error.quoted])) <= YOUNG
            old.setdefault((str(error.source), young), []).append(error.quoted)
    for (source, young), packets in old.items():
        came = young and _came_old(case, source, packets)
        if came:
            tell = partial(_old, case, source, False, came=True)
            key = source, young, came
            about = sorted({*packets, *_unsaid(case, packets)})
            yield Cause(about, tell, also=case.troubled(packets), specific=Specific.SETTING, key=key)
            continue
        # A probe explains nothing but itself.
        targets = {e.target for e in died if e.quoted in packets}
        follow = [] if young else [*case.troubled(packets), *case.towards(targets)]
        yield Cause(packets, partial(_old, case, source, young), also=follow, key=(source, young, False))


def _circle(case: Case, sources: list[str], circling: set[int], packets: list[int]) -> Told:
    went = [packet for packet in packets if packet in circling] or packets
    facts: Facts = {"circling": Count(len(went)), "where": case.context.point(int(case.last_row[went[0]])).name}
    if sources:
        facts["died_at"] = Texts.of((source, 0) for source in sources)
    return Told(facts, evidence=case.evidence(went))


def _came_old(case: Case, source: str, packets: list[int]) -> bool:
    """Tell whether answers to containers come with a TTL that ends on this host, which nobody sends on purpose."""
    return case.host_of(packets[0]).owns(ip_address(source)) and bool(case.reply[packets].all())


def _unsaid(case: Case, packets: list[int]) -> list[int]:
    """Return others of the same connections that came as old, and of which the host said nothing: errors are few."""
    most = int(case.first("ttl")[packets].max())
    of = np.isin(case.connection, np.unique(case.connection[packets])) & case.reply & (case.first("ttl") <= most)
    found: list[int] = np.flatnonzero(of & (case.symptom >= 0)).tolist()
    return found


def _old(case: Case, source: str, young: bool, packets: list[int], *, came: bool = False) -> Told:
    host = case.host_of(packets[0])
    here = host.owns(ip_address(source))
    facts: Facts = {"ended_at": source, "young": young, "here": here}
    if came:
        row = int(case.first_row[packets[0]])
        facts |= {"came_with": case.context.value("ttl", row), "sender": str(case.context.src(row))}
    return Told(
        facts,
        severity=Severity.INFO if young else Severity.ERROR,
        proof=tuple(_lowered(host)) if here else (),
    )


def _lowered(host: HostState) -> Iterator[str]:
    """Give the rules that change TTLs."""
    return (f"{rule.dump}: {rule.text}" for rule in host.rules() if rule.writes(Field.TTL))


def _circling(case: Case) -> list[int]:
    """Return the packets that came back older: to one uplink again and again, or to the one that they had left by."""
    context, hops = case.context, case.context.hops
    if not context.packets:
        return []
    frames, row, packet = context.frames, hops["row"], hops["packet"]
    point = frames["point"][row]
    again = np.flatnonzero((packet[1:] == packet[:-1]) & (point[1:] == point[:-1]))
    before, after = row[again], row[again + 1]
    again = again[(frames["ttl"][after] < frames["ttl"][before]) & context.with_role(after, Role.UPLINK)]
    before, after = row[again], row[again + 1]
    host = np.array(sorted(context.host_macs), np.int64)
    came = np.isin(frames["eth_src"][before], host) & np.isin(frames["eth_dst"][after], host)
    rounds, returned = (np.bincount(packet[places], minlength=context.packets) for places in (again, again[came]))
    found: list[int] = np.flatnonzero((rounds >= ROUNDS) | (returned > 0)).tolist()
    return found


HYPOTHESIS = Hypothesis(
    "ttl-exceeded",
    Severity.ERROR,
    "captures",
    "Packets went round in a loop, or a router says that their TTL ended (info, where it was low from the start).",
    "Look for a routing loop.",
    causes,
    Specific.MECHANISM,
)
