"""The host as traffic and dumps show it: containers, their interfaces, bridges, the router between, uplinks, the world.

What was not captured but must be there, because a dump names it or a packet went through it, is a node without a
point. Edges carry what was counted at the captured end.
"""

from collections import Counter
from dataclasses import dataclass, field, fields

import numpy as np

from analyzer.link.identity import has
from analyzer.link.sorting import group_rows, values_at
from analyzer.model import Address, Basis, Point, Role, address
from analyzer.model.overview import Edge, Node, NodeKind, Topology
from analyzer.packet.context import Context
from analyzer.packet.ports import bridge_of_port
from analyzer.schema import Array, Int64, Layer

MOST_ADDRESSES = 3
MOST_SILENT = 8
"""Containers that are drawn although nothing of them was captured."""
_KINDS = {
    Role.CONTAINER: NodeKind.INTERFACE,
    Role.VETH: NodeKind.INTERFACE,
    Role.LOOPBACK: NodeKind.INTERFACE,
    Role.UNKNOWN: NodeKind.INTERFACE,
    Role.BRIDGE: NodeKind.BRIDGE,
    Role.OVERLAY: NodeKind.OVERLAY,
    Role.UPLINK: NodeKind.UPLINK,
}


@dataclass
class _Drawing:
    """Nodes and edges so far."""

    nodes: list[Node] = field(default_factory=list)
    edges: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    place: dict[tuple[NodeKind, str, str | None], int] = field(default_factory=dict)

    def node(self, node: Node) -> int:
        """Return the place of a node; the first of its kind and name on a host stays."""
        key = (node.kind, node.name, node.host)
        if key not in self.place:
            self.place[key] = len(self.nodes)
            self.nodes.append(node)
        return self.place[key]

    def join(self, a: int, b: int, volume: tuple[int, int]) -> None:
        """Draw an edge, or add to it."""
        frames, length = self.edges.get((a, b), (0, 0))
        self.edges[a, b] = frames + volume[0], length + volume[1]


