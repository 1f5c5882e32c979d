"""Two hosts have two clocks: what they differ by, told by packets that went from one to the other, both ways.

A packet cannot arrive before it was sent. So the differences of its times bound the clocks' offset, from above in one
direction, from below in the other, and the line between the two hulls with most room to both is the estimate
(S. B. Moon, P. Skelly, D. Towsley: Estimation and Removal of Clock Skew from Network Delay Measurements, 1999).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from analyzer.link.identity import has
from analyzer.link.sorting import changes
from analyzer.schema import Array, Columns, Int64, Layer

TOGETHER_NS = 1_000_000_000
"""Differences of times that belong to one offset, before it is known better."""
FEW = 4096
"""Points whose hull is found one by one."""
LOOKED_AT = 20_000
"""Frames of each point that are compared with another point's, to see whether their times fit."""
MOST_COMPARED = 16
"""Points up to which each pair is compared."""
ENOUGH = 5
MOST_DRIFT = 500e-6
"""The kernel corrects no more (MAXFREQ of kernel/time/ntp.c)."""


@dataclass(slots=True)
class Offset:
    """How far a host's clock is ahead of the first host's: ``offset_ns + drift * (time - at_ns)``."""

    offset_ns: int
    at_ns: int
    drift: float = 0.0
    uncertainty_ns: int | None = None
    """None if packets went one way only, or none at all: then nothing bounds it on the other side."""
    rough: bool = False
    """Nothing tells which way packets went: times were brought together, and may be wrong by what packets take."""

    def at(self, time_ns: Int64) -> Int64:
        """Return the offset at times of the host's own clock."""
        found: Int64 = self.offset_ns + np.rint((time_ns - self.at_ns) * self.drift).astype(np.int64)
        return found


Seen = tuple[Int64, Int64]
"""Times and identities of some frames."""


def align_roughly(parts: Callable[[], Iterable[tuple[Int64, Int64, Int64]]], hosts: int) -> list[int]:
    """
    Tell what brings all hosts' times within the time that packets take.

    Args:
        parts: gives times, identities and hosts of frames, part by part, each with all of its identities; 0 is the
            number of the host whose clock counts.
        hosts: how many there are.

    Returns:
        What is to be subtracted from each host's times, in ns; 0 where no packet was seen on two hosts.
    """
    offsets = np.zeros(hosts, np.int64)
    known = np.arange(hosts) == 0
    for number in range(1, hosts):
        differences = []
        for time_ns, identity, host in parts():
            there, here = known[host], host == number
            corrected = time_ns - offsets[host]
            differences.append(_differences((corrected[there], identity[there]), (corrected[here], identity[here])))
        difference = np.concatenate(differences)
        if len(difference):
            offsets[number], known[number] = _most_common(difference), True
    return [int(offset) for offset in offsets]


def _differences(there: Seen, here: Seen) -> Int64:
    """Return the time from the first sighting *there* to the first one *here*, of all that was seen on both."""
    firsts = []
    for time_ns, identity in (there, here):
        by_time = np.argsort(time_ns, kind="stable")
        found, first = np.unique(identity[by_time], return_index=True)
        firsts.append((found, time_ns[by_time[first]]))
    (one, times), (two, other_times) = firsts
    _, left, right = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    found_differences: Int64 = other_times[right] - times[left]
    return found_differences


