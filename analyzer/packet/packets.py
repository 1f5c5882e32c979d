"""Runs of equal identity to packets, and the frames of a packet to their real order.

Takes runs and connections, gives HOPS without what concerns connections. Frames of one packet have equal identities,
belong to one direction of one connection, and lie within a short time. A point sees a packet once; if it sees equal
frames again, they differ in MACs, TTL or tuple (a hairpin: the same packet), or they are another packet.
"""

from array import array
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analyzer.link.runs import Rows, recorded_at
from analyzer.link.sightings import (
    SLOWEST_NS,
    came_back,
    flooded,
    groups_with_repeats,
    passed_twice,
    same_bytes,
    variants,
)
from analyzer.link.sorting import changes, expand, lengths, stable_order
from analyzer.link.votes import WINDOW_NS
from analyzer.packet.order import Delays, real_order
from analyzer.packet.segments import join_parts
from analyzer.schema import Array, Int64

OPEN_PACKETS = 64
"""Packets of equal identity that may be under way at once."""


@dataclass(slots=True)
class Packets:
    """Every row of FRAMES, sorted by (packet, place on its way); n frames, packets in order of their first time."""

    rows: Rows
    start: Int64
    """(packets,) Where each packet begins."""
    hop: Int64
    """(n,)"""
    stream: Int64
    """(packets,) Connection and direction as one number; -1 without."""
    ambiguous: Array
    """(n,)"""

    @property
    def length(self) -> Int64:
        """(packets,) Frames of each."""
        return lengths(self.start, len(self.hop))


@dataclass(frozen=True, slots=True)
class Points:
    """What is known of each point; all (points,)."""

    outward: Int64
    """Rank of its role on the way out of a container."""
    hosts: Int64
    """Number of its host."""
    files: Int64
    """Number of its file."""
    hairpin: Array
    """bool: a port that sends back what it floods."""
    several: Array
    """bool: all interfaces of a host in one, and no word of which."""


def group_frames(frames: "Sorted", points: Points) -> None:
    """
    Group frames to packets; *frames* are in runs, and are sorted further.

    Nothing in it depends on frames of other connections, so a part of all may be grouped by itself.
    """
    frames.part_streams()
    begins = changes(frames.group, frames.stream)
    begins[1:] |= np.diff(frames.rows.column("time_ns")) > WINDOW_NS
    frames.group = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    frames.sort_groups(begins, points.files)
    _split(frames, begins, points)
    joined = join_parts(frames.rows, frames.group, frames.stream)
    if joined is not frames.group:
        frames.group = joined
        frames.take(np.lexsort((frames.rows.column("time_ns"), joined)))


def order_frames(frames: "Sorted", places: Int64, points: Points, delays: Delays | None) -> Packets:
    """Bring the frames of groups into the order of their way, those at *places* by what all parts say of *delays*."""
    if len(places) and delays is not None:
        frames.move(places, real_order(frames.rows, frames.group, places, points.outward, points.hosts, delays))
    start = _by_first_time(frames, points.files)
    hop = _hops(frames.rows, start, points.several)
    return Packets(frames.rows, start, hop, frames.stream[start].astype(np.int64), frames.ambiguous)


@dataclass(slots=True)
class Sorted:
    """n frames, and what is known of each, in an order that becomes better and better."""

    rows: Rows
    group: Array
    """(n,) int32, ascending: runs at first, packets at last."""
    stream: Array
    """(n,) int32, connection and direction of each as one number; -1 for those without a tuple."""
    ambiguous: Array
    """(n,) bool."""

    def take(self, places: Int64) -> None:
        """Keep the frames at *places*, in their order."""
        self.rows = self.rows.take(places)
        self.group, self.stream, self.ambiguous = self.group[places], self.stream[places], self.ambiguous[places]

    def move(self, places: Int64, sources: Int64) -> None:
        """Put the frames that are at *sources* to *places*, within their groups."""
        self.rows.move(places, sources)
        for column in (self.stream, self.ambiguous):
            column[places] = column[sources]

    def sort_groups(self, begins: Array, files: Int64) -> None:
        """
        Sort groups by their first frame, whatever other groups had equal frames; *begins* is sorted with them.

        Ties between packets are decided by it, so it must not depend on what else was looked at.
        """
        start = np.flatnonzero(begins)
        time_ns = self.rows.column("time_ns")[start]
        at = recorded_at(self.rows.frames, files, self.rows.order[start])
        if ((time_ns[1:] > time_ns[:-1]) | ((time_ns[1:] == time_ns[:-1]) & (at[1:] > at[:-1]))).all():
            return
        order = np.lexsort((at, time_ns))
        length = lengths(start, len(begins))[order]
        self.take(expand(start[order], length))
        begins[:] = False
        begins[np.cumsum(length) - length] = True
        self.group = np.cumsum(begins, dtype=np.int32) - np.int32(1)

    def part_streams(self) -> None:
        """Sort the frames of groups that mix streams by stream, too; the order of all is made afterwards."""
        mixed = np.flatnonzero((self.stream[1:] != self.stream[:-1]) & (self.group[1:] == self.group[:-1]))
        if len(mixed):
            involved = np.zeros(int(self.group[-1]) + 1, bool)
            involved[self.group[mixed]] = True
            places = np.flatnonzero(involved[self.group])
            self.move(places, places[np.lexsort((places, self.stream[places], self.group[places]))])


