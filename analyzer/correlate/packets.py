"""Runs of equal identity to packets, and the frames of a packet to their real order.

Takes runs and connections, gives HOPS without what concerns connections. Frames of one packet have equal identities,
belong to one direction of one connection, and lie within a short time. A point sees a packet once; if it sees equal
frames again, they differ in MACs, TTL or tuple (a hairpin: the same packet), or they are another packet.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analyzer.correlate.runs import Rows, Runs
from analyzer.correlate.segments import join_parts
from analyzer.correlate.sorting import changes, expand, lengths, number_groups, stable_order
from analyzer.correlate.votes import WINDOW_NS
from analyzer.decode.digest import mix_rows
from analyzer.schema import Array, Columns, Int64

OPEN_PACKETS = 64
"""Packets of equal identity that may be under way at once."""
FEW = 8
"""Sightings up to which packets are compared row by row; hardly any packet has more."""
SLOWEST_NS = 5_000_000
"""Time across the host that is always allowed where equal packets follow each other."""


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


def find_packets(runs: Runs, stream: Int64, ambiguous: Array, outward: Int64) -> Packets:
    """
    Group frames to packets.

    Args:
        runs: n frames by identity and time.
        stream: (n,) connection and direction of each as one number; -1 for those without a tuple.
        ambiguous: (n,) bool, what is doubtful already.
        outward: (points,) rank of each point's role on the way out of a container.
    """
    frames = _Sorted(runs.rows, runs.run, stream, ambiguous)
    frames.part_streams()
    begins = changes(frames.group, frames.stream)
    begins[1:] |= np.diff(frames.rows.column("time_ns")) > WINDOW_NS
    frames.group = np.cumsum(begins) - 1
    _split(frames, begins)
    joined = join_parts(frames.rows, frames.group, frames.stream)
    if joined is not frames.group:
        frames.group = joined
        frames.take(np.lexsort((frames.rows.column("time_ns"), joined)))
    places = _unclear(frames.rows, frames.group)
    if len(places):
        frames.move(places, _real_order(frames.rows, frames.group, places, outward))
    start = _by_first_time(frames)
    return Packets(frames.rows, start, _hops(frames.rows, start), frames.stream[start], frames.ambiguous)


@dataclass(slots=True)
class _Sorted:
    """n frames, and what is known of each, in an order that becomes better and better."""

    rows: Rows
    group: Int64
    stream: Int64
    ambiguous: Array

    def take(self, places: Int64) -> None:
        self.rows = self.rows.take(places)
        self.group, self.stream, self.ambiguous = self.group[places], self.stream[places], self.ambiguous[places]

    def move(self, places: Int64, sources: Int64) -> None:
        """Put the frames that are at *sources* to *places*, within their groups."""
        self.rows.move(places, sources)
        for column in (self.stream, self.ambiguous):
            column[places] = column[sources]

    def part_streams(self) -> None:
        """Sort the frames of groups that mix streams by stream, too."""
        mixed = np.flatnonzero((self.stream[1:] != self.stream[:-1]) & (self.group[1:] == self.group[:-1]))
        if len(mixed):
            involved = np.zeros(int(self.group[-1]) + 1, bool)
            involved[self.group[mixed]] = True
            places = np.flatnonzero(involved[self.group])
            self.move(places, places[np.lexsort((places, self.stream[places], self.group[places]))])


def _by_first_time(frames: _Sorted) -> Int64:
    """Sort groups by the time of their first frame; return where each begins."""
    time_ns = frames.rows.column("time_ns")
    start = np.flatnonzero(changes(frames.group))
    earliest = np.minimum.reduceat(time_ns, start)
    if (earliest[1:] >= earliest[:-1]).all():
        return start
    by_time = stable_order(earliest - earliest.min())
    length = lengths(start, len(time_ns))[by_time]
    frames.take(expand(start[by_time], length))
    return np.cumsum(length) - length


def _hops(rows: Rows, start: Int64) -> Int64:
    """Number the hops of each packet; frames that a point has of one packet's parts are one hop."""
    point = rows.column("point")
    steps = np.ones(len(point), np.int64)
    same = point[1:] == point[:-1]
    same[start[1:] - 1] = False
    places = np.flatnonzero(same) + 1
    variant, before = (_variants(rows.frames, rows.order[there]) for there in (places, places - 1))
    steps[places[variant == before]] = 0
    counted = np.cumsum(steps)
    hop: Int64 = counted - np.repeat(counted[start], lengths(start, len(point)))
    return hop


def _groups_with_repeats(group: Int64, point: Array) -> Int64:
    """Return the groups, which lie together, in which a point occurs twice."""
    start = np.flatnonzero(changes(group))
    length = lengths(start, len(group))
    points = int(point.max()) + 1
    found: list[Int64] = [group[start[length > points]]]
    for reach in range(1, min(points, int(length.max()), FEW)):
        left = np.flatnonzero((group[reach:] == group[:-reach]) & (point[reach:] == point[:-reach]))
        found.append(group[left])
    large = np.flatnonzero(np.repeat((length > FEW) & (length <= points), length)) if points > FEW else start[:0]
    if len(large):
        order = large[np.lexsort((point[large], group[large]))]
        same = (group[order][1:] == group[order][:-1]) & (point[order][1:] == point[order][:-1])
        found.append(group[order][1:][same])
    return np.unique(np.concatenate(found))