def _most_common(difference: Int64) -> int:
    """Return the middle of the differences that lie closest together: those that chance makes are all over."""
    ordered = np.sort(difference)
    behind = np.searchsorted(ordered, ordered + TOGETHER_NS, side="right")
    start = int((behind - np.arange(len(ordered))).argmax())
    return int(np.median(ordered[start : behind[start]]))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What packets between hosts say: at these times, one clock is at the most, and at these at least, so far ahead."""

    above_at: Int64
    above: Int64
    below_at: Int64
    below: Int64

    def estimate(self) -> Offset | None:
        """Estimate how far it is ahead; None if no packet went between."""
        return _between(self.above_at, self.above, self.below_at, self.below)


def bounds(frames: Columns, hops: Columns, host_of_point: Int64, number: int, known: set[int]) -> Bounds:
    """
    Take what packets say of host *number* and of the *known* hosts, which agree.

    Args:
        frames: FRAMES, roughly aligned: all of some connections.
        hops: HOPS of them.
        host_of_point: (points,) number of each point's host.
        number: of the host to be estimated.
        known: numbers of the hosts that are aligned already.
    """
    row, packet = hops["row"], hops["packet"]
    host = host_of_point[frames["point"][row]]
    here, there = host == number, np.isin(host, list(known))
    start = np.flatnonzero(changes(packet))
    both = here[start]
    if len(start):
        both = np.logical_or.reduceat(here, start) & np.logical_or.reduceat(there, start)
    if not both.any():
        none = np.zeros(0, np.int64)
        return Bounds(none, none, none, none)
    sides = [_side(frames, row, start, mask) for mask in (there, here)]
    away, back = (both & direction for direction in _directions(*sides))
    open_ = both & ~away & ~back & (hops["connection"][start] >= 0)
    if open_.any():
        stream = hops["connection"][start].astype(np.int64) * 2 + hops["reply"][start]
        later, earlier = _by_delay(sides[1].first - sides[0].first, stream, np.flatnonzero(open_))
        away[later], back[earlier] = True, True
    # From there to here, the offset is at most the difference; from here to there, at least.
    above = (sides[1].first - sides[0].last)[away]
    below = (sides[1].last - sides[0].first)[back]
    return Bounds(sides[1].first[away], above, sides[1].last[back], below)


@dataclass(slots=True)
class _Side:
    """Of each packet, what one of the two hosts saw; extremes where it saw nothing."""

    first: Int64
    last: Int64
    ttl: Int64
    """Highest."""
    bare: Int64
    """First time outside a tunnel."""
    carried: Int64
    """First time inside one."""


def _side(frames: Columns, row: Int64, start: Int64, mask: Array) -> _Side:
    time_ns = frames["time_ns"][row]
    low, high = np.iinfo(np.int64).min // 4, np.iinfo(np.int64).max // 4
    tunnel = has(frames["layers"][row], Layer.TUNNEL)
    return _Side(
        np.minimum.reduceat(np.where(mask, time_ns, high), start),
        np.maximum.reduceat(np.where(mask, time_ns, low), start),
        np.maximum.reduceat(np.where(mask, frames["ttl"][row].astype(np.int64), -1), start),
        np.minimum.reduceat(np.where(mask & ~tunnel, time_ns, high), start),
        np.minimum.reduceat(np.where(mask & tunnel, time_ns, high), start),
    )


def _directions(there: _Side, here: _Side) -> tuple[Array, Array]:
    """
    Tell which packets went from there to here, and which from here to there.

    Routing takes one from the TTL. Where it did not, in an overlay, the sender put the packet into the tunnel, and
    its own clock shows that, as the receiver's shows that it came out of it.
    """
    nothing = np.iinfo(np.int64).max // 4
    sends = [(s.bare < s.carried) & (s.carried < nothing) for s in (there, here)]
    takes = [(s.carried < s.bare) & (s.bare < nothing) for s in (there, here)]
    same = there.ttl == here.ttl
    away = (there.ttl > here.ttl) | same & (sends[0] | takes[1]) & ~sends[1] & ~takes[0]
    back = (there.ttl < here.ttl) | same & (sends[1] | takes[0]) & ~sends[0] & ~takes[1]
    return away, back


def _by_delay(difference: Int64, stream: Int64, packets: Int64) -> tuple[Int64, Int64]:
    """
    Tell which of *packets* went there to here, and which back, by what both directions of a connection take.

    A packet takes time whichever way it goes, so the direction whose differences are larger is the one from there.
    """
    order = packets[np.lexsort((difference[packets], stream[packets]))]
    begin = np.flatnonzero(changes(stream[order]))
    count = np.diff(begin, append=len(order))
    middle = difference[order[begin + (count - 1) // 2]]
    streams = stream[order[begin]]
    other = np.searchsorted(streams, streams ^ 1)
    paired = np.append(streams, -1)[np.minimum(other, len(streams))] == streams ^ 1
    opposite = np.append(middle, 0)[np.minimum(other, len(streams))]
    kind = np.repeat(np.where(paired, np.sign(middle - opposite), 0), count)
    return order[kind > 0], order[kind < 0]


@dataclass(frozen=True, slots=True)
class Apart:
    """Two points whose frames are the same packets, but further apart in time than any packet takes."""

    points: tuple[int, int]
    offset_ns: int
    """How far the second one's times are ahead."""
    packets: int


def look_at(frames: Columns, identity: Int64, looked: list[Seen]) -> list[Seen]:
    """Add the first frames that some rows of FRAMES have of each point to those that were *looked* at before."""
    telling = has(frames["layers"], Layer.TCP) | (has(frames["layers"], Layer.IPV4) & (frames["ip_id"] != 0))
    found = []
    for number, (times, identities) in enumerate(looked):
        rows = np.flatnonzero(telling & (frames["point"] == number))[: LOOKED_AT - len(times)]
        found.append((np.append(times, frames["time_ns"][rows]), np.append(identities, identity[rows])))
    return found