@dataclass
class Volumes:
    """What was counted in parts."""

    points: Counter[int] = field(default_factory=Counter)
    """Frames by point."""
    lengths: Counter[int] = field(default_factory=Counter)
    """Bytes by point."""
    routed: Counter[int] = field(default_factory=Counter)
    """Frames by bridge, that go to the host itself or come from it; and their bytes."""
    routed_lengths: Counter[int] = field(default_factory=Counter)
    ends: Counter[tuple[str, int, int, int, int]] = field(default_factory=Counter)
    """Packets by whether their sources or targets are counted, point, IP version, and the address in halves."""
    between: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Hops from one of two points to the other."""

    def merge(self, other: "Volumes") -> None:
        """Add what was counted in other parts."""
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))

    def add(self, context: Context) -> None:
        """Count what is told in a part."""
        frames, hops = context.frames, context.own_hops
        rows = hops["row"]
        _count(self.points, self.lengths, context, rows)
        own = np.array(sorted(context.host_macs), np.int64)
        at_bridge = rows[context.with_role(rows, Role.BRIDGE)]
        routed = np.isin(frames["eth_src"][at_bridge], own) | np.isin(frames["eth_dst"][at_bridge], own)
        _count(self.routed, self.routed_lengths, context, at_bridge[routed])
        packet = hops["packet"]
        several = (np.diff(context.packet_start) > 1)[packet]
        ends = np.append(packet[1:] != packet[:-1], True) if len(packet) else several
        self._count_ends("src", context, rows[(hops["hop"] == 0) & several])
        self._count_ends("dst", context, rows[ends & (hops["hop"] > 0)])
        going = packet[1:] == packet[:-1]
        a, b = (frames["point"][rows[side][going]].astype(np.int64) for side in (slice(-1), slice(1, None)))
        keys, counts = np.unique(np.minimum(a, b) << 16 | np.maximum(a, b), return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            self.between[key >> 16, key & 0xFFFF] += count

    def _count_ends(self, end: str, context: Context, rows: Int64) -> None:
        """Count packets by the address beyond a point: sources of those that begin there, targets of those that end."""
        frames = context.frames
        for version, layer in ((4, Layer.IPV4), (6, Layer.IPV6)):
            of_version: Array = rows[has(frames["layers"][rows], layer)]
            columns = [frames[name][of_version] for name in ("point", f"{end}_hi", end)]
            group, first = group_rows(*columns) if len(of_version) else (of_version, of_version)
            counted = np.bincount(group, minlength=len(first)).tolist()
            for (point, high, low), count in zip(values_at(columns, first), counted, strict=True):
                self.ends[end, point, version, high if version == 6 else 0, low] += count

    def volume(self, point: Point) -> tuple[int, int]:
        """Return frames and bytes of a point."""
        return self.points[point.id], self.lengths[point.id]

    def addresses(self, point: Point, *, sent: bool) -> Counter[Address]:
        """Count packets by the address beyond a point; only senders, if *sent*."""
        found: Counter[tuple[int, int, int]] = Counter()
        for end in ("src",) if sent else ("src", "dst"):
            for key in sorted(key for key in self.ends if key[:2] == (end, point.id)):
                found[key[2:]] += self.ends[key]
        counted = ((address(*key), count) for key, count in found.items())
        return Counter({ip: count for ip, count in counted if not ip.is_multicast and not ip.is_link_local})


def _count(frames: Counter[int], lengths: Counter[int], context: Context, rows: Int64) -> None:
    point = context.frames["point"][rows]
    numbers = np.bincount(point)
    sizes = np.bincount(point, weights=context.frames["orig_len"][rows])
    for number in np.flatnonzero(numbers).tolist():
        frames[number] += int(numbers[number])
        lengths[number] += int(sizes[number])


def topology(context: Context, counted: Volumes) -> Topology:
    """Draw everything that is known of where packets went."""
    drawing = _Drawing()
    of_point = {p.id: drawing.node(_point_node(context, p)) for p in context.points}
    routers = {p.host: drawing.node(_router(p.host)) for p in context.points}
    volume = {point.id: counted.volume(point) for point in context.points}
    beside = bridge_of_port(context)
    tunnelled = {beside.get(point.id) for point in context.points if point.role is Role.OVERLAY}
    for point in context.points:
        here, router = of_point[point.id], routers[point.host]
        if point.role in (Role.VETH, Role.CONTAINER):
            container = drawing.node(_container(context, point, counted))
            drawing.join(container, here, volume[point.id])
            bridge = beside.get(point.id)
            if isinstance(bridge, int):
                drawing.join(here, of_point[bridge], volume[point.id])
            elif isinstance(bridge, str):
                unseen = drawing.node(_bridge(context, bridge, point.host))
                drawing.join(here, unseen, volume[point.id])
                drawing.join(unseen, router, volume[point.id])
            elif point.role is Role.VETH:
                drawing.join(here, router, volume[point.id])
            else:
                _join_outside(context, drawing, point, here, counted)
        elif point.role is Role.UPLINK:
            drawing.join(router, here, volume[point.id])
            _join_outside(context, drawing, point, here, counted)
        elif point.role is Role.BRIDGE:
            routed = counted.routed[point.id], counted.routed_lengths[point.id]
            if routed[0] or point.id not in tunnelled:
                drawing.join(here, router, routed)
        elif point.role is Role.OVERLAY:
            bridge = beside.get(point.id)
            if isinstance(bridge, int):
                drawing.join(of_point[bridge], here, volume[point.id])
            drawing.join(here, router, volume[point.id])
        else:
            drawing.join(here, router, volume[point.id])
    _between_hosts(context, drawing, of_point, counted)
    _silent_containers(context, drawing)
    _uncaptured_uplinks(context, drawing, routers)
    edges = (Edge(a, b, *counted) for (a, b), counted in drawing.edges.items())
    return Topology(tuple(drawing.nodes), tuple(edges))


def _point_node(context: Context, point: Point) -> Node:
    host = context.hosts[point.host]
    link = host.link(point.interface or point.name) or host.link(point.name)
    details = [str(ip) for ip in link.addresses if not ip.is_link_local][:MOST_ADDRESSES] if link else []
    if point.role is Role.BRIDGE and point.network and point.network != point.name:
        details.append(f"network {point.network}")
    return Node(_KINDS[point.role], point.name, point.role_basis, point.host, tuple(details), point.name)


def _router(host: str | None) -> Node:
    return Node(NodeKind.HOST, host or "host", Basis.INFERRED, host, ("routing, netfilter",))


def _container(context: Context, point: Point, counted: Volumes) -> Node:
    """Return the container behind an interface, by its name, or by the addresses it sends from."""
    known = [c for c in context.hosts[point.host].containers if c.name == point.container]
    addresses = [str(ip) for c in known for ip in c.addresses]
    if not addresses:
        addresses = [str(ip) for ip, _ in counted.addresses(point, sent=True).most_common(MOST_ADDRESSES)]
    name = point.container or f"behind {point.name}"
    basis = Basis.STATED if point.container else Basis.INFERRED
    return Node(NodeKind.CONTAINER, name, basis, point.host, tuple(addresses[:MOST_ADDRESSES]))


def _bridge(context: Context, name: str, host: str | None) -> Node:
    network = next((n for n in context.hosts[host].networks if n.bridge == name), None)
    details = [str(gateway) for gateway in network.gateways] if network else []
    details += [f"network {network.name}"] if network and network.name != name else []
    return Node(NodeKind.BRIDGE, name, Basis.STATED, host, tuple(details))


def _join_outside(context: Context, drawing: _Drawing, point: Point, here: int, counted: Volumes) -> None:
    """Draw what lies beyond an uplink: the gateway, and whom packets went to or came from."""
    beyond = counted.addresses(point, sent=False)
    host = context.hosts[point.host]
    for ip in [ip for ip in beyond if host.owns(ip)]:
        del beyond[ip]
    outside = here
    gateways = [r.gateway for r in host.routes if r.dev in (point.name, point.interface) and r.gateway]
    if gateways:
        gateway = Node(NodeKind.GATEWAY, str(gateways[0]), Basis.STATED, point.host)
        outside = drawing.node(gateway)
        drawing.join(here, outside, counted.volume(point))
        beyond.pop(gateways[0], None)
    if beyond:
        named = [str(ip) for ip, _ in beyond.most_common(MOST_ADDRESSES)]
        title = named[0] if len(beyond) == 1 else f"{len(beyond):,} addresses"
        more = named if len(beyond) > 1 else []
        remote = drawing.node(Node(NodeKind.REMOTE, title, Basis.OBSERVED, None, tuple(more)))
        drawing.join(outside, remote, (beyond.total(), 0))


def _between_hosts(context: Context, drawing: _Drawing, of_point: dict[int, int], counted: Volumes) -> None:
    """Join the uplinks between which packets went from host to host."""
    for (one, other), count in sorted(counted.between.items()):
        left, right = context.points[one], context.points[other]
        if left.host != right.host and left.role is Role.UPLINK and right.role is Role.UPLINK:
            drawing.join(of_point[left.id], of_point[right.id], (count, 0))


def _silent_containers(context: Context, drawing: _Drawing) -> None:
    """Draw containers that dumps name on a drawn bridge, although no point of theirs was captured."""
    drawn = {(node.host, node.name) for node in drawing.nodes if node.kind is NodeKind.CONTAINER}
    there = [(name, host, c) for name, host in context.hosts.by_name.items() for c in host.containers]
    for name, host, container in there[: len(drawn) + MOST_SILENT]:
        bridge = next((n.bridge for n in host.networks if n.name == container.network), None)
        node = next((n for n in drawing.nodes if n.name.removeprefix(f"{name}:") == bridge and n.host == name), None)
        if node is None or (name, container.name) in drawn:
            continue
        details = tuple(str(ip) for ip in container.addresses[:MOST_ADDRESSES])
        here = drawing.node(Node(NodeKind.CONTAINER, container.name, Basis.STATED, node.host, details))
        drawing.join(here, drawing.nodes.index(node), (0, 0))


def _uncaptured_uplinks(context: Context, drawing: _Drawing, routers: dict[str | None, int]) -> None:
    """Draw the uplinks that default routes name, where they were not captured."""
    for host, router in routers.items():
        own = [p for p in context.points if p.host == host]
        captured = {name for p in own for name in (p.name, p.interface, p.name.removeprefix(f"{host}:"))}
        for route in context.hosts[host].routes:
            if route.dst.prefixlen or route.dev is None or route.dev in captured or route.table != "main":
                continue
            uplink = drawing.node(Node(NodeKind.UPLINK, route.dev, Basis.STATED, host))
            drawing.join(router, uplink, (0, 0))
