"""Runs of equal identity to packets, and the frames of a packet to their real order.

Takes runs and connections, gives HOPS without what concerns connections. Frames of one packet have equal identities,
belong to one direction of one connection, and lie within a short time. A point sees a packet once; if it sees equal
frames again, they differ in MACs, TTL or tuple (a hairpin: the same packet), or they are another packet.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from analyzer.correlate.runs import Runs
from analyzer.correlate.segments import join_parts
from analyzer.correlate.sorting import stable_order
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
    """Every row of FRAMES, sorted by (packet, place on its way)."""

    row: Int64
    packet: Int64
    hop: Int64
    ambiguous: Array


def find_packets(frames: Columns, runs: Runs, stream: Int64, outward: Int64) -> Packets:
    """
    Group frames to packets.

    Args:
        frames: FRAMES, n rows.
        runs: its rows by identity and time.
        stream: (n,) connection and direction of each row as one number; equal for all rows without a tuple.
        outward: (points,) rank of each point's role on the way out of a container.
    """
    order = _streams_apart(runs, stream)
    time_ns = frames["time_ns"][order]
    begins = np.ones(len(order), bool)
    begins[1:] = (runs.run[1:] != runs.run[:-1]) | (stream[order][1:] != stream[order][:-1])
    begins[1:] |= np.diff(time_ns) > WINDOW_NS
    group = np.cumsum(begins) - 1
    repeated = _groups_with_repeats(group, frames["point"][order])
    ambiguous = np.zeros(len(order), bool)
    if len(repeated):
        group, doubtful = _split(frames, order, group, repeated)
        ambiguous[doubtful] = True
        resorted = stable_order(group)
        order, group, ambiguous = order[resorted], group[resorted], ambiguous[resorted]
    joined = join_parts(frames, order, group, stream)
    if joined is not group:
        resorted = np.lexsort((frames["time_ns"][order], joined))
        order, group, ambiguous = order[resorted], joined[resorted], ambiguous[resorted]
    way = _real_order(frames, order, group, outward)
    order, ambiguous = order[way], ambiguous[way]
    packet = _number_by_time(frames["time_ns"][order], group)
    sorted_by_packet = stable_order(packet)
    packet, row = packet[sorted_by_packet], order[sorted_by_packet]
    return Packets(row, packet, _hops(frames, row, packet), ambiguous[sorted_by_packet])


def _hops(frames: Columns, row: Int64, packet: Int64) -> Int64:
    """Number the hops of each packet; frames that a point has of one packet's parts are one hop."""
    if not len(row):
        return row
    begins = np.append(True, packet[1:] != packet[:-1])
    start = np.flatnonzero(begins)
    lengths = np.diff(np.append(start, len(packet)))
    steps = np.ones(len(row), np.int64)
    same = ~begins[1:] & (frames["point"][row][1:] == frames["point"][row][:-1])
    places = np.flatnonzero(same) + 1
    variant, before = _variants(frames, row[places]), _variants(frames, row[places - 1])
    steps[places[variant == before]] = 0
    counted = np.cumsum(steps)
    hop: Int64 = counted - np.repeat(counted[start], lengths)
    return hop


def _streams_apart(runs: Runs, stream: Int64) -> Int64:
    """Sort the rows of runs that mix streams by stream, too."""
    order = runs.order.copy()
    streams = stream[order]
    mixed = np.flatnonzero((streams[1:] != streams[:-1]) & (runs.run[1:] == runs.run[:-1]))
    if len(mixed):
        involved = np.zeros(len(runs.start), bool)
        involved[runs.run[mixed]] = True
        places = np.flatnonzero(involved[runs.run])
        sorted_places = places[np.lexsort((places, streams[places], runs.run[places]))]
        order[places] = runs.order[sorted_places]
    return order


def _groups_with_repeats(group: Int64, point: Array) -> Int64:
    """Return the groups, which lie together, in which a point occurs twice."""
    if not len(group):
        return group
    start = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    length = np.diff(np.append(start, len(group)))
    points = int(point.max()) + 1
    found: list[Int64] = [group[start[length > points]]]
    for reach in range(1, min(points, int(length.max()), FEW)):
        left = np.flatnonzero((group[reach:] == group[:-reach]) & (point[reach:] == point[:-reach]))
        found.append(group[left])
    large = np.flatnonzero(np.repeat((length > FEW) & (length <= points), length))
    if len(large):
        order = large[np.lexsort((point[large], group[large]))]
        same = (group[order][1:] == group[order][:-1]) & (point[order][1:] == point[order][:-1])
        found.append(group[order][1:][same])
    return np.unique(np.concatenate(found))


