"""What traffic tells about points whose names told nothing, and whose container is behind a veth.

Takes HOPS, gives Points with more filled in; all of it inferred. The side of a translation tells inside from outside;
among points that one bridge joins, the bridge itself is where no container's packets come from.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.decode.offsets import GROUP_BIT
from analyzer.link.identity import has
from analyzer.link.sightings import SENT
from analyzer.link.sorting import changes, count_keys, stable_order
from analyzer.model import Basis, Container, Hosts, HostState, Point, Role
from analyzer.packet.macs import MacVotes, router_macs
from analyzer.points.named import may_have_several
from analyzer.schema import Array, Columns, Int64, Layer

LOOPBACK4 = 127
SENDERS = 3
NO_INTERFACE = "which interface shows a frame: LINUX_SLL does not say, tcpdump -i any -y LINUX_SLL2 does"


def infer_points(points: Sequence[Point], traffic: "Traffic", hosts: Hosts) -> list[Point]:
    """Fill in what names did not tell."""
    found = list(points)
    if any(point.role is Role.UNKNOWN for point in found):
        roles = _roles(found, traffic)
        found = [replace(p, role=roles[p.id]) if p.role is Role.UNKNOWN else p for p in found]
        several = {p.id for p in points if p.role is Role.UNKNOWN and _has_several(p, traffic)}
        found = [replace(p, role=Role.UNKNOWN, unseen=NO_INTERFACE) if p.id in several else p for p in found]
    homes: dict[int, list[int]] = {}
    for mac, (home, _) in traffic.macs.homes(found).items():
        homes.setdefault(home, []).append(mac)
    return [_with_container(p, homes.get(p.id, []), traffic.only.get(p.id), hosts) for p in found]


@dataclass(slots=True)
class Traffic:
    """What packets show of points; counters are by point, or by the points before and after."""

    macs: "MacVotes"
    routers: set[int]
    bridged: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Frames that went on unchanged."""
    sent_on: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Others."""
    source_changed: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Only that."""
    target_changed: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Likewise."""
    crossed: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Those that came in at the one and went out at the other, as far as cooked captures tell."""
    ipv4: Counter[int] = field(default_factory=Counter)
    loopback: Counter[int] = field(default_factory=Counter)
    """Of them, those to 127.0.0.0/8."""
    senders: dict[int, set[int]] = field(default_factory=dict)
    """The first MACs, no more than SENDERS."""
    only: dict[int, set[int]] = field(default_factory=dict)
    """MACs that are in every unicast frame: the container's, and its bridge's."""

    @classmethod
    def of(cls, points: Sequence[Point], frames: Columns, hops: Columns) -> "Traffic":
        """Take what the packets of a part, by their numbers among all, show that nobody knows of *points*."""
        found = cls(MacVotes.of(frames, hops), router_macs(frames, hops))
        roles = {point.id: point.role for point in points}
        if Role.UNKNOWN in roles.values():
            found._count_hops(frames, hops)
        for number, rows in _rows_by_point(frames):
            if roles[number] is Role.UNKNOWN:
                found._look_at(number, frames, rows)
            if roles[number] in (Role.UNKNOWN, Role.VETH, Role.CONTAINER):
                found._find_only_macs(number, frames, rows)
        return found

    @classmethod
    def together(cls, parts: "Sequence[Traffic]") -> "Traffic":
        """Add up those of parts."""
        first, *others = parts
        found = replace(first, macs=MacVotes.together([one.macs for one in parts]))
        for one in others:
            found.routers |= one.routers
            for name in ("bridged", "sent_on", "source_changed", "target_changed", "crossed", "ipv4", "loopback"):
                getattr(found, name).update(getattr(one, name))
            for number, macs in one.senders.items():
                found.senders[number] = found.senders.get(number, set()) | macs
            for number, macs in one.only.items():
                found.only[number] = found.only.get(number, macs) & macs
        return found

    def _count_hops(self, frames: Columns, hops: Columns) -> None:
        row, nxt = hops["row"][:-1], hops["row"][1:]
        onward = hops["packet"][1:] == hops["packet"][:-1]
        same = (frames["eth_src"][row] == frames["eth_src"][nxt]) & (frames["eth_dst"][row] == frames["eth_dst"][nxt])
        same &= frames["ttl"][row] == frames["ttl"][nxt]  # cooked captures have no destination MAC
        a, b = frames["point"][row], frames["point"][nxt]
        source = _differs(frames, row, nxt, ("src_hi", "src", "sport", "icmp_id"))
        target = _differs(frames, row, nxt, ("dst_hi", "dst", "dport"))
        ip = onward & has(frames["layers"][row], Layer.IPV4 | Layer.IPV6)
        cooked = has(frames["layers"][row] & frames["layers"][nxt], Layer.COOKED)
        came_in, went_out = frames["direction"][row] != SENT, frames["direction"][nxt] == SENT
        for counter, where in (
            (self.bridged, onward & same),
            (self.sent_on, onward & ~same),
            (self.source_changed, ip & source & ~target),
            (self.target_changed, ip & target & ~source),
            (self.crossed, onward & cooked & came_in & went_out),
        ):
            counter.update(_pairs(a, b, where))

    def _look_at(self, number: int, frames: Columns, rows: Int64) -> None:
        ipv4 = rows[has(frames["layers"][rows], Layer.IPV4)]
        self.ipv4[number] += len(ipv4)
        self.loopback[number] += int(np.count_nonzero(frames["dst"][ipv4] >> np.uint64(24) == LOOPBACK4))
        self.senders[number] = set(np.unique(frames["eth_src"][rows])[:SENDERS].tolist())

    def _find_only_macs(self, number: int, frames: Columns, rows: Int64) -> None:
        here = rows[has(frames["layers"][rows], Layer.MAC_SRC)]
        src, dst = frames["eth_src"][here], frames["eth_dst"][here]
        unicast = np.flatnonzero(dst & GROUP_BIT == 0)
        if len(unicast):
            src, dst = src[unicast], dst[unicast]
            ends = {int(src[0]), int(dst[0])}
            self.only[number] = {mac for mac in ends if bool(((src == mac) | (dst == mac)).all())}