def far_apart(looked: list[Seen], most_ns: int) -> list[Apart]:
    """Find pairs of points whose times fit only with an offset beyond *most_ns*, by what was *looked* at of each."""
    found: list[Apart] = []
    for second in range(1, len(looked) if len(looked) <= MOST_COMPARED else 0):
        for first in range(second):
            difference = _differences(looked[first], looked[second])
            if len(difference) < ENOUGH:
                continue
            offset = _most_common(difference)
            fitting = int(np.count_nonzero(np.abs(difference - offset) <= TOGETHER_NS))
            if abs(offset) > most_ns and fitting >= max(ENOUGH, len(difference) // 2):
                found.append(Apart((first, second), offset, fitting))
    return found


def _between(above_at: Int64, above: Int64, below_at: Int64, below: Int64) -> Offset | None:
    """Lay a line under the points (*above_at*, *above*) and over (*below_at*, *below*), as far from both as can be."""
    if not len(above) and not len(below):
        return None
    if not len(above) or not len(below):
        one_sided = int(above.min()) if len(above) else int(below.max())
        return Offset(one_sided, int((above_at if len(above) else below_at).min()))
    origin = int(min(above_at.min(), below_at.min()))
    upper = _hull(above_at - origin, above)
    lower = _hull(below_at - origin, -below)
    lower[:, 1] *= -1
    begin, end = max(upper[0, 0], lower[0, 0]), min(upper[-1, 0], lower[-1, 0])
    if begin > end:  # first all went one way, then all the other
        least_above, most_below = int(above.min()), int(below.max())
        return Offset((least_above + most_below) // 2, origin, 0.0, abs(least_above - most_below) // 2)
    places = np.unique(np.concatenate(([begin, end], upper[:, 0], lower[:, 0])))
    places = places[(places >= begin) & (places <= end)]
    gap = np.interp(places, upper[:, 0], upper[:, 1]) - np.interp(places, lower[:, 0], lower[:, 1])
    at = float(places[gap.argmin()])
    room = float(gap.min())
    middle = float(np.interp(at, lower[:, 0], lower[:, 1])) + room / 2
    (up_left, up_right), (down_left, down_right) = _slopes(upper, at, np.inf), _slopes(lower, at, -np.inf)
    # Both hulls stay on their side of the line if its slope is a subgradient of both; the flattest is the likeliest.
    least, most = max(up_left, down_right, -MOST_DRIFT), min(up_right, down_left, MOST_DRIFT)
    drift = float(np.clip(0.0, least, most)) if least <= most else 0.0
    return Offset(round(middle), origin + round(at), drift, max(round(abs(room) / 2), 1))


def _hull(x: Int64, y: Int64) -> Array:
    """Return the lower convex hull of points, (h, 2), by A. M. Andrew's monotone chain."""
    order = np.lexsort((y, x))
    points = np.stack((x[order], y[order]), axis=1).astype(np.float64)
    points = points[np.append(True, points[1:, 0] != points[:-1, 0])]
    while len(points) > FEW:
        # Whoever is above the line between its neighbours is no corner; all those go at once.
        (ax, ay), (bx, by), (cx, cy) = points[:-2].T, points[1:-1].T, points[2:].T
        corner = (by - ay) * (cx - ax) < (cy - ay) * (bx - ax)
        if corner.all():
            break
        points = points[np.concatenate(([True], corner, [True]))]
    hull: list[tuple[float, float]] = []
    for px, py in points.tolist():
        while len(hull) > 1:
            (ax, ay), (bx, by) = hull[-2:]
            if (bx - ax) * (py - ay) > (by - ay) * (px - ax):
                break
            hull.pop()
        hull.append((px, py))
    return np.array(hull)


def _slopes(hull: Array, at: float, outside: float) -> tuple[float, float]:
    """Return the slopes of a hull left and right of *at*; behind its ends it goes on steeply towards *outside*."""
    slope = np.diff(hull[:, 1]) / np.diff(hull[:, 0])
    left, right = np.searchsorted(hull[:, 0], at, side="left"), np.searchsorted(hull[:, 0], at, side="right")
    before = float(slope[left - 1]) if left > 0 else -outside
    after = float(slope[right - 1]) if right <= len(slope) else outside
    return before, after