def _by_first_time(frames: Sorted, files: Int64) -> Int64:
    """Sort groups by the time of their first frame; return where each begins."""
    time_ns = frames.rows.column("time_ns")
    start = np.flatnonzero(changes(frames.group))
    earliest = np.minimum.reduceat(time_ns, start)
    if (earliest[1:] > earliest[:-1]).all():
        return start
    by_time = stable_order(earliest - earliest.min())
    length = lengths(start, len(time_ns))
    _untie(frames.rows, files, start, length, earliest, by_time)
    length = length[by_time]
    frames.take(expand(start[by_time], length))
    return np.cumsum(length) - length


def _untie(rows: Rows, files: Int64, start: Int64, length: Int64, earliest: Int64, by_time: Int64) -> None:
    """Sort groups of equal time by where their first frame was recorded; *by_time* is put right in place."""
    equal = earliest[by_time[1:]] == earliest[by_time[:-1]]
    tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
    if not len(tied):
        return
    groups = by_time[tied]
    places = expand(start[groups], length[groups])
    number = np.repeat(np.arange(len(groups)), length[groups])
    first = np.flatnonzero(rows.column("time_ns")[places] == earliest[groups][number])
    row = rows.order[places[first]]
    key = recorded_at(rows.frames, files, row)
    least = np.minimum.reduceat(key, np.flatnonzero(changes(number[first])))
    by_time[tied] = groups[np.lexsort((least, earliest[groups]))]


def _hops(rows: Rows, start: Int64, several: Array) -> Int64:
    """Number the hops of each packet; frames that a point has of one packet's parts are one hop."""
    point = rows.column("point")
    steps = np.ones(len(point), np.int64)
    same = point[1:] == point[:-1]
    same[start[1:] - 1] = False
    places = np.flatnonzero(same) + 1
    variant, before = (variants(rows.frames, rows.order[there]) for there in (places, places - 1))
    # A flooded frame that came back is the same frame once more, as one sent twice is; parts of a packet are others.
    again = flooded(rows.frames, rows.order[places])
    again |= several[point[places]] & same_bytes(rows.frames, rows.order[places - 1], rows.order[places])
    steps[places[(variant == before) & ~again]] = 0
    counted = np.cumsum(steps)
    hop: Int64 = counted - np.repeat(counted[start], lengths(start, len(point)))
    return hop


def _split(frames: Sorted, begins: Array, known: Points) -> None:
    """Split groups in which a point saw equal frames twice; *begins* tells where groups begin."""
    repeated = groups_with_repeats(frames.group, frames.rows.column("point"))
    if not len(repeated):
        return
    start = np.searchsorted(frames.group, repeated)
    length = np.searchsorted(frames.group, repeated, side="right") - start
    places = expand(start, length)
    kinds = variants(frames.rows.frames, frames.rows.order[places])
    times, points = (frames.rows.column(name)[places] for name in ("time_ns", "point"))
    to_all = flooded(frames.rows.frames, frames.rows.order[places])
    hairpin = known.hairpin[points]  # a bridge floods what is for one alone, too, while it does not know where that is
    twice = known.several[points] & passed_twice(frames.rows.frames, frames.rows.order[places])
    back = to_all | hairpin | twice
    echoes = np.flatnonzero(back | np.repeat(np.logical_or.reduceat(back, np.cumsum(length) - length), length))
    if len(echoes):
        group = np.repeat(np.arange(len(length)), length)[echoes]
        surely = (hairpin & to_all | twice)[echoes]
        kinds[echoes] ^= came_back(kinds[echoes], times[echoes], group, surely) & back[echoes]
    packet, plain = _in_step(times, kinds, length)
    begin = np.cumsum(length) - length
    doubtful: list[int] = []
    for first, count in zip(begin[~plain].tolist(), length[~plain].tolist(), strict=True):
        mine = slice(first, first + count)
        packet[mine], unsure = _assign(times[mine].tolist(), kinds[mine].tolist(), points[mine].tolist())
        doubtful.extend(first + place for place in unsure)
    frames.ambiguous[places[doubtful]] = True
    group = frames.group[places]
    sorted_places = np.lexsort((packet, group))
    frames.move(places, places[sorted_places])
    begins[places] = changes(group, packet[sorted_places])
    frames.group = np.cumsum(begins, dtype=np.int32) - np.int32(1)


