"""Where packets go on: what other packets of the connection and to the same destination did, and what routes say."""

from collections import Counter
from functools import cached_property
from typing import TypeVar

import numpy as np

from analyzer.decode.offsets import GROUP_BIT
from analyzer.link.identity import has
from analyzer.link.sorting import distinct_rows, group_mostly, group_rows, values_at
from analyzer.model import Address, Link, Point, Role, address
from analyzer.packet.context import Context
from analyzer.schema import Columns, Int64, Layer

Target = tuple[int, int, int]
"""Point, and both halves of an address."""
Key = TypeVar("Key", bound=tuple[int, ...])


def tunnel_at(context: Context, point: Point) -> Link | None:
    """Return the interface of a point inside a container, if that is a tunnel's."""
    if point.role is not Role.CONTAINER or point.container is None or point.interface is None:
        return None
    state = context.hosts[point.host].inside.get(point.container)
    link = state.link(point.interface) if state is not None else None
    return link if link is not None and link.tunnel else None


class Onward:
    """Remembers to which point packets go on from which, by connection and destination."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # Sets of points, as bits: there may be one for each direction of each connection.
        self._next_of_stream: dict[tuple[int, int, int], int] = {}
        self._before_in_stream: dict[tuple[int, int, int], int] = {}
        hops = context.hops
        place = _going(context, hops)
        point = context.frames["point"]
        ways = (hops["connection"][place], hops["reply"][place], *(point[hops["row"][place + n]] for n in (0, 1)))
        for connection, reply, here, there in distinct_rows(*ways):
            if connection >= 0:
                _add(self._next_of_stream, (connection, reply, here), there)
                _add(self._before_in_stream, (connection, reply, there), here)

    def of_stream(self, packet: int, rows: list[int]) -> set[int]:
        """Return the points to which other packets of the connection's direction went on."""
        context, hops = self._context, self._context.hops
        place = context.packet_start[packet]
        here = context.value("point", rows[-1])
        key = (int(hops["connection"][place]), bool(hops["reply"][place]), here)
        return _points(self._next_of_stream.get(key, 0)) - {context.value("point", row) for row in rows}

    def translated(self, stream: tuple[int, bool], last: int) -> bool:
        """
        Tell whether the host's address is only what NAT shows: the packet is for a container, and not there yet.

        *stream* is its connection, and whether it goes in the reply direction.
        """
        context, (number, reply) = self._context, stream
        if number < 0:
            return False
        outer, inner = self._ends(number, reply=reply)
        arrived = context.dst(last) != outer
        return outer != inner and not arrived and not context.host_at(last).owns(inner)

    def _ends(self, number: int, *, reply: bool) -> tuple[Address, Address]:
        """Return where a connection's direction goes to, before and after translation."""
        table = self._context.connections
        version = int(table["version"][number])
        outer, inner = ("reply_dst", "orig_src") if reply else ("orig_dst", "reply_src")
        one, two = (
            address(version, int(table[f"{end}_hi"][number]), int(table[end][number])) for end in (outer, inner)
        )
        return one, two

    def to_inner(self, stream: tuple[int, bool], rows: list[int], known: set[int]) -> set[int]:
        """Return where a packet goes that is to be translated: where others went, if that is *known*."""
        return (known or self.way_back(stream, rows)) - self._turned_round(stream, rows[-1])

    def _turned_round(self, stream: tuple[int, bool], last: int) -> set[int]:
        """
        Return the bridge whose ports a translated packet both comes and goes by, if that was captured.

        br_netfilter's DNAT to somebody on the same bridge leaves the packet to the bridge (br_nf_pre_routing_finish),
        which passes it on from port to port: a capture at the bridge itself does not show that.
        """
        context, (number, reply) = self._context, stream
        host, point = context.host_at(last), context.point(last)
        port = host.link(point.interface or point.name)
        if number < 0 or port is None or port.master is None:
            return set()
        chosen = context.route_to(self._ends(number, reply=reply)[1], last)
        same = chosen is not None and chosen.route.dev == port.master and chosen.route.gateway is None
        return self.by_interface(port.master, last) if same else set()

    def by_interface(self, name: str | None, row: int) -> set[int]:
        """Return the point of an interface of the host that a row was seen on."""
        points, host = self._context.points, self._context.point(row).host
        return {p.id for p in points if name is not None and name in (p.name, p.interface) and p.host == host}

    def ports_of(self, point: Point) -> set[int]:
        """Return the captured ports of an uplink that is a bridge itself."""
        return self._members.get((point.host, point.interface or point.name), set())

    @cached_property
    def _members(self) -> dict[tuple[str | None, str], set[int]]:
        """Captured ports by host, and the name of the interface that is their bridge."""
        found: dict[tuple[str | None, str], set[int]] = {}
        for point in self._context.points:
            link = self._context.hosts[point.host].link(point.interface or point.name)
            if link is not None and link.master:
                found.setdefault((point.host, link.master), set()).add(point.id)
        return found

    def has_all_ports(self, point: Point) -> bool:
        """Tell whether every port of a bridge was captured: what leaves it must be seen at one of them."""
        name = point.interface or point.name
        ports = [link for link in self._context.hosts[point.host].links if link.master == name]
        return len(self.ports_of(point)) == len(ports)

    def into_container(self, rows: list[int]) -> set[int]:
        """Return the container's own end behind the veth that saw a packet last, if that was captured."""
        last = self._context.point(rows[-1])
        behind = {
            p.id for p in self._inner_ends if p.container == last.container is not None and p.network == last.network
        }
        return behind - {self._context.value("point", row) for row in rows} if behind else behind

    @cached_property
    def _inner_ends(self) -> list[Point]:
        return [point for point in self._context.points if point.role is Role.CONTAINER]

    def way_back(self, stream: tuple[int, bool], rows: list[int]) -> set[int]:
        """Return the points by which the connection's other direction came to where this packet was seen last."""
        context, (number, reply) = self._context, stream
        came = _points(self._before_in_stream.get((number, not reply, context.value("point", rows[-1])), 0))
        return came - {context.value("point", row) for row in rows}

    def to_target(self, rows: list[int]) -> set[int]:
        """Return the points to which packets to the same address went on, or a recorded route leads."""
        context, last = self._context, rows[-1]
        target = (
            context.value("point", last),
            int(context.frames["dst_hi"][last]),
            int(context.frames["dst"][last]),
        )
        found = _points(context.all.targets.get(target, 0)) or self._by_mac(last) or self._by_route(last)
        return found - {context.value("point", row) for row in rows}

    def _by_mac(self, row: int) -> set[int]:
        """Return the port behind which a frame's receiver is at home."""
        context = self._context
        mac = context.value("eth_dst", row)
        if not context.layers(row) & Layer.MAC_DST or mac in context.host_macs:
            return set()
        home = self._ports.get(mac)
        owner = context.owner_of_mac(mac, row)
        at_home = home is not None and (owner is None or context.points[home].container in (owner.name, None))
        return {home} if home is not None and at_home else set()

    @cached_property
    def _ports(self) -> dict[int, int]:
        """
        Ports by the MACs that all their frames to one receiver come from.

        A frame whose own port is not captured is seen first wherever it was flooded to, and does not show its home.
        """
        pairs = sorted(self._context.all.senders)
        homes = Counter(mac for mac, _ in pairs)
        inside = {point.id for point in self._context.points if point.role in (Role.VETH, Role.CONTAINER)}
        return {mac: point for mac, point in pairs if homes[mac] == 1 and point in inside}

    def _by_route(self, row: int) -> set[int]:
        """Return the uplink that a recorded route names for the destination."""
        dst = self._context.dst(row)
        chosen = self._context.route_to(dst, row) if dst is not None else None
        if dst is None or chosen is None or dst.is_multicast or self._context.host_at(row).owns(dst):
            return set()
        there = self.by_interface(chosen.route.dev, row)
        return {point for point in there if self._context.points[point].role is Role.UPLINK}


