"""What tells two sightings of one packet at one point from two packets: hairpins and copies differ in something."""

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.decode.offsets import GROUP_BIT
from analyzer.link.identity import has
from analyzer.link.sorting import changes, lengths
from analyzer.schema import Array, Columns, Int64, Layer

FEW = 8
"""Sightings up to which packets are compared row by row; hardly any packet has more."""
BROADCAST, MULTICAST, SENT = 1, 2, 4
"""Packet types of linux/if_packet.h."""
SLOWEST_NS = 5_000_000
"""Time across the host that is always allowed where equal packets follow each other."""


def variants(frames: Columns, rows: Int64) -> Array:
    """Return a hash of what differs between two sightings of one packet at one point, but not between two packets."""
    state = frames["point"][rows].astype(np.uint64)
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst", "eth_src", "eth_dst", "ttl", "direction")):
        state = mix_rows(state, frames[name][rows].astype(np.uint64), lane % 4)
    return state


def flooded(frames: Columns, rows: Int64) -> Array:
    """Tell the frames that a bridge sends to all its ports, whole ones: those to groups (IEEE 802.1D section 7.12)."""
    found: Array = frames["eth_dst"][rows] & GROUP_BIT != 0
    return found & ~has(frames["layers"][rows], Layer.FRAGMENT)


def passed_twice(frames: Columns, rows: Int64) -> Array:
    """
    Tell the frames of ``-i any`` as LINUX_SLL that interfaces one upon the other show in the same way.

    A bridge sends what its port sends after it, both without a word of where (net/packet/af_packet.c).
    """
    direction = frames["direction"][rows]
    found: Array = (direction == SENT) | (direction == BROADCAST) | (direction == MULTICAST)
    return found & has(frames["layers"][rows], Layer.COOKED) & ~has(frames["layers"][rows], Layer.FRAGMENT)


def same_bytes(frames: Columns, rows: Int64, others: Int64) -> Array:
    """Tell sightings of one frame from parts of a packet."""
    names = ("ip_len", "seq", "frag_offset", "payload_len")
    found: Array = np.logical_and.reduce([frames[name][rows] == frames[name][others] for name in names])
    return found


def came_back(kinds: Array, times: Int64, group: Int64, hairpin: Array) -> Array:
    """
    Tell frames that one point shows twice, as a port in hairpin mode what it sends back, from those that come again.

    The point shows each of them twice, within the time of one flood, and every other sighting is once. Where there is
    no other, it has to be known of the point.

    Args:
        kinds: (n,) variant of each sighting.
        times: (n,) in ns.
        group: (n,) which sightings are equal frames.
        hairpin: (n,) bool: the point is known to do so: a port that is recorded to be in hairpin mode.

    Returns:
        (n,) bool: each second one of a variant that was seen twice as often as the rarest of its group.
    """
    order = np.lexsort((times, kinds, group))
    begin = np.flatnonzero(changes(group[order], kinds[order]))
    seen = lengths(begin, len(order))
    of_group = group[order[begin]]
    first = np.flatnonzero(changes(of_group))
    variants_there = lengths(first, len(begin))
    least = np.repeat(np.minimum.reduceat(seen, first), variants_there)
    alone = np.repeat(variants_there == 1, variants_there)
    twice = (seen == 2 * least) | (alone & hairpin[order[begin]] & (seen % 2 == 0))
    odd = (np.arange(len(order)) - np.repeat(begin, seen)) % 2 == 1
    late = np.zeros(len(order), bool)
    late[1:] = odd[1:] & (np.diff(times[order]) > SLOWEST_NS)
    twice &= ~np.logical_or.reduceat(late, begin)
    found = np.zeros(len(order), bool)
    found[order] = odd & np.repeat(twice, seen)
    return found


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
