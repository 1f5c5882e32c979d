"""What tells two sightings of one packet at one point from two packets: hairpins and copies differ in something."""

import numpy as np

from analyzer.correlate.sorting import changes, lengths
from analyzer.decode.digest import mix_rows
from analyzer.schema import Array, Columns, Int64

FEW = 8
"""Sightings up to which packets are compared row by row; hardly any packet has more."""
SLOWEST_NS = 5_000_000
"""Time across the host that is always allowed where equal packets follow each other."""


def variants(frames: Columns, rows: Int64) -> Array:
    """Return a hash of what differs between two sightings of one packet at one point, but not between two packets."""
    state = frames["point"][rows].astype(np.uint64)
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst", "eth_src", "eth_dst", "ttl", "direction")):
        state = mix_rows(state, frames[name][rows].astype(np.uint64), lane % 4)
    return state


def point_bits(point: Array) -> Int64:
    """Return points as bits; from the 64th on they share bits with the first ones."""
    found: Int64 = (np.int64(1) << np.arange(int(point.max(initial=0)) + 1) % 63)[point]
    return found


def groups_with_repeats(group: Array, point: Array) -> Int64:
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