def _split(frames: Columns, order: Int64, group: Int64, repeated: Int64) -> tuple[Int64, Int64]:
    """Split groups in which a point saw equal frames twice; return new groups and places that are doubtful."""
    fresh = int(group[-1]) + 1
    result = group.copy()
    doubtful: list[int] = []
    start = np.searchsorted(group, repeated)
    stop = np.searchsorted(group, repeated, side="right")
    for first, last in zip(start.tolist(), stop.tolist(), strict=True):
        rows = order[first:last]
        variant = _variants(frames, rows)
        packets, unsure = _assign(frames["time_ns"][rows].tolist(), variant.tolist(), frames["point"][rows].tolist())
        numbers = np.array(packets)
        result[first:last] = np.where(numbers == 0, group[first], fresh + numbers - 1)
        fresh += int(numbers.max())
        doubtful.extend(first + place for place in unsure)
    return result, np.array(doubtful, np.int64)


def _variants(frames: Columns, rows: Int64) -> Array:
    """Return a hash of what differs between two sightings of one packet at one point, but not between two packets."""
    state = frames["point"][rows].astype(np.uint64)
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst", "eth_src", "eth_dst", "ttl", "direction")):
        state = mix_rows(state, frames[name][rows].astype(np.uint64), lane % 4)
    return state


def _assign(times: list[int], variants: list[int], points: list[int]) -> tuple[list[int], list[int]]:
    """
    Give each sighting, in order of time, to the oldest packet under way that was not seen like this yet.

    Hosts keep the order of equal packets. Returns packet numbers from 0, and the places where that does not decide:
    several equal packets were under way, and one of them was not seen everywhere.
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
    return numbers, [place for place, number in enumerate(numbers) if number in contested]


def _usual_spread(times: list[int], points: list[int]) -> int:
    """Return the longest time one of several equal packets may take, in ns."""
    by_point: dict[int, list[int]] = {}
    for time, point in zip(times, points, strict=True):
        by_point.setdefault(point, []).append(time)
    between = [b - a for seen in by_point.values() for a, b in pairwise(seen)]
    return max(SLOWEST_NS, min(between, default=0) // 2)


def _real_order(frames: Columns, order: Int64, group: Int64, outward: Int64) -> Int64:
    """Return places that sort the frames of each packet into the order in which the host passed them on."""
    way = np.arange(len(order))
    if not len(order):
        return way
    time_ns, ttl, point = frames["time_ns"][order], frames["ttl"][order], frames["point"][order]
    same = group[1:] == group[:-1]
    unclear = np.flatnonzero(same & ((time_ns[1:] <= time_ns[:-1]) | (ttl[1:] > ttl[:-1])))
    involved = np.zeros(int(group[-1]) + 1, bool)
    involved[group[unclear]] = True
    involved[_groups_with_repeats(group, point)] = True
    if not involved.any():
        return way
    late = _usual_delay(frames, order, group)
    places = np.flatnonzero(involved[group])
    # Parts of one packet at one point stay together, at the time of their first.
    seen = mix_rows(group[places].astype(np.uint64), _variants(frames, order[places]), 0)
    _, inverse = np.unique(seen, return_inverse=True)
    first = np.full(int(inverse.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, inverse, time_ns[places])
    rank = outward[point[places]]
    # Routing takes one from the TTL, so that comes first; equal times are told apart by the sender's other packets.
    falling = -ttl[places].astype(np.int64)
    offset = frames["frag_offset"][order[places]]
    keys = (time_ns[places], offset, inverse, rank, late[places], first[inverse], falling, group[places])
    way[places] = places[np.lexsort(keys)]
    return way


def _usual_delay(frames: Columns, order: Int64, group: Int64) -> Array:
    """Return how long after its first sighting a sender's packets usually come to the row's point, in ns."""
    start = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    first = np.repeat(frames["time_ns"][order[start]], np.diff(np.append(start, len(order))))
    delay = (frames["time_ns"][order] - first).astype(np.float64)
    key = frames["eth_src"][order] * 65536 + frames["point"][order]
    code, _ = pd.factorize(key)
    mean = np.bincount(code, np.minimum(delay, SLOWEST_NS)) / np.bincount(code)
    found: Array = mean[code]
    return found


def _number_by_time(time_ns: Int64, group: Int64) -> Int64:
    """Number groups by the time of their first frame."""
    if not len(group):
        return group
    start = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    earliest = np.minimum.reduceat(time_ns, start)
    rank = np.empty(len(start), np.int64)
    rank[stable_order(earliest - earliest.min())] = np.arange(len(start))
    return np.repeat(rank, np.diff(np.append(start, len(group))))
