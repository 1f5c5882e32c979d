"""Everything a journey is told from, and the lookups that all its parts share, each made when first needed."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer.link.clock import Apart
from analyzer.link.sightings import point_bits
from analyzer.link.sorting import changes, stable_order
from analyzer.model import Address, Container, Evidence, Hosts, HostState, Point, Role, address
from analyzer.packet.connections import Doubts
from analyzer.schema import (
    CONNECTIONS,
    FRAMES,
    HOPS,
    NEIGHBOURS,
    QUOTES,
    TUNNELS,
    Addresses,
    Array,
    Columns,
    Int64,
    Layer,
)
from analyzer.state.routing import Chosen, Sought, choose

if TYPE_CHECKING:
    from analyzer.packet.known import Known
    from analyzer.packet.two_clocks import Pair

CONTENT = ("proto", "ip_id", "ip_len", "payload_len", "seq", "icmp_seq", "digest")
"""What equal packets have in common."""
FRESH_TTLS = (64, 128, 255)
"""With what systems send (net.ipv4.ip_default_ttl, IPDEFTTL, and others)."""
NEAR_NS = 3_500_000_000
MOST_ALIKE = 16


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of all packets there is; without anything said, all of them."""

    mine: Array | None = None
    """(packets,) bool: each is told here. Name servers' and neighbours' messages are in every part, for whoever asks,
    and told in one."""
    numbers: Int64 | None = None
    """(packets,) The number of each among all packets."""
    connections: Int64 | None = None
    """(connections,) The number of each among all connections."""
    rows: Int64 | None = None
    """(n,) The row of each frame among all."""
    end_ns: int | None = None
    """Until when captures ran."""