def _going(context: Context, hops: Columns) -> Int64:
    """Return the places in *hops* after which a packet goes on to another hop."""
    # Fragments and segments of one hop stay where they are.
    going = (hops["packet"][1:] == hops["packet"][:-1]) & (hops["hop"][1:] != hops["hop"][:-1])
    return np.flatnonzero(going & ~context.strays[hops["row"][1:]])


def targets(context: Context) -> dict[Target, int]:
    """Return to which points the packets that are told here went on, by point and address, as bits."""
    hops, frames = context.own_hops, context.frames
    place = _going(context, hops)
    row, nxt, high, low = hops["row"][place], hops["row"][place + 1], frames["dst_hi"], frames["dst"]
    # Where a port is published, only its own connections go on from the host's address. What is flooded goes
    # everywhere: it does not show where others go.
    flooded = (frames["eth_dst"][row] & GROUP_BIT != 0) | has(frames["layers"][row], Layer.NEIGHBOUR)
    shows = np.flatnonzero(~flooded & (high[row] == high[nxt]) & (low[row] == low[nxt]))
    row, nxt = row[shows], nxt[shows]
    found: dict[Target, int] = {}
    # Packets of one direction have one target: most rows fall to their connection.
    ways = hops["connection"][place[shows]], hops["reply"][place[shows]], frames["point"][row], frames["point"][nxt]
    ends = high[row], low[row]
    _, first = group_mostly(ways, ends)
    for *_, here, there, end_high, end_low in values_at((*ways, *ends), first):
        _add(found, (here, end_high, end_low), there)
    return found


def senders(context: Context) -> set[tuple[int, int]]:
    """Return MACs, and points where unicast packets from them that are told here were seen first."""
    frames, row = context.frames, _first_rows(context)
    row = row[has(frames["layers"][row], Layer.MAC_SRC) & (frames["eth_dst"][row] & GROUP_BIT == 0)]
    return {(mac, point) for mac, point in distinct_rows(frames["eth_src"][row], frames["point"][row])}


def addresses(context: Context, points: Int64) -> dict[tuple[int, int, int], int]:
    """Return by address and which of *points* saw packets from it first: the number of the first that is told here."""
    frames, row = context.frames, _first_rows(context)
    here = np.isin(frames["point"][row], points)
    row, numbers = row[here], context.numbers[context.mine][here]
    columns = [frames[name][row] for name in ("src_hi", "src", "point")]
    _, first = group_rows(*columns) if len(row) else (row, row)
    return {(high, low, point): number for high, low, point, number in values_at((*columns, numbers), first)}


def _first_rows(context: Context) -> Int64:
    found: Int64 = context.hops["row"][context.packet_start[:-1]]
    return found[context.mine]


def _add(points: dict[Key, int], key: Key, point: int) -> None:
    points[key] = points.get(key, 0) | 1 << point


def _points(bits: int) -> set[int]:
    """Return the points that are set as bits."""
    found = set()
    while bits:
        found.add((bits & -bits).bit_length() - 1)
        bits &= bits - 1
    return found