def _in_step(times: Int64, kinds: Array, length: Int64) -> tuple[Int64, Array]:
    """
    Number the packets of groups of equal frames, sorted by group and time, where the order alone decides.

    If all variants were seen equally often, the k-th sightings of each are packet k, as :func:`_assign` would find.

    Returns:
        (n,) packet of each place, from 0 in its group; (groups,) whether that is so, everywhere soon enough.
    """
    group = np.repeat(np.arange(len(length)), length)
    order = np.lexsort((kinds, group))
    variant = np.cumsum(changes(group[order], kinds[order])) - 1
    seen = np.bincount(variant)
    packet = np.empty(len(times), np.int64)
    packet[order] = np.arange(len(times)) - (np.cumsum(seen) - seen)[variant]
    of_group = group[order[np.cumsum(seen) - seen]]
    begin = np.flatnonzero(changes(of_group))
    plain = np.minimum.reduceat(seen, begin) == np.maximum.reduceat(seen, begin)
    most = np.maximum.reduceat(seen, begin)
    number = (np.cumsum(most) - most)[group] + packet
    first = np.full(int(most.sum()), np.iinfo(np.int64).max)
    np.minimum.at(first, number, times)
    late = times - first[number] > SLOWEST_NS
    # Of packets that began before this one did, no more may be under way than are looked at.
    crowded = packet + OPEN_PACKETS < np.repeat(most, most)[number]
    crowded[crowded] = first[number[crowded] + OPEN_PACKETS] - first[number[crowded]] <= SLOWEST_NS
    plain[group[late | crowded]] = False
    # What was seen in one way only, is as many packets as sightings.
    plain[np.diff(np.append(begin, len(of_group))) == 1] = True
    return packet, plain


def _assign(times: list[int], variants: list[int], points: list[int]) -> "tuple[array[int], list[int]]":
    """
    Give each sighting, in order of time, to the oldest packet under way that was not seen like this yet.

    Hosts keep the order of equal packets. Returns packet numbers from 0, and the places where that does not decide:
    several equal packets were under way, and one of them was not seen everywhere.
    """
    limit = _usual_spread(times, points)
    under_way: deque[tuple[int, int, set[int]]] = deque(maxlen=OPEN_PACKETS)
    """When each was seen first, its number, and the variants of it that were seen."""
    numbers, count = array("q"), array("q")
    contested: set[int] = set()
    for time, variant in zip(times, variants, strict=True):
        while under_way and time - under_way[0][0] > limit:
            under_way.popleft()
        fitting = [(number, seen) for _, number, seen in under_way if variant not in seen]
        if len(fitting) > 1:
            contested.update(number for number, _ in fitting)
        if fitting:
            number, seen = fitting[0]
        else:
            number, seen = len(count), set()
            count.append(0)
            under_way.append((time, number, seen))
        seen.add(variant)
        count[number] += 1
        numbers.append(number)
    if len({count[number] for number in contested}) < 2:
        contested = set()  # all were seen everywhere: order tells which is which
    return numbers, [place for place, number in enumerate(numbers) if number in contested]


def _usual_spread(times: list[int], points: list[int]) -> int:
    """Return the longest time one of several equal packets may take, in ns."""
    by_point: dict[int, list[int]] = {}
    for time, point in zip(times, points, strict=True):
        by_point.setdefault(point, []).append(time)
    between = [b - a for seen in by_point.values() for a, b in pairwise(seen)]
    return max(SLOWEST_NS, min(between, default=0) // 2)
