"""Points of one host, as far as anybody said, whose times fit only with an offset: they have two clocks.

A packet cannot arrive before it was sent. Where both directions of the traffic between two points show times that
differ by about the same, one of them goes back in time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from analyzer.link.clock import MOST_COMPARED, Apart
from analyzer.link.sorting import changes, end_to_end, rows_of
from analyzer.model import Evidence, Point
from analyzer.schema import Array, Int64

if TYPE_CHECKING:
    from analyzer.packet.context import Context

LEAST_NS = 1_000_000
"""A smaller offset may be a tap that is late now and then."""
ENOUGH = 3
"""Packets each way."""
SPREAD = 0.5
"""Of the offset: what both directions' differences may be apart, by what packets take, and by drift."""
LOOKED_AT = 20_000
"""Packets that are compared; the first ones."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """Two points with two clocks."""

    first: int
    second: int
    offset_ns: int
    """How far the second one's clock is ahead."""
    packets: int
    shown: tuple[Evidence, ...]
    """Some frames that show it; none where no frames of the two were joined."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """First sightings of connections' first packets at each point; s of them, sorted by point and packet."""

    point: Array
    packet: Int64
    """Its number among all."""
    time_ns: Int64
    frame: Array
    reply: Array

    @classmethod
    def of(cls, context: "Context") -> "Sightings":
        """Take those of the packets that are told in a part."""
        frames, hops = context.frames, context.own_hops
        number = context.numbers[hops["packet"]]
        known = np.flatnonzero((hops["connection"] >= 0) & (number < LOOKED_AT))
        row, packet = hops["row"][known], number[known]
        time_ns, point = (frames[name][row] for name in ("time_ns", "point"))
        order = np.lexsort((time_ns, packet, point))
        order = order[changes(point[order], packet[order])]
        return cls(
            point[order], packet[order], time_ns[order], frames["frame"][row[order]], hops["reply"][known[order]]
        )

    @classmethod
    def together(cls, parts: "Sequence[Sightings]") -> "Sightings":
        """Put those of parts together."""
        every = end_to_end(parts)
        return rows_of(every, np.lexsort((every.packet, every.point)))


def find_pairs(seen: Sightings, points: Sequence[Point], apart: Iterable[Apart]) -> list[Pair]:
    """Find the pairs, by packets that both points saw; else by frames that are alike, and far *apart* in time."""
    found = {one.points: Pair(*one.points, one.offset_ns, one.packets, ()) for one in apart}
    start = np.append(np.flatnonzero(changes(seen.point)), len(seen.point))
    at = {int(seen.point[begin]): rows_of(seen, slice(begin, end)) for begin, end in pairwise(start.tolist())}
    for one, two in combinations(sorted(at), 2) if len(at) <= MOST_COMPARED else ():
        if points[one].host == points[two].host and (one, two) not in found:
            pair = _compared((points[one], points[two]), at[one], at[two])
            found |= {(one, two): pair} if pair is not None else {}
    return list(found.values())


def _compared(points: tuple[Point, Point], one: Sightings, two: Sightings) -> Pair | None:
    """Return the pair if both directions' times at the two points differ by about the same."""
    _, left, right = np.intersect1d(one.packet, two.packet, assume_unique=True, return_indices=True)
    difference = two.time_ns[right] - one.time_ns[left]
    ways = [difference[one.reply[left] == way] for way in (False, True)]
    if min(map(len, ways)) < ENOUGH:
        return None
    middle = [int(np.median(way)) for way in ways]
    offset = sum(middle) // 2
    same_sign = (middle[0] > 0) == (middle[1] > 0)
    constant = abs(middle[0] - middle[1]) <= SPREAD * abs(offset)
    if not (same_sign and constant) or min(map(abs, middle)) < LEAST_NS:
        return None
    examples = zip(two.frame[right[:SHOWN]].tolist(), two.packet[right[:SHOWN]].tolist(), strict=True)
    shown = tuple(Evidence(points[1].name, frame, packet) for frame, packet in examples)
    return Pair(points[0].id, points[1].id, offset, len(right), shown)
