"""Where packets go on: what other packets of the connection and to the same destination did, and what routes say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import group_mostly, group_rows
from analyzer.model import Point, Role, address
from analyzer.schema import Array, Layer
from analyzer.trace.context import Context

MULTICAST = 1 << 40
"""Group bit of a destination MAC."""


class Onward:
    """Remembers where packets begin, and to which point they go on from which, by connection and destination."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._next_of_stream: dict[tuple[int, int, int], set[int]] = defaultdict(set)
        self._next_of_target: dict[tuple[int, int, int], set[int]] = defaultdict(set)
        self._before_in_stream: dict[tuple[int, int, int], set[int]] = defaultdict(set)
        self._first_of_stream: dict[tuple[int, int], set[int]] = defaultdict(set)
        hops = context.hops
        point = context.frames["point"][hops["row"]]
        starts = context.packet_start[:-1]
        begins = (hops["connection"][starts], hops["reply"][starts], point[starts])
        for connection, reply, here in _distinct(begins):
            if connection >= 0:
                self._first_of_stream[connection, reply].add(here)
        # Fragments and segments of one hop stay where they are.
        going = (hops["packet"][1:] == hops["packet"][:-1]) & (hops["hop"][1:] != hops["hop"][:-1])
        place = np.flatnonzero(going & ~context.strays[hops["row"][1:]])
        row, nxt = hops["row"][place], hops["row"][place + 1]
        ways = (hops["connection"][place], hops["reply"][place], point[place], point[place + 1])
        for connection, reply, here, there in _distinct(ways):
            if connection >= 0:
                self._next_of_stream[connection, reply, here].add(there)
                self._before_in_stream[connection, reply, there].add(here)
        # Where a port is published, only its own connections go on from the host's address. What is flooded goes
        # everywhere: it does not show where others go.
        high, low = (context.frames[name] for name in ("dst_hi", "dst"))
        flooded = (context.frames["eth_dst"][row] & MULTICAST != 0) | has(
            context.frames["layers"][row], Layer.NEIGHBOUR
        )
        shows = ~flooded & (high[row] == high[nxt]) & (low[row] == low[nxt])
        _, first = group_mostly(ways, [high[row], low[row], shows])
        first = first[shows[first]]
        targets = (point[place[first]], high[row[first]], low[row[first]], point[place[first] + 1])
        for here, of_high, of_low, there in zip(*(column.tolist() for column in targets), strict=True):
            self._next_of_target[here, of_high, of_low].add(there)

    def host_answers(self, packet: int, last: int) -> bool:
        """Tell whether the connection's other direction begins here, at an interface of the host's own."""
        context, hops = self._context, self._context.hops
        place = context.packet_start[packet]
        other = (int(hops["connection"][place]), not bool(hops["reply"][place]))
        mine = context.value("eth_dst", last) in context.host_macs
        return mine and self._first_of_stream.get(other) == {context.value("point", last)}

    def of_stream(self, packet: int, rows: list[int]) -> set[int]:
        """Return the points to which other packets of the connection's direction went on."""
        context, hops = self._context, self._context.hops
        place = context.packet_start[packet]
        here = context.value("point", rows[-1])
        key = (int(hops["connection"][place]), bool(hops["reply"][place]), here)
        return self._next_of_stream.get(key, set()) - {context.value("point", row) for row in rows}

    def translated(self, packet: int, last: int) -> bool:
        """Tell whether the host's address is only what NAT shows: the packet is for a container, and not there yet."""
        context, place = self._context, int(self._context.packet_start[packet])
        number = int(context.hops["connection"][place])
        if number < 0:
            return False
        outer, inner = ("reply_dst", "orig_src") if context.hops["reply"][place] else ("orig_dst", "reply_src")
        row = {name: int(context.connections[name][number]) for name in (outer, inner, f"{outer}_hi", f"{inner}_hi")}
        moved = (row[outer], row[f"{outer}_hi"]) != (row[inner], row[f"{inner}_hi"])
        arrived = (context.value("dst", last), context.value("dst_hi", last)) != (row[outer], row[f"{outer}_hi"])
        target = address(6 if row[f"{inner}_hi"] else 4, row[f"{inner}_hi"], row[inner])
        return moved and not arrived and not context.host.owns(target)

    def by_interface(self, name: str | None) -> set[int]:
        """Return the point of a host's interface."""
        return {p.id for p in self._context.points if name is not None and name in (p.name, p.interface)}

    def ports_of(self, point: Point) -> set[int]:
        """Return the captured ports of an uplink that is a bridge itself."""
        return self._members.get(point.interface or point.name, set())

    @cached_property
    def _members(self) -> dict[str, set[int]]:
        """Captured ports by the name of the interface that is their bridge."""
        masters = {link.name: link.master for link in self._context.host.links}
        found: dict[str, set[int]] = {}
        for point in self._context.points:
            if master := masters.get(point.interface or point.name):
                found.setdefault(master, set()).add(point.id)
        return found

    def has_all_ports(self, point: Point) -> bool:
        """Tell whether every port of a bridge was captured: what leaves it must be seen at one of them."""
        name = point.interface or point.name
        ports = [link for link in self._context.host.links if link.master == name]
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

    def way_back(self, packet: int, rows: list[int]) -> set[int]:
        """Return the points by which the connection's other direction came to where this packet was seen last."""
        context, place = self._context, int(self._context.packet_start[packet])
        number, reply = int(context.hops["connection"][place]), bool(context.hops["reply"][place])
        came = self._before_in_stream.get((number, not reply, context.value("point", rows[-1])), set())
        return came - {context.value("point", row) for row in rows}

    def to_target(self, rows: list[int]) -> set[int]:
        """Return the points to which packets to the same address went on, or a recorded route leads."""
        context, last = self._context, rows[-1]
        target = (
            context.value("point", last),
            int(context.frames["dst_hi"][last]),
            int(context.frames["dst"][last]),
        )
        found = self._next_of_target.get(target, set()) or self._by_mac(last) or self._by_route(last)
        return found - {context.value("point", row) for row in rows}

    def _by_mac(self, row: int) -> set[int]:
        """Return the port behind which a frame's receiver is at home."""
        context = self._context
        mac = context.value("eth_dst", row)
        if not context.layers(row) & Layer.MAC_DST or mac in context.host_macs:
            return set()
        home = self._ports.get(mac)
        owner = context.host.container_of_mac(mac)
        at_home = home is not None and (owner is None or context.points[home].container in (owner.name, None))
        return {home} if home is not None and at_home else set()

    @cached_property
    def _ports(self) -> dict[int, int]:
        """
        Ports by the MACs that all their frames to one receiver come from.

        A frame whose own port is not captured is seen first wherever it was flooded to, and does not show its home.
        """
        context = self._context
        frames, row = context.frames, context.hops["row"][context.packet_start[:-1]]
        row = row[has(frames["layers"][row], Layer.MAC_SRC) & (frames["eth_dst"][row] & MULTICAST == 0)]
        pairs = np.unique(np.stack([frames["eth_src"][row], frames["point"][row].astype(np.int64)]), axis=1)
        macs, counts = np.unique(pairs[0], return_counts=True)
        alone = set(macs[counts == 1].tolist())
        inside = {point.id for point in context.points if point.role in (Role.VETH, Role.CONTAINER)}
        return {mac: point for mac, point in pairs.T.tolist() if mac in alone and point in inside}

    def _by_route(self, row: int) -> set[int]:
        """Return the uplink that a recorded route names for the destination."""
        dst = self._context.dst(row)
        chosen = self._context.route_to(dst) if dst is not None else None
        if dst is None or chosen is None or dst.is_multicast or self._context.host.owns(dst):
            return set()
        return {
            p.id for p in self._context.points if chosen.route.dev in (p.name, p.interface) and p.role is Role.UPLINK
        }


def _distinct(columns: Sequence[Array]) -> Iterator[tuple[int, ...]]:
    """Give each combination of values once."""
    _, first = group_rows(*columns)
    return zip(*(column[first].tolist() for column in columns), strict=True)