def _rows_by_point(frames: Columns) -> Iterator[tuple[int, Int64]]:
    """Give each point's rows, in their order."""
    point = frames["point"]
    if (point[1:] >= point[:-1]).all():  # as where every file is one point
        order = np.arange(len(point))
    else:
        order = stable_order(point)
        point = point[order]
    start = np.flatnonzero(changes(point))
    for first, rows in zip(start.tolist(), np.split(order, start[1:]) if len(start) else (), strict=True):
        yield int(point[first]), rows


@dataclass(slots=True)
class _Sides:
    """What consecutive hops tell about points: votes by point id."""

    segment: list[int]
    """Points between which frames pass unchanged, over a bridge, share a number."""
    inside: Counter[int]
    outside: Counter[int]
    at_router: Counter[int]
    """Times a packet was routed right before or after a point."""
    owners: set[int]
    """Points where packets of a MAC that is not the router's come from."""


def _roles(points: Sequence[Point], traffic: Traffic) -> dict[int, Role]:
    sides = _sides(points, traffic)
    members: dict[int, list[Point]] = {}
    for point in points:
        members.setdefault(sides.segment[point.id], []).append(point)
    bridges = {segment: _bridge_of(inside, sides) for segment, inside in members.items() if len(inside) > 1}
    return {p.id: _role(p, bridges, traffic, sides) for p in points if p.role is Role.UNKNOWN}


def _bridge_of(members: list[Point], sides: _Sides) -> int | None:
    """Return which of a segment's points is the bridge, None if none can be told."""
    named = [p for p in members if p.role is Role.BRIDGE]
    if named:
        return named[0].id
    # Containers' packets come from their veths; what the bridge sends itself, it sends as the router.
    candidates = [p for p in members if p.id not in sides.owners] or members
    bridge = max(candidates, key=lambda p: sides.at_router[p.id])
    return bridge.id if len(candidates) == 1 or sides.at_router[bridge.id] > 0 else None


