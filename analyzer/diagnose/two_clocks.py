"""Captures that were taken to be of one host are of two: their times fit only with an offset that no delay explains.

A packet cannot arrive before it was sent. Where both directions of the traffic between two points show times that
differ by about the same, one of them goes back in time: the points have two clocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analyzer.correlate.clock import MOST_COMPARED
from analyzer.correlate.sorting import changes
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import SHOWN, Subject
from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.model.words import plural
from analyzer.schema import Int64

LEAST_NS = 1_000_000
"""A smaller offset may be a tap that is late now and then."""
ENOUGH = 3
"""Packets each way."""
SPREAD = 0.5
"""Of the offset: what both directions' differences may be apart, by what packets take, and by drift."""


LOOKED_AT = 20_000
"""Packets that are compared; the first ones."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two points with two clocks."""

    first: int
    second: int
    offset_ns: int
    """How far the second one's clock is ahead."""
    packets: int
    rows: tuple[int, ...]
    """Some that show it; none where no frames of the two were joined."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each clock that is not the first one's, with all its points."""
    partners: dict[int, set[int]] = {}
    for pair in subject.once(pairs):
        partners.setdefault(pair.first, set()).add(pair.second)
        partners.setdefault(pair.second, set()).add(pair.first)
    told: set[tuple[int, ...]] = set()
    for pair in subject.once(pairs):
        # Points of one clock are apart from the same others.
        ends = [sorted(p for p in partners if partners[p] == partners[end]) for end in (pair.first, pair.second)]
        if (key := tuple(sorted(ends[0] + ends[1]))) not in told:
            told.add(key)
            yield _finding(subject, pair, *ends)


def _finding(subject: Subject, pair: Pair, first: list[int], second: list[int]) -> Finding:
    points, ahead = subject.context.points, pair.offset_ns / 1e9
    one, two = (", ".join(points[number].name for number in ends) for ends in (first, second))
    example = points[pair.second]
    return CHECK.finding(
        f"{one} and {two} have two clocks, {abs(ahead):,.3f} s apart",
        f"{plural(pair.packets, 'packet')}, in both directions, "
        f"{'would arrive before they were sent' if pair.rows else 'are at both'}, unless {two} is of another host, "
        f"whose clock is {abs(ahead):,.3f} s {'ahead' if ahead > 0 else 'behind'}. Until that is said, times between "
        "the two, and what seems lost between them, say nothing.",
        basis=Basis.INFERRED,
        evidence=tuple(map(subject.shown, pair.rows)) or (Evidence(points[pair.first].name), Evidence(example.name)),
        remedy=f"Say so: --point {example.name}={example.file},host=OTHER",
    )


def apart(subject: Subject, first: int, second: int) -> bool:
    """Tell whether two points have two clocks."""
    return any({first, second} == {pair.first, pair.second} for pair in subject.once(pairs))


def between(subject: Subject, packet: int) -> bool:
    """Tell whether a packet seems to be lost between two points that have two clocks."""
    last = subject.context.value("point", int(subject.last_row[packet]))
    onward = [subject.point_named(name).id for name in subject.tracer.outcome(packet).onward]
    return any(apart(subject, last, point) for point in onward)


def pairs(subject: Subject) -> list[Pair]:
    """Find the pairs, by packets that both points saw; else by frames that are alike, and far apart in time."""
    points = subject.context.points
    found = {one.points: Pair(*one.points, one.offset_ns, one.packets, ()) for one in subject.far_apart}
    seen = _first_sightings(subject)
    for one, two in combinations(sorted(seen), 2) if len(seen) <= MOST_COMPARED else ():
        if points[one].host == points[two].host and (one, two) not in found:
            pair = _compared(subject, one, two, seen[one], seen[two])
            found |= {(one, two): pair} if pair is not None else {}
    return list(found.values())


def _first_sightings(subject: Subject) -> dict[int, tuple[Int64, Int64]]:
    """Return by point: the packets of connections that it saw, ascending, and the row of each one's first sighting."""
    context, hops = subject.context, subject.context.hops
    known = np.flatnonzero((hops["connection"] >= 0) & (hops["packet"] < LOOKED_AT))
    row, packet = hops["row"][known], hops["packet"][known]
    time_ns, point = (context.frames[name][row] for name in ("time_ns", "point"))
    order = np.lexsort((time_ns, packet, point))
    order = order[changes(point[order], packet[order])]
    start = np.flatnonzero(changes(point[order]))
    parts = np.split(order, start[1:]) if len(order) else []
    return {int(point[part[0]]): (packet[part], row[part]) for part in parts}


def _compared(
    subject: Subject, one: int, two: int, first: tuple[Int64, Int64], second: tuple[Int64, Int64]
) -> Pair | None:
    """Return the pair if both directions' times at the two points differ by about the same."""
    times = subject.context.frames["time_ns"]
    packets, left, right = np.intersect1d(first[0], second[0], assume_unique=True, return_indices=True)
    difference, reply = times[second[1][right]] - times[first[1][left]], subject.reply[packets]
    ways = [difference[reply == way] for way in (False, True)]
    if min(map(len, ways)) < ENOUGH:
        return None
    middle = [int(np.median(way)) for way in ways]
    offset = sum(middle) // 2
    same_sign = (middle[0] > 0) == (middle[1] > 0)
    constant = abs(middle[0] - middle[1]) <= SPREAD * abs(offset)
    if not (same_sign and constant) or min(map(abs, middle)) < LEAST_NS:
        return None
    return Pair(one, two, offset, len(packets), tuple(second[1][right][:SHOWN].tolist()))


CHECK = Check(
    "two-clocks",
    Severity.WARNING,
    "captures of two points or more",
    "The times of two points fit only with an offset: they are of two hosts, and nobody said so.",
    "Say of which host each capture is: --point NAME=FILE,host=NAME.",
    look,
)
