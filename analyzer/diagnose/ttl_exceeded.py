"""Packets died of age: a loop, or a traceroute."""

from collections.abc import Iterator
from ipaddress import ip_address

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, HostState, Role, Severity
from analyzer.model.question import Field
from analyzer.model.words import plural

EXCEEDED = {(4, 11, 0), (6, 3, 0)}
YOUNG = 30
"""Nobody sends with so low a TTL but traceroute, and ping -t."""
ROUNDS = 2


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of packets that went round in circles, then of those that a router says were too old."""
    circling = _circling(subject)
    died = [e for e in subject.errors if e.kind in EXCEEDED and e.quoted is not None]
    if circling:
        sources = ", ".join(dict.fromkeys(str(e.source) for e in died))
        end = f"They died at {sources}. " if sources else ""
        point = subject.context.point(int(subject.last_row[circling[0]])).name
        yield CHECK.finding(
            f"{plural(len(circling), 'packet')} went round in circles at {point}",
            "The same packet passed there again and again, its TTL one lower each time: two routers send it to each "
            f"other. {end}{affected(subject, circling)}",
            evidence=subject.evidence(circling),
            remedy="Compare ip route get ADDRESS on this host with the routes of its gateway.",
        )
        subject.claim(circling)
    old: dict[tuple[str, bool], list[int]] = {}
    for error in died:
        if error.quoted is not None and subject.connection[error.quoted] not in subject.claimed:
            young = subject.context.value("ttl", int(subject.first_row[error.quoted])) <= YOUNG
            old.setdefault((str(error.source), young), []).append(error.quoted)
    for (source, young), packets in old.items():
        host = subject.host_of(packets[0])
        here = host.owns(ip_address(source))
        yield CHECK.finding(
            f"the TTL of {plural(len(packets), 'packet')} ended at {source}" + (", this host" if here else ""),
            f"{_why(young=young, here=here)} {affected(subject, packets)}",
            severity=Severity.INFO if young else Severity.ERROR,
            evidence=subject.evidence(packets),
            proof=tuple(_lowered(host)) if here else (),
            remedy=_remedy(young=young, here=here),
        )
        if not young:
            subject.claim(packets)
            subject.absent.update(e.target for e in died if e.quoted in packets)


def _why(*, young: bool, here: bool) -> str:
    if young:
        return "They were sent with a low TTL, as traceroute does."
    if here:
        return "This host itself ended them: a rule lowers their TTL, or they had come a long way."
    return "There is a loop beyond this host."


def _remedy(*, young: bool, here: bool) -> str:
    if young:
        return "Nothing to do."
    if here:
        return "Look for rules with -j TTL or -j HL in table mangle, and at the TTL that packets come with."
    return "Look at the routes there and beyond: traceroute shows them."


def _lowered(host: HostState) -> Iterator[str]:
    """Give the rules that change TTLs."""
    return (f"{rule.dump}: {rule.text}" for rule in host.rules() if rule.writes(Field.TTL))


def _circling(subject: Subject) -> list[int]:
    """Return the packets that came back older: to one uplink again and again, or to the one that they had left by."""
    context, hops = subject.context, subject.context.hops
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


CHECK = Check(
    "ttl-exceeded",
    Severity.ERROR,
    "captures",
    "Packets went round in a loop, or a router says that their TTL ended (info, where it was low from the start).",
    "Look for a routing loop.",
    look,
)