def _sides(points: Sequence[Point], traffic: Traffic) -> _Sides:
    segment = list(range(len(points)))
    for left, right in traffic.bridged:
        low, high = sorted((_root(segment, left), _root(segment, right)))
        segment[high] = low
    segment = [_root(segment, point) for point in segment]
    # On the way out the source becomes the host's; on the way in the destination becomes the container's.
    homes = traffic.macs.homes(points)
    owners = {home for mac, (home, _) in homes.items() if mac not in traffic.routers}
    sides = _Sides(segment, Counter(), Counter(), Counter(), owners)
    for counted, first, second in (
        (traffic.source_changed, sides.inside, sides.outside),
        (traffic.target_changed, sides.outside, sides.inside),
    ):
        for (left, right), votes in counted.items():
            first[segment[left]] += votes
            second[segment[right]] += votes
    for (left, right), votes in traffic.sent_on.items():
        sides.at_router[left] += votes
        sides.at_router[right] += votes
    return sides


def _has_several(point: Point, traffic: Traffic) -> bool:
    """Tell whether all interfaces of a host are one point, as where ``-i any`` is recorded as LINUX_SLL."""
    return may_have_several(point) and traffic.crossed[point.id, point.id] > 0


def _root(parent: list[int], point: int) -> int:
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


def _differs(frames: Columns, row: Int64, other: Int64, names: tuple[str, ...]) -> Array:
    found: Array = np.logical_or.reduce([frames[name][row] != frames[name][other] for name in names])
    return found


def _pairs(a: Array, b: Array, where: Array) -> dict[tuple[int, int], int]:
    points = int(max(a.max(initial=0), b.max(initial=0))) + 1
    keys, counts = count_keys(a[where].astype(np.int64) * points + b[where])
    return {divmod(key, points): count for key, count in zip(keys.tolist(), counts.tolist(), strict=True)}


def _role(point: Point, bridges: dict[int, int | None], traffic: Traffic, sides: _Sides) -> Role:
    if traffic.loopback[point.id] * 2 > traffic.ipv4[point.id]:
        return Role.LOOPBACK
    segment = sides.segment[point.id]
    if sides.outside[segment] > sides.inside[segment]:
        return Role.UPLINK
    if segment not in bridges:
        if not sides.inside[segment]:
            return Role.UNKNOWN
        # A veth carries its container's MAC and the bridge's; a bridge those of all its containers.
        return Role.BRIDGE if len(traffic.senders.get(point.id, ())) > 2 else Role.VETH
    bridge = bridges[segment]  # where nobody can tell which one it is, any of them may be
    return Role.UNKNOWN if bridge is None else Role.BRIDGE if bridge == point.id else Role.VETH


def _is_own_end(point: Point, container: Container, host: HostState) -> bool:
    """
    Tell whether a point that shows one container alone is that container's own end.

    It is where nothing of the host's shows it, as of a macvlan, and where the host has no interface of that name.
    """
    network = host.network_of(container)
    if point.role is Role.UNKNOWN:
        return network is not None and network.on_parent
    name = point.interface or point.name
    named = re.fullmatch(r"eth\d+", name) is not None and bool(host.links) and host.link(name) is None
    return named and point.role is Role.VETH and point.role_basis is not Basis.STATED


def _with_container(point: Point, homes: list[int], only: set[int] | None, hosts: Hosts) -> Point:
    """Name the container whose MAC is at home at this veth, and the network of a bridge."""
    host = hosts[point.host]
    network = next((n.name for n in host.networks if n.bridge and n.bridge in (point.name, point.interface)), None)
    if network is not None:
        return replace(point, network=network)
    if point.role not in (Role.VETH, Role.CONTAINER, Role.UNKNOWN) or not hosts.everywhere.containers:
        return point
    macs = homes or sorted(only or ())
    containers = {c.name: c for c in (hosts.owner_of_mac(mac, point.host) for mac in macs) if c is not None}
    if len(containers) != 1:
        return point
    container = next(iter(containers.values()))
    role = Role.CONTAINER if _is_own_end(point, container, host) else point.role
    if role is Role.UNKNOWN:
        return point
    return replace(
        point,
        role=role,
        container=point.container or container.name,
        container_basis=Basis.STATED,
        network=container.network,
    )
