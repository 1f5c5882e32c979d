"""Packets died of age: a loop, or a traceroute."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Role, Severity
from analyzer.model.words import plural

EXCEEDED = {(4, 11, 0), (6, 3, 0)}
YOUNG = 30
"""Nobody sends with so low a TTL but traceroute, and ping -t."""
ROUNDS = 3


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
        yield CHECK.finding(
            f"the TTL of {plural(len(packets), 'packet')} ended at {source}",
            ("They were sent with a low TTL, as traceroute does. " if young else "There is a loop beyond this host. ")
            + affected(subject, packets),
            severity=Severity.INFO if young else Severity.ERROR,
            evidence=subject.evidence(packets),
            remedy="Nothing to do."
            if young
            else "Look at the routes at and beyond that router: traceroute shows them.",
        )
        subject.claim(packets if not young else [])


def _circling(subject: Subject) -> list[int]:
    """Return the packets that one uplink saw at least three times, older each time."""
    context = subject.context
    uplinks = [point.id for point in context.points if point.role is Role.UPLINK]
    hops = context.hops
    at = np.isin(context.frames["point"][hops["row"]], uplinks)
    ttl = context.frames["ttl"][hops["row"]]
    older = np.append(False, (ttl[1:] < ttl[:-1]) & (hops["packet"][1:] == hops["packet"][:-1]))
    if not len(at):
        return []
    rounds = np.add.reduceat((at & older).astype(np.int64), context.packet_start[:-1])
    return np.flatnonzero(rounds >= ROUNDS).tolist()


CHECK = Check(
    "ttl-exceeded",
    Severity.ERROR,
    "captures",
    "Packets went round in a loop, or a router says that their TTL ended (info, where it was low from the start).",
    "Look for a routing loop.",
    look,
)
