"""Points of one host, as far as anybody said, whose times fit only with an offset: they have two clocks.

A packet cannot arrive before it was sent. Where both directions of the traffic between two points show times that
differ by about the same, one of them goes back in time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analyzer.correlate.clock import MOST_COMPARED, Apart
from analyzer.correlate.sorting import changes
from analyzer.model import Point
from analyzer.schema import Columns, Int64

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
    rows: tuple[int, ...]
    """Some that show it; none where no frames of the two were joined."""


def find_pairs(frames: Columns, hops: Columns, points: Sequence[Point], apart: Iterable[Apart]) -> list[Pair]:
    """Find the pairs, by packets that both points saw; else by frames that are alike, and far *apart* in time."""
    found = {one.points: Pair(*one.points, one.offset_ns, one.packets, ()) for one in apart}
    seen = _first_sightings(frames, hops)
    for one, two in combinations(sorted(seen), 2) if len(seen) <= MOST_COMPARED else ():
        if points[one].host == points[two].host and (one, two) not in found:
            pair = _compared(frames, hops, (one, two), (seen[one], seen[two]))
            found |= {(one, two): pair} if pair is not None else {}
    return list(found.values())


def _first_sightings(frames: Columns, hops: Columns) -> dict[int, Int64]:
    """Return by point: the places in HOPS of the first sighting of each packet of a connection, by packet."""
    known = np.flatnonzero((hops["connection"] >= 0) & (hops["packet"] < LOOKED_AT))
    row, packet = hops["row"][known], hops["packet"][known]
    time_ns, point = (frames[name][row] for name in ("time_ns", "point"))
    order = np.lexsort((time_ns, packet, point))
    order = order[changes(point[order], packet[order])]
    start = np.flatnonzero(changes(point[order]))
    parts = np.split(order, start[1:]) if len(order) else []
    return {int(point[part[0]]): known[part] for part in parts}


def _compared(
    frames: Columns, hops: Columns, points: tuple[int, int], places: tuple[Int64, Int64]
) -> Pair | None:  # fmt: skip
    """Return the pair if both directions' times at the two points differ by about the same."""
    one, two = (hops["packet"][place] for place in places)
    _, left, right = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    first, second = places[0][left], places[1][right]
    difference = frames["time_ns"][hops["row"][second]] - frames["time_ns"][hops["row"][first]]
    ways = [difference[hops["reply"][first] == way] for way in (False, True)]
    if min(map(len, ways)) < ENOUGH:
        return None
    middle = [int(np.median(way)) for way in ways]
    offset = sum(middle) // 2
    same_sign = (middle[0] > 0) == (middle[1] > 0)
    constant = abs(middle[0] - middle[1]) <= SPREAD * abs(offset)
    if not (same_sign and constant) or min(map(abs, middle)) < LEAST_NS:
        return None
    return Pair(*points, offset, len(second), tuple(hops["row"][second[:SHOWN]].tolist()))
