"""Packets that are cut or joined on their way: TCP segments by offload (GSO, TSO, GRO), datagrams by fragmentation.

Takes groups of equal frames, gives groups in which all pieces of one packet are together. A segment and its parts have
the same acknowledgement and time stamps, consecutive IP ids from the first on, and byte ranges that meet; fragments
and the datagram that br_netfilter makes of them share the IP id.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.link.fragments import REASSEMBLY6_NS, nearest_first
from analyzer.link.identity import any_has, has
from analyzer.link.runs import Rows
from analyzer.link.sightings import point_bits
from analyzer.link.sorting import changes, expand, group_rows, lengths
from analyzer.schema import Array, Columns, Int64, Layer

MAX_PARTS = 64
"""Parts of one 64 KiB segment, and a little more."""
HALF = 1 << 31
SPREAD_NS = 2_000_000_000
"""Longest time between the parts of one packet."""


def join_parts(rows: Rows, group: Array, stream: Array) -> Array:
    """
    Put the parts of packets into one group.

    Args:
        rows: n frames, sorted by group.
        group: (n,) group of each, ascending.
        stream: (n,) connection and direction of each, -1 for none.

    Returns:
        (n,) groups, in which some are now one, the lowest number stays; *group* itself if all are whole.
    """
    frames, order = rows.frames, rows.order
    partial = _partial(rows, group, stream)
    if len(partial):
        group = _join_segments(frames, order, group, partial, stream)
    return _join_fragments(frames, order, group, stream)


def _partial(rows: Rows, group: Array, stream: Array) -> Int64:
    """Return the places of TCP payload that some point of their stream did not see like this."""
    start = np.flatnonzero(changes(group))
    first = rows.order[start]
    streams = stream[start]
    layers, size = rows.frames["layers"][first], rows.frames["payload_len"][first]
    candidate = np.flatnonzero(has(layers, Layer.TCP) & (size > 0) & (streams >= 0))
    if not len(candidate):
        return candidate
    point = rows.column("point")
    seen = np.bitwise_or.reduceat(point_bits(point), start)[candidate]
    streams = streams[candidate]
    everywhere = np.zeros(int(streams.max()) + 1, np.int64)
    np.bitwise_or.at(everywhere, streams, seen)
    found = candidate[seen != everywhere[streams]]
    return expand(start[found], lengths(start, len(group))[found])


@dataclass(slots=True)
class _Parts:
    """m rows that may be parts of packets; all arrays (m,)."""

    group: Array
    point: Int64
    start: Int64
    end: Int64
    ip_id: Int64
    component: Int64
    """Parts whose byte ranges overlap, with equal acknowledgement and time stamps."""


def _join_segments(frames: Columns, order: Int64, group: Array, partial: Int64, stream: Array) -> Int64:
    rows = order[partial]
    key, start, end = _ranges(frames, rows, stream[partial])
    parts = _Parts(
        group[partial],
        frames["point"][rows].astype(np.int64),
        start,
        end,
        frames["ip_id"][rows].astype(np.int64),
        _components(key, start, end),
    )
    doubtful = _doubtful(parts)
    target = parts.group.copy()
    lowest = np.full(int(parts.component.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(lowest, parts.component, parts.group)
    plain = ~doubtful[parts.component]
    target[plain] = lowest[parts.component[plain]]
    for component in np.flatnonzero(doubtful).tolist():
        mine = np.flatnonzero(parts.component == component)
        target[mine] = _by_ip_id(parts, mine)
    return _renamed(group, parts.group, target)


def _ranges(frames: Columns, rows: Int64, streams: Int64) -> tuple[Array, Int64, Int64]:
    """Return a key that parts share, and the bytes each row covers, relative to its stream."""
    _, first, inverse = np.unique(streams, return_index=True, return_inverse=True)
    start = (frames["seq"][rows].astype(np.int64) - frames["seq"][rows[first]].astype(np.int64)[inverse]) % (2 * HALF)
    start = np.where(start >= HALF, start - 2 * HALF, start)
    key = mix_rows(streams.astype(np.uint64), frames["ack"][rows].astype(np.uint64), 0)
    stamps = frames["tsval"][rows].astype(np.uint64) << np.uint64(32) | frames["tsecr"][rows]
    return mix_rows(key, stamps, 1), start, start + frames["payload_len"][rows]


def _components(key: Array, start: Int64, end: Int64) -> Int64:
    """Number the sets of rows that have one key and ranges that overlap, directly or through others."""
    order = np.lexsort((-end, start, key))
    rank = np.cumsum(np.append(False, key[order][1:] != key[order][:-1]))
    low, width = int(start.min()), int(end.max()) - int(start.min()) + 1
    reach = np.maximum.accumulate(rank * width + end[order] - low)
    begins = np.append(True, (rank * width + start[order] - low)[1:] >= reach[:-1])
    component = np.empty(len(key), np.int64)
    component[order] = np.cumsum(begins) - 1
    return component


def _doubtful(parts: _Parts) -> Array:
    """Tell the components in which a point saw the same bytes twice, or IP ids are far apart: retransmissions."""
    found = np.zeros(int(parts.component.max()) + 1, bool)
    order = np.lexsort((parts.start, parts.point, parts.component))
    component, point = parts.component[order], parts.point[order]
    same = (component[1:] == component[:-1]) & (point[1:] == point[:-1])
    found[component[1:][same & (parts.start[order][1:] < parts.end[order][:-1])]] = True
    order = np.lexsort((-parts.end, parts.start, parts.component))
    component, ip_id = parts.component[order], parts.ip_id[order]
    first = np.flatnonzero(changes(component))
    distance = (ip_id - np.repeat(ip_id[first], lengths(first, len(component)))) % 65536
    found[component[distance >= MAX_PARTS]] = True
    return found


def _by_ip_id(parts: _Parts, mine: Int64) -> Int64:
    """
    Join each part to the whole it came from, where bytes were sent more than once.

    The parts of a segment have its IP id and the following ones, so a part belongs to the whole with the nearest id
    that is not above its own.
    """
    wholes: dict[int, tuple[int, int, int, set[int]]] = {}
    for i in mine.tolist():
        known = wholes.setdefault(
            int(parts.group[i]), (int(parts.start[i]), int(parts.end[i]), int(parts.ip_id[i]), set())
        )
        known[3].add(int(parts.point[i]))
    target: dict[int, int] = {}
    for group, (start, end, ip_id, points) in wholes.items():
        above = [
            ((ip_id - other_id) % 65536, other)
            for other, (other_start, other_end, other_id, other_points) in wholes.items()
            if other_start <= start and end <= other_end and other_end - other_start > end - start
            and not points & other_points
        ]  # fmt: skip
        distance, whole = min(above, default=(MAX_PARTS, group))
        target[group] = whole if distance < MAX_PARTS else group
    return np.array([target[int(parts.group[i])] for i in mine.tolist()], np.int64)


def _join_fragments(frames: Columns, order: Int64, group: Array, stream: Array) -> Int64:
    """Join all fragments of a datagram, and the datagram itself where the host has put it together."""
    if not any_has(frames["layers"], Layer.FRAGMENT):
        return group
    layers, streams = frames["layers"][order], stream.astype(np.int64)
    fragment = has(layers, Layer.FRAGMENT) & (streams >= 0)
    if not fragment.any():
        return group
    version6 = has(layers, Layer.IPV6)
    key = streams << 32 | frames["ip_id"][order]
    whole = ~fragment & ~version6 & (streams >= 0) & np.isin(key, np.unique(key[fragment & ~version6]))
    group = _join_by_key(frames, order, group, (fragment & ~version6) | whole, key)
    if (fragment & version6).any():
        key6, involved = _datagrams6(frames, order, streams, fragment & version6)
        group = _join_by_key(frames, order, group, involved, key6)
    return group


def _datagrams6(frames: Columns, order: Int64, streams: Int64, fragment: Array) -> tuple[Int64, Array]:
    """
    Return a key for each IPv6 datagram, and which rows have one.

    A host that puts fragments together and sends them on gives them another identification, and the datagram itself
    has none. So the first fragment's payload is the key, and how often its point has seen it.
    """
    digest = mix_rows(streams.astype(np.uint64), frames["digest"][order].view(np.uint64), 0).view(np.int64)
    first = fragment & (frames["frag_offset"][order] == 0)
    version6 = has(frames["layers"][order], Layer.IPV6)
    whole = version6 & ~fragment & (streams >= 0) & np.isin(digest, digest[first])
    heads = np.flatnonzero(first | whole)
    point, time_ns = frames["point"][order[heads]].astype(np.int64), frames["time_ns"][order[heads]]
    by_time = np.lexsort((time_ns, point, digest[heads]))
    again = (np.diff(digest[heads][by_time]) == 0) & (np.diff(point[by_time]) == 0)
    start = np.flatnonzero(np.append(True, ~again))
    count = np.arange(len(heads)) - np.repeat(start, lengths(start, len(heads)))
    key = np.zeros(len(order), np.int64)
    key[heads[by_time]] = mix_rows(digest[heads[by_time]].view(np.uint64), count.astype(np.uint64), 1).view(np.int64)
    places = np.flatnonzero(fragment)
    rows = order[places]
    datagram, _ = group_rows(streams[places], frames["point"][rows], frames["ip_id"][rows])
    head = nearest_first(datagram, frames["time_ns"][rows], first[places], REASSEMBLY6_NS)
    later = np.flatnonzero(~first[places] & (head >= 0))
    key[places[later]] = key[places[head[later]]]
    return key, key != 0


def _join_by_key(frames: Columns, order: Int64, group: Array, where: Array, keys: Int64) -> Int64:
    """Join the rows of one key that lie close together in time."""
    if not where.any():
        return group
    rows, groups, key = order[where], group[where], keys[where]
    time_ns = frames["time_ns"][rows]
    by_time = np.lexsort((time_ns, key))
    begins = changes(key[by_time])
    begins[1:] |= np.diff(time_ns[by_time]) > SPREAD_NS
    start = np.flatnonzero(begins)
    lowest = np.minimum.reduceat(groups[by_time], start)
    return _renamed(group, groups[by_time], np.repeat(lowest, lengths(start, len(rows))))


def _renamed(group: Array, old: Int64, new: Int64) -> Int64:
    renamed = np.arange(int(group.max()) + 1)
    np.minimum.at(renamed, old, new)
    # A group whose rows went to different places ends where the lowest of them is.
    while (renamed[renamed] != renamed).any():
        renamed = renamed[renamed]
    result: Int64 = renamed[group]
    return result
