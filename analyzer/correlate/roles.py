"""What traffic tells about points whose names told nothing, and whose container is behind a veth.

Takes HOPS, gives Points with more filled in; all of it inferred. The side of a translation tells inside from outside;
among the inside points, the bridge is the one that shares packets with several others, or comes second on the way out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analyzer.correlate.identity import has
from analyzer.model import Basis, HostState, Point, Role
from analyzer.schema import Array, Columns, Int64, Layer

LOOPBACK4 = 127


def infer_points(points: Sequence[Point], frames: Columns, hops: Columns, host: HostState) -> list[Point]:
    """Fill in times, counts, and what names did not tell."""
    found = [_counted(point, frames) for point in points]
    if any(point.role is Role.UNKNOWN for point in found):
        roles = _roles(found, frames, hops)
        found = [replace(p, role=roles[p.id]) if p.role is Role.UNKNOWN else p for p in found]
    owners = first_seen_macs(frames, hops, found)
    return [_with_container(point, owners, frames, host) for point in found]


def _counted(point: Point, frames: Columns) -> Point:
    times = frames["time_ns"][frames["point"] == point.id]
    if not len(times):
        return point
    return replace(point, frames=len(times), first_ns=int(times.min()), last_ns=int(times.max()))


def _roles(points: Sequence[Point], frames: Columns, hops: Columns) -> dict[int, Role]:
    inside, outside = Counter[int](), Counter[int]()
    shared: dict[int, set[int]] = {point.id: set() for point in points}
    before = Counter[tuple[int, int]]()
    row, nxt = hops["row"][:-1], hops["row"][1:]
    pairs = (hops["packet"][1:] == hops["packet"][:-1]) & has(frames["layers"][row], Layer.IPV4 | Layer.IPV6)
    a, b = frames["point"][row], frames["point"][nxt]
    src_changed = _differs(frames, row, nxt, ("src_hi", "src", "sport", "icmp_id"))
    dst_changed = _differs(frames, row, nxt, ("dst_hi", "dst", "dport"))
    reply = hops["reply"][:-1]
    # On the way out the source is translated to the host's; on the way in, the destination to the container's.
    outward = pairs & np.where(reply, src_changed, src_changed & ~dst_changed)
    inward = pairs & dst_changed & ~src_changed
    for left, right in _counted_pairs(a, b, outward):
        inside[left] += 1
        outside[right] += 1
    for left, right in _counted_pairs(a, b, inward):
        outside[left] += 1
        inside[right] += 1
    bridged = pairs & (frames["ttl"][row] == frames["ttl"][nxt]) & (frames["eth_dst"][row] == frames["eth_dst"][nxt])
    for left, right in _counted_pairs(a, b, bridged):
        shared[left].add(right)
        shared[right].add(left)
        before[left, right] += 1
    return {point.id: _role(point.id, points, frames, inside, outside, shared, before) for point in points}


def _differs(frames: Columns, row: Int64, other: Int64, names: tuple[str, ...]) -> Array:
    found: Array = np.logical_or.reduce([frames[name][row] != frames[name][other] for name in names])
    return found


def _counted_pairs(a: Array, b: Array, where: Array) -> list[tuple[int, int]]:
    return [(key >> 16, key & 0xFFFF) for key in np.unique(a[where].astype(np.int64) << 16 | b[where]).tolist()]


def _role(
    point: int,
    points: Sequence[Point],
    frames: Columns,
    inside: Counter[int],
    outside: Counter[int],
    shared: dict[int, set[int]],
    before: Counter[tuple[int, int]],
) -> Role:
    rows = np.flatnonzero(frames["point"] == point)
    ipv4 = has(frames["layers"][rows], Layer.IPV4)
    if ipv4.any() and (frames["dst"][rows[ipv4]] >> np.uint64(24) == LOOPBACK4).mean() > 0.5:
        return Role.LOOPBACK
    if outside[point] > inside[point]:
        return Role.UPLINK
    known = {p.id: p.role for p in points}
    partners = shared[point]
    if len(partners) > 1:
        return Role.BRIDGE
    if partners:
        other = next(iter(partners))
        if known[other] is Role.BRIDGE:
            return Role.VETH
        if known[other] is Role.VETH:
            return Role.BRIDGE
        return Role.VETH if before[point, other] >= before[other, point] else Role.BRIDGE
    return Role.VETH if inside[point] else Role.UNKNOWN


def first_seen_macs(frames: Columns, hops: Columns, points: Sequence[Point]) -> dict[int, tuple[int, int]]:
    """
    Tell where each MAC is at home.

    Returns:
        MAC to (point, frame number): where its packets come from, and the first frame that shows it. Only packets
        that several points saw show a direction; where one point is all there is, only ARP shows it.
    """
    votes: dict[int, Counter[int]] = {}
    example: dict[tuple[int, int], int] = {}
    packet = hops["packet"]
    first = hops["hop"] == 0
    travels = np.append(packet[1:] == packet[:-1], False) & first
    rows = hops["row"][travels]
    rows = rows[has(frames["layers"][rows], Layer.MAC_SRC)]
    keys = frames["eth_src"][rows] << 15 | frames["point"][rows]
    unique, index, counts = np.unique(keys, return_index=True, return_counts=True)
    for key, place, count in zip(unique.tolist(), index.tolist(), counts.tolist(), strict=True):
        mac, point = key >> 15, key & 0x7FFF
        votes.setdefault(mac, Counter())[point] += count
        example[mac, point] = int(frames["frame"][rows[place]])
    ranks = {point.id: list(Role).index(point.role) for point in points}
    homes: dict[int, tuple[int, int]] = {}
    for mac, counter in votes.items():
        best = max(counter, key=lambda p: (counter[p], -ranks.get(p, 0)))
        homes[mac] = best, example[mac, best]
    return homes


def _with_container(point: Point, owners: dict[int, tuple[int, int]], frames: Columns, host: HostState) -> Point:
    """Name the container whose MAC is at home at this veth, and the network of a bridge."""
    network = next((n.name for n in host.networks if n.bridge and n.bridge in (point.name, point.interface)), None)
    if network is not None:
        return replace(point, network=network)
    if point.role not in (Role.VETH, Role.CONTAINER):
        return point
    macs = [mac for mac, (home, _) in owners.items() if home == point.id]
    if not macs:
        macs = _only_macs(point, frames)
    containers = {c.name: c for c in (host.container_of_mac(mac) for mac in macs) if c is not None}
    if len(containers) != 1:
        return point
    container = next(iter(containers.values()))
    basis = point.container_basis if point.container_basis is Basis.STATED else Basis.STATED
    return replace(point, container=point.container or container.name, container_basis=basis, network=container.network)


def _only_macs(point: Point, frames: Columns) -> list[int]:
    """Return the MACs that are in every unicast frame of a point: the container's, and its bridge's."""
    here = (frames["point"] == point.id) & has(frames["layers"], Layer.MAC_SRC)
    src, dst = frames["eth_src"][here], frames["eth_dst"][here]
    unicast = dst >> 40 & 1 == 0
    candidates = np.unique(src).tolist()
    return [mac for mac in candidates if ((src == mac) | (dst == mac))[unicast].all()]