def _split(frames: _Sorted, begins: Array) -> None:
    """Split groups in which a point saw equal frames twice; *begins* tells where groups begin."""
    repeated = _groups_with_repeats(frames.group, frames.rows.column("point"))
    if not len(repeated):
        return
    start = np.searchsorted(frames.group, repeated)
    length = np.searchsorted(frames.group, repeated, side="right") - start
    places = expand(start, length)
    variants = _variants(frames.rows.frames, frames.rows.order[places]).tolist()
    times, points = (frames.rows.column(name)[places].tolist() for name in ("time_ns", "point"))
    packets: list[int] = []
    doubtful: list[int] = []
    for count in length.tolist():
        mine = slice(len(packets), len(packets) + count)
        doubtful.extend(mine.start + place for place in _assign(times[mine], variants[mine], points[mine], packets))
    frames.ambiguous[places[doubtful]] = True
    group, packet = frames.group[places], np.array(packets)
    sorted_places = np.lexsort((packet, group))
    frames.move(places, places[sorted_places])
    begins[places] = changes(group, packet[sorted_places])
    frames.group = np.cumsum(begins) - 1


def _variants(frames: Columns, rows: Int64) -> Array:
    """Return a hash of what differs between two sightings of one packet at one point, but not between two packets."""
    state = frames["point"][rows].astype(np.uint64)
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst", "eth_src", "eth_dst", "ttl", "direction")):
        state = mix_rows(state, frames[name][rows].astype(np.uint64), lane % 4)
    return state


def _assign(times: list[int], variants: list[int], points: list[int], packets: list[int]) -> list[int]:
    """
    Give each sighting, in order of time, to the oldest packet under way that was not seen like this yet.

    Hosts keep the order of equal packets. Appends packet numbers from 0 to *packets*; returns the places where that
    does not decide: several equal packets were under way, and one of them was not seen everywhere.
    """
    limit = _usual_spread(times, points)
    under_way: deque[tuple[int, int]] = deque(maxlen=OPEN_PACKETS)
    numbers: list[int] = []
    seen: list[set[int]] = []
    contested: set[int] = set()
    for time, variant in zip(times, variants, strict=True):
        while under_way and time - under_way[0][0] > limit:
            under_way.popleft()
        fitting = [number for _, number in under_way if variant not in seen[number]]
        if len(fitting) > 1:
            contested.update(fitting)
        if fitting:
            number = fitting[0]
        else:
            number = len(seen)
            seen.append(set())
            under_way.append((time, number))
        seen[number].add(variant)
        numbers.append(number)
    if len({len(seen[number]) for number in contested}) < 2:
        contested = set()  # all were seen everywhere: order tells which is which
    packets += numbers
    return [place for place, number in enumerate(numbers) if number in contested]


def _usual_spread(times: list[int], points: list[int]) -> int:
    """Return the longest time one of several equal packets may take, in ns."""
    by_point: dict[int, list[int]] = {}
    for time, point in zip(times, points, strict=True):
        by_point.setdefault(point, []).append(time)
    between = [b - a for seen in by_point.values() for a, b in pairwise(seen)]
    return max(SLOWEST_NS, min(between, default=0) // 2)


def _unclear(rows: Rows, group: Int64) -> Int64:
    """Return the places of groups whose order in time may not be the order in which the host passed them on."""
    time_ns, ttl = rows.column("time_ns"), rows.column("ttl")
    same = group[1:] == group[:-1]
    places = np.flatnonzero(same & ((time_ns[1:] <= time_ns[:-1]) | (ttl[1:] > ttl[:-1])))
    involved = np.zeros(int(group[-1]) + 1, bool)
    involved[group[places]] = True
    involved[_groups_with_repeats(group, rows.column("point"))] = True
    return np.flatnonzero(involved[group])


def _real_order(rows: Rows, group: Int64, places: Int64, outward: Int64) -> Int64:
    """Sort *places* so that the frames of each packet are in the order in which the host passed them on."""
    time_ns, point = rows.column("time_ns")[places], rows.column("point")[places]
    # Parts of one packet at one point stay together, at the time of their first.
    seen = mix_rows(group[places].astype(np.uint64), _variants(rows.frames, rows.order[places]), 0)
    inverse, _ = number_groups(seen.view(np.int64))
    first = np.full(int(inverse.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, inverse, time_ns)
    # Routing takes one from the TTL, so that comes first; equal times are told apart by the sender's other packets.
    falling = -rows.column("ttl")[places].astype(np.int64)
    offset = rows.frames["frag_offset"][rows.order[places]]
    late = _usual_delay(rows, group, places)
    keys = (time_ns, offset, inverse, outward[point], late, first[inverse], falling, group[places])
    found: Int64 = places[np.lexsort(keys)]
    return found


def _usual_delay(rows: Rows, group: Int64, places: Int64) -> Array:
    """Return how long after its first sighting a sender's packets usually come to the point at *places*, in ns."""
    time_ns = rows.column("time_ns")
    start = np.flatnonzero(changes(group))
    delay = time_ns - np.repeat(time_ns[start], lengths(start, len(group)))
    code, _ = number_groups(rows.column("eth_src") << 16 | rows.column("point"))
    mean = np.bincount(code, np.minimum(delay, SLOWEST_NS)) / np.bincount(code)
    found: Array = mean[code[places]]
    return found