@dataclass
class Context:
    """Tables of one analysis; columns as schema.py documents them."""

    frames: Columns
    quotes: Columns
    neighbours: Columns
    tunnels: Columns
    hops: Columns
    connections: Columns
    points: list[Point]
    hosts: Hosts = field(default_factory=Hosts)
    doubts: Doubts = field(default_factory=Doubts)
    """What is not sure of connections."""
    apart: list[Apart] = field(default_factory=list)
    """Points whose times fit only with an offset that no packet takes."""
    share: Share = field(default_factory=Share)
    """Which share of all packets these are."""
    known: "Known | None" = None
    """What all packets together tell; without anything said, these are all."""
    _routes: dict[tuple[str | None, Address], Chosen | None] = field(default_factory=dict)
    _masqueraded: dict[str | None, dict[tuple[object, ...], Address]] = field(default_factory=dict)
    _of_role: dict[tuple[Role, ...], Array] = field(default_factory=dict)

    @classmethod
    def without_frames(cls, points: list[Point], hosts: Hosts) -> "Context":
        """Return what points and hosts tell by themselves."""
        frames, quotes, neighbours, tunnels, hops, connections = (
            table.empty(0) for table in (FRAMES, QUOTES, NEIGHBOURS, TUNNELS, HOPS, CONNECTIONS)
        )
        return cls(frames, quotes, neighbours, tunnels, hops, connections, points, hosts)

    def without_packets(self) -> "Context":
        """Return what points and hosts tell by themselves, and all packets together."""
        found = Context.without_frames(self.points, self.hosts)
        found.apart = self.apart
        return found

    @cached_property
    def packet_start(self) -> Int64:
        """(packets + 1,) Where each packet begins in HOPS."""
        packet = self.hops["packet"]
        return np.append(np.flatnonzero(changes(packet)), len(packet))

    @cached_property
    def hop_start(self) -> Int64:
        """Where each hop of a packet begins in HOPS: it has several rows where it is fragmented or segmented."""
        return np.flatnonzero(changes(self.hops["packet"], self.hops["hop"]))

    def crossings(self) -> tuple[Int64, Int64]:
        """Return rows of FRAMES: the first of each hop after which its packet was seen again, and the next hop's."""
        start, packet, row = self.hop_start, self.hops["packet"], self.hops["row"]
        place = np.flatnonzero(packet[start[1:]] == packet[start[:-1]])
        return row[start[place]], row[start[place + 1]]

    @cached_property
    def points_seen(self) -> Int64:
        """(packets,) The points that saw each, as bits; from the 64th on they share bits with the first ones."""
        bits = point_bits(self.frames["point"][self.hops["row"]])
        return np.bitwise_or.reduceat(bits, self.packet_start[:-1]) if self.packets else bits

    def with_role(self, rows: Int64, *roles: Role) -> Array:
        """Tell which rows of FRAMES are of points of some role."""
        if roles not in self._of_role:
            self._of_role[roles] = np.array([point.role in roles for point in self.points], bool)
        found: Array = self._of_role[roles][self.frames["point"][rows]]
        return found

    @property
    def packets(self) -> int:
        """Number of packets."""
        return len(self.packet_start) - 1

    @cached_property
    def mine(self) -> Array:
        """(packets,) bool: each is told here; what is told elsewhere is here because others need it."""
        found = self.share.mine
        return np.ones(self.packets, bool) if found is None else found

    @cached_property
    def numbers(self) -> Int64:
        """(packets,) The number of each among all packets."""
        found = self.share.numbers
        return np.arange(self.packets) if found is None else found

    @cached_property
    def own_hops(self) -> Columns:
        """HOPS of the packets that are told here."""
        if self.share.mine is None:
            return self.hops
        places = np.flatnonzero(self.share.mine[self.hops["packet"]])
        return {name: column[places] for name, column in self.hops.items()}

    @cached_property
    def end_ns(self) -> int:
        """Time of the last frame of all, or until when a manifest says that captures ran."""
        if self.share.end_ns is not None:
            return self.share.end_ns
        times = self.frames["time_ns"]
        said = [point.recorded_until_ns for point in self.points if point.recorded_until_ns is not None]
        return max([*said, int(times.max()) if len(times) else 0])

    @cached_property
    def own_rows(self) -> Int64:
        """Rows of FRAMES that show the packets that are told here, in order."""
        return np.sort(self.own_hops["row"])

    def connection_id(self, number: Int64) -> Int64:
        """Return what connections are called among all, -1 for none."""
        return number if self.share.connections is None else np.append(self.share.connections, -1)[number]

    @cached_property
    def all(self) -> "Known":
        """What all packets together tell."""
        from analyzer.packet.known import Known  # noqa: PLC0415

        return self.known or Known.of([self])

    @property
    def two_clocks(self) -> "list[Pair]":
        """Points that have two clocks, although nobody said that they are of two hosts."""
        return self.all.two_clocks

    def masqueraded(self, row: int) -> dict[tuple[object, ...], Address]:
        """Return whom answers go to by conntrack's listing: by protocol, ends, ports, and the echo's identifier."""
        host = self.host_at(row)
        if host.name not in self._masqueraded:
            entries = [(entry.reply, entry.original.src) for entry in host.conntrack]
            self._masqueraded[host.name] = {
                (to.protocol, to.src, to.dst, to.sport, to.dport, to.icmp_id): inside
                for to, inside in entries
                if inside != to.dst
            }
        return self._masqueraded[host.name]

    def made_by_host(self, row: int) -> bool:
        """Tell whether a frame looks like the host's own: from a MAC of it, with a TTL that no router counted down."""
        return self.value("eth_src", row) in self.host_macs and self.value("ttl", row) in FRESH_TTLS

    def apart_in_time(self, one: int, two: int) -> bool:
        """Tell whether two points have two clocks."""
        return any({one, two} == {pair.first, pair.second} for pair in self.two_clocks)

    def rows_of(self, packet: int) -> list[int]:
        """Return the rows of FRAMES of one packet, in the order of its way."""
        found: list[int] = self.hops["row"][self.packet_start[packet] : self.packet_start[packet + 1]].tolist()
        return found

    def hop_rows(self, packet: int) -> list[int]:
        """Return one row of FRAMES a hop of a packet: the first, where it is fragmented or segmented."""
        start, stop = self.packet_start[packet], self.packet_start[packet + 1]
        if self.hops["hop"][stop - 1] == stop - start - 1:  # each hop is one frame
            return self.rows_of(packet)
        found: list[int] = self.hops["row"][start:stop][changes(self.hops["hop"][start:stop])].tolist()
        return found

    @cached_property
    def packet_of_row(self) -> Int64:
        """(n,) Packet of each row of FRAMES."""
        found = np.empty(len(self.hops["row"]), np.int64)
        found[self.hops["row"]] = self.hops["packet"]
        return found

    @cached_property
    def _by_connection(self) -> tuple[Int64, Int64]:
        """Packets, sorted by connection and time, and (connections + 1,) where each connection's begin."""
        connection = self.hops["connection"][self.packet_start[:-1]].astype(np.int64)
        order = stable_order(connection + 1)
        return order, np.searchsorted(connection[order], np.arange(len(self.connections["proto"]) + 1))

    def packets_of(self, connection: int) -> Int64:
        """Return the packets of a connection, in order of time."""
        order, start = self._by_connection
        return order[start[connection] : start[connection + 1]]

    @property
    def homes(self) -> dict[int, tuple[int, int]]:
        """Where packets from each MAC come from: point and frame."""
        return self.all.homes

    @cached_property
    def host_macs(self) -> set[int]:
        """
        MACs of the host's own routed interfaces: those that change where a packet is routed.

        A veth is one of them if it is no port of a bridge: its frames go up to the host.
        A hairpin may be routed although it has the container's MAC already: br_netfilter gave it that.
        """
        containers = {container.mac for container in self.hosts.everywhere.containers}
        links = (link for host in self.hosts.states for link in host.links)
        own = {link.mac for link in links if link.mac and (link.kind != "veth" or link.master is None)}
        return self.all.routers - containers | own

    @cached_property
    def strays(self) -> Array:
        """
        (n,) bool: rows at a container's port whose receiver is another container, by Docker's MACs.

        A bridge that does not know a MAC floods its frames: they say nothing of where the packet goes. A port of which
        nobody knows whose it is, is not that of a container whose own was captured.
        """
        found = np.zeros(len(self.frames["frame"]), bool)
        named = {(point.host, point.container) for point in self.points if point.role in (Role.VETH, Role.CONTAINER)}
        for point in self.points:
            owners = {c.mac: c.name for c in self.hosts[point.host].containers if c.mac is not None}
            known = point.container in owners.values()
            if point.role in (Role.VETH, Role.CONTAINER) and (known or point.container is None):
                others = [
                    mac
                    for mac, name in owners.items()
                    if name != point.container and (known or (point.host, name) in named)
                ]
                found |= (self.frames["point"] == point.id) & np.isin(
                    self.frames["eth_dst"], np.array(others, np.int64)
                )
        first = np.zeros(len(found), bool)
        first[self.hops["row"][self.packet_start[:-1]]] = True
        return found & ~first

    @cached_property
    def source_moved(self) -> Array:
        """(connections,) bool: NAT gives another source address."""
        return self._moved("orig_src", "reply_dst")

    @cached_property
    def target_moved(self) -> Array:
        """(connections,) bool: NAT gives another destination address."""
        return self._moved("orig_dst", "reply_src")

    def _moved(self, before: str, after: str) -> Array:
        table = self.connections
        found: Array = ~Addresses.of(table, before).same(Addresses.of(table, after))
        return found

    def host_at(self, row: int) -> HostState:
        """Return what was recorded of the host that a row was seen on."""
        return self.hosts[self.point(row).host]

    def route_to(self, ip: Address, row: int) -> Chosen | None:
        """Return the recorded route for an address on the host that a row was seen on; each is looked up once."""
        key = self.point(row).host, ip
        if key not in self._routes:
            chosen = choose(self.host_at(row), Sought(ip))
            self._routes[key] = chosen if chosen is not None and chosen.route.kind == "unicast" else None
        return self._routes[key]

    def owner_of_mac(self, mac: int, row: int) -> Container | None:
        """Return whose a MAC is that is seen in a row."""
        return self.hosts.owner_of_mac(mac, self.point(row).host)

    def owner_of_address(self, ip: Address, row: int) -> Container | None:
        """Return whose an address is that is seen in a row."""
        return self.hosts.owner_of_address(ip, self.point(row).host)

    def layers(self, row: int) -> int:
        """Return the layers of a row."""
        found: int = self.frames["layers"].item(row)
        return found

    def src(self, row: int) -> Address | None:
        """Return a row's source address."""
        return self._address(row, "src")

    def dst(self, row: int) -> Address | None:
        """Return a row's destination address."""
        return self._address(row, "dst")

    def _address(self, row: int, name: str) -> Address | None:
        layers = self.layers(row)
        if layers & Layer.IPV6:
            return address(6, self.value(f"{name}_hi", row), self.value(name, row))
        return address(4, 0, self.value(name, row)) if layers & (Layer.IPV4 | Layer.ARP) else None

    def point(self, row: int) -> Point:
        """Return the point of a row."""
        number: int = self.frames["point"].item(row)
        return self.points[number]

    def value(self, name: str, row: int) -> int:
        """Return one value of FRAMES."""
        found: int = self.frames[name].item(row)
        return found

    def evidence(self, row: int) -> Evidence:
        """Return a row as evidence."""
        return Evidence(self.point(row).name, self.value("frame", row))

    def latency(self, before: int, after: int) -> tuple[int | None, int | None]:
        """Return the time from one row to another, and its uncertainty if they are of two hosts; None if unknown."""
        latency = self.value("time_ns", after) - self.value("time_ns", before)
        points = self.point(before), self.point(after)
        if latency < 0:  # recorded late, after the packet had gone on: no time that it took
            return None, None
        if points[0].host == points[1].host:
            return latency, None
        doubts = [point.clock.uncertainty_ns for point in points if point.clock is not None]
        known = [doubt for doubt in doubts if doubt is not None]
        if len(known) < len(doubts) or not doubts:
            return None, None
        return latency, sum(known)

    @cached_property
    def tunnel_of_row(self) -> dict[int, int]:
        """Row of TUNNELS by row of FRAMES."""
        return {row: place for place, row in enumerate(self.tunnels["row"].tolist())}

    def alike(self, packet: int) -> list[int]:
        """Return the packets that could own the frames of an ambiguous one: equal, at the time, of a candidate."""
        place = int(self.packet_start[packet])
        connection, reply = int(self.hops["connection"][place]), bool(self.hops["reply"][place])
        row = self.rows_of(packet)[0]
        found: list[int] = []
        for other in sorted({connection, *self.doubts.candidates.get(connection, ())}):
            for candidate in self.packets_of(other).tolist():
                there = int(self.packet_start[candidate])
                if candidate == packet or not self.hops["ambiguous"][there] or self.hops["reply"][there] != reply:
                    continue
                rival = int(self.hops["row"][there])
                near = abs(self.value("time_ns", rival) - self.value("time_ns", row)) <= NEAR_NS
                if near and all(self.frames[name][rival] == self.frames[name][row] for name in CONTENT):
                    found.append(candidate)
        return found[:MOST_ALIKE]
