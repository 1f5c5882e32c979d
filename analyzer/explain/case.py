"""What hypotheses look at: tables, journeys, and what several of them ask for, each made when first needed."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, RST
from analyzer.explain import concerned, fates, few, questions, symptoms
from analyzer.explain.confirmed import Ask
from analyzer.explain.streams import Handshakes, handshakes
from analyzer.journey.build import Tracer
from analyzer.link.sorting import changes, first_places
from analyzer.link.stated import Contradiction
from analyzer.model import (
    Address,
    ArpExchange,
    Connection,
    Evidence,
    FlowTuple,
    Hosts,
    HostState,
    Link,
    Point,
)
from analyzer.model.finding import Symptom
from analyzer.model.journey import BAD, CODES
from analyzer.model.overview import NameQuery
from analyzer.packet.context import Context
from analyzer.read.records import FileInfo, Interface
from analyzer.schema import Addresses, Array, Columns, Int64

if TYPE_CHECKING:
    from analyzer.explain.fates import IcmpError, Stopped

SHOWN = 5
"""Frames that are named as evidence."""
PATIENCE_NS = 1_000_000_000
"""How long before its capture's end something must have happened, to say that nobody answered."""
ONE_SIDED = re.compile(r"\b(src|dst|inbound|outbound|not|tcp-syn|tcpflags)\b|[!\[]")
"""Words of pcap-filter(7) by which a filter may keep a question and not its answer."""

T = TypeVar("T")
ReadAgain = Callable[[Int64], Iterator[tuple[int, bytes, int, Interface]]]


@dataclass
class Case:
    """All that is known of captures and hosts when hypotheses are asked."""

    context: Context
    tracer: Tracer
    files: list[FileInfo]
    contradictions: list[Contradiction]
    read_names: Callable[[], list[NameQuery]] = list
    read_again: ReadAgain = lambda rows: iter(())
    ask: Ask | None = None
    """Asks a kernel, if somebody wants that."""
    asked: int = 0
    """Remedies that a kernel has tried."""
    _made: dict["Callable[[Case], Any]", Any] = field(default_factory=dict)
    _firsts: dict[str, Array] = field(default_factory=dict)

    @property
    def mine(self) -> Array:
        """(packets,) bool: each is told here; what is told elsewhere is here because others need it."""
        return self.context.mine

    @property
    def numbers(self) -> Int64:
        """(packets,) The number of each among all packets."""
        return self.context.numbers

    @cached_property
    def connection_numbers(self) -> Int64:
        """(connections,) The number of each among all connections."""
        return self.context.connection_id(np.arange(len(self.context.connections["proto"])))

    @cached_property
    def my_connections(self) -> Array:
        """(connections,) bool: the first packet of each is told here."""
        found = np.zeros(len(self.context.connections["proto"]) + 1, bool)
        begins = first_places(self.connection, len(found) - 1)
        found[np.flatnonzero((begins >= 0) & self.mine[begins])] = True
        return found[:-1]

    @property
    def hosts(self) -> Hosts:
        """What dumps told."""
        return self.context.hosts

    def host_of(self, packet: int) -> HostState:
        """Return what was recorded of the host that saw a packet last."""
        return self.context.host_at(int(self.last_row[packet]))

    @cached_property
    def names(self) -> list[NameQuery]:
        """Questions to name servers."""
        return self.read_names()

    @cached_property
    def exchanges(self) -> list[ArpExchange]:
        """ARP and NDP exchanges."""
        return self.tracer.exchanges()

    @cached_property
    def vain_questions(self) -> dict[Address, list[int]]:
        """By address, the packets that ask who has it, by ARP or NDP, and are not answered."""
        found: dict[Address, list[int]] = {}
        for one in self.exchanges:
            if one.answer_mac is None:
                found.setdefault(one.asked_ip, []).append(self.asking[one.point, one.request_frame])
        return found

    @cached_property
    def asking(self) -> dict[tuple[str, int], int]:
        """The packets that are ARP or NDP messages, by point and frame."""
        rows = self.context.neighbours["row"]
        names = [point.name for point in self.context.points]
        point, numbers = (self.context.frames[name][rows].tolist() for name in ("point", "frame"))
        packets = self.context.packet_of_row[rows].tolist()
        return dict(zip(zip(map(names.__getitem__, point), numbers, strict=True), packets, strict=True))

    @cached_property
    def first_row(self) -> Int64:
        """(packets,) Row of FRAMES where each was seen first."""
        found: Int64 = self.context.hops["row"][self.context.packet_start[:-1]]
        return found

    @cached_property
    def last_row(self) -> Int64:
        """(packets,) Row of FRAMES where each was seen last."""
        found: Int64 = self.context.hops["row"][self.context.packet_start[1:] - 1]
        return found

    @cached_property
    def connection(self) -> Int64:
        """(packets,) Connection of each, -1 without."""
        found: Int64 = self.context.hops["connection"][self.context.packet_start[:-1]].astype(np.int64)
        return found

    @cached_property
    def reply(self) -> Array:
        """(packets,) bool: each goes in the reply direction."""
        found: Array = self.context.hops["reply"][self.context.packet_start[:-1]]
        return found

    def first(self, name: str) -> Array:
        """(packets,) A column of FRAMES at each packet's first hop."""
        if name not in self._firsts:
            self._firsts[name] = self.context.frames[name][self.first_row]
        return self._firsts[name]

    @property
    def source_moved(self) -> Array:
        """(connections,) bool: NAT gives another source address."""
        return self.context.source_moved

    @property
    def target_moved(self) -> Array:
        """(connections,) bool: NAT gives another destination address."""
        return self.context.target_moved

    @cached_property
    def handshakes(self) -> Handshakes:
        """What TCP connections came to."""
        return handshakes(self.context, self.first_row, self.connection, self.reply)

    @cached_property
    def stopped(self) -> "dict[str, list[Stopped]]":
        """By check: what the recorded host state stopped, one entry a cause."""
        return fates.stopped(self)

    @cached_property
    def errors(self) -> "list[IcmpError]":
        """ICMP errors, each once, in order of time."""
        return fates.errors(self)

    def once(self, make: "Callable[[Case], T]") -> T:
        """Return what several checks make of it; it is made when it is first asked for."""
        if make not in self._made:
            self._made[make] = make(self)
        found: T = self._made[make]
        return found

    def point_named(self, name: str) -> Point:
        """Return a point."""
        return next(point for point in self.context.points if point.name == name)

    def link_at(self, name: str) -> Link | None:
        """Return the recorded interface of a point."""
        point = self.point_named(name)
        return self.hosts[point.host].link(point.interface or name)

    @cached_property
    def facts(self) -> Columns:
        """FACTS: what became of each packet."""
        return symptoms.facts(self)

    @cached_property
    def symptom(self) -> Int64:
        """(packets,) Each packet's row of symptoms, -1 where nothing is wrong with it."""
        found: Int64 = self.facts["row"]
        return found

    @cached_property
    def symptom_packets(self) -> Int64:
        """Packets of each row of symptoms."""
        return np.bincount(self.symptom[self.symptom >= 0])

    def with_symptom(self, *kinds: Symptom) -> Int64:
        """Return the packets that have one of these symptoms."""
        found: Int64 = np.flatnonzero(np.isin(self.facts["symptom"], [symptoms.SYMPTOMS[kind] for kind in kinds]))
        return found

    def troubled(self, packets: Iterable[int]) -> list[int]:
        """
        Return all packets of the same connections with which something is wrong at the ends.

        Whatever was stopped or lost at a place has a cause at that place, and needs to be explained by itself.
        """
        numbers = np.unique(self.connection[np.fromiter(packets, np.int64)])
        ill = self.with_symptom(Symptom.UNANSWERED, Symptom.IGNORED, Symptom.LOST_BEYOND, Symptom.REJECTED)
        found: list[int] = ill[np.isin(self.connection[ill], numbers[numbers >= 0])].tolist()
        return found

    def towards(self, addresses: Collection[Address]) -> list[int]:
        """Return the packets with which anything is wrong, and that are for, or answer, one of these addresses."""
        wanted = [int(ip) for ip in addresses]
        ill = np.flatnonzero(self.symptom >= 0)
        dst = Addresses.of(self.context.frames, "dst")
        hit = dst[self.first_row[ill]].among(wanted) | dst[self.last_row[ill]].among(wanted)
        for name in ("orig_dst", "reply_src"):
            of_connection = Addresses.of(self.context.connections, name).among(wanted)
            hit |= np.append(of_connection, False)[self.connection[ill]]
        found: list[int] = ill[hit].tolist()
        return found

    @cached_property
    def open_questions(self) -> list[NameQuery]:
        """Questions to name servers that got no answer although there was time for one."""
        return questions.silent(self)

    @cached_property
    def resolved(self) -> dict[Address, str]:
        """The name by which each address was asked for, if that was one name."""
        return questions.resolved(self.names)

    @cached_property
    def _masked(self) -> dict[tuple[object, ...], Address]:
        return {
            (entry.reply.dst, entry.reply.dport, entry.reply.src, entry.reply.sport): entry.original.src
            for state in self.hosts.states
            for entry in state.conntrack
            if entry.original.src != entry.reply.dst
        }

    def behind(self, flow: FlowTuple) -> Address:
        """Return who began a connection of which only the translated side was captured, as conntrack's dump says."""
        return self._masked.get((flow.src, flow.sport, flow.dst, flow.dport), flow.src)

    @cached_property
    def answered_in_the_end(self) -> Array:
        """(connections,) bool: an answer got through to who asked, and did not refuse a TCP connection."""
        arrives = ~np.isin(self.tracer.ends, [CODES[kind] for kind in BAD])
        count = len(self.context.connections["proto"])
        found: Array = np.bincount(self.connection[self.reply & arrives & (self.connection >= 0)], minlength=count) > 0
        found[self.handshakes.rejected()] = False
        found[self.handshakes.unheard()] = False
        return found

    @cached_property
    def quoted_by(self) -> Int64:
        """(packets,) The ICMP error that is about each, -1 where there is none."""
        found = np.full(self.context.packets, -1, np.int64)
        for error in reversed(self.errors):
            if error.quoted is not None:
                found[error.quoted] = error.packet
        return found

    @cached_property
    def sent_again(self) -> Array:
        """(packets,) bool: TCP sent the same once more later."""
        return self.tracer.answers.repeated

    @cached_property
    def resets(self) -> Array:
        """(packets,) bool: each is a RST."""
        tcp = self.first("proto") == PROTO_TCP
        found: Array = tcp & (self.first("tcp_flags") & RST != 0)
        return found

    @cached_property
    def pause_ns(self) -> Int64:
        """(packets,) How long its connection was silent before each, ns; 0 for the first ones."""
        times = self.first("time_ns")
        order = np.lexsort((np.arange(len(times)), self.connection))
        begins = changes(self.connection[order])
        pauses = np.diff(times[order], prepend=times[order[:1]])
        found = np.zeros(len(times), np.int64)
        found[order] = np.where(begins | (self.connection[order] < 0), 0, pauses)
        return found

    @property
    def end_ns(self) -> int:
        """Time of the last frame of all, or until when a manifest says that captures ran."""
        return self.context.end_ns

    @cached_property
    def one_sided(self) -> bool:
        """Tell whether a filter may have left answers out: one that asks for a direction, or for bytes."""
        return any(ONE_SIDED.search(point.filter) for point in self.context.points if point.filter)

    def waited(self, packet: int, patience_ns: int = PATIENCE_NS) -> bool:
        """Tell whether captures went on long enough after a packet to show an answer, and would have."""
        return (
            not self.one_sided
            and not self._is_at_two_clocks(packet)
            and self.end_ns - self.context.value("time_ns", int(self.first_row[packet])) >= patience_ns
        )

    def _is_at_two_clocks(self, packet: int) -> bool:
        apart = self._of_two_clocks
        return bool(apart) and any(self.context.value("point", row) in apart for row in self.context.rows_of(packet))

    @cached_property
    def _of_two_clocks(self) -> set[int]:
        """Points whose times do not fit those of another one: what answers what is not sure there."""
        return {point for pair in self.context.two_clocks for point in (pair.first, pair.second)}

    @cached_property
    def beside_containers(self) -> Array:
        """(packets,) bool: each was seen at a container's interface or bridge, or has a container's address."""
        return concerned.beside_containers(self)

    def between_hosts(self, packet: int) -> tuple[str, str] | None:
        """Return the hosts between which a packet was lost; None if it was not, or on one host."""
        last = self.context.point(int(self.last_row[packet]))
        onward = [self.point_named(name).host for name in self.tracer.outcome(packet).onward]
        other = next((host for host in onward if host != last.host), None) if last.host not in onward else None
        return (str(last.host), str(other)) if other is not None else None

    def connection_of(self, packet: int) -> Connection | None:
        """Return a packet's connection."""
        number = int(self.connection[packet])
        return self.tracer.connection(number) if number >= 0 else None

    @cached_property
    def packets_each_way(self) -> tuple[Int64, Int64]:
        """(connections,) Packets of each in the original direction, and in the reply direction, that are told here."""
        count, known = len(self.context.connections["proto"]), (self.connection >= 0) & self.mine
        ways = (np.bincount(self.connection[known & way], minlength=count) for way in (~self.reply, self.reply))
        forth, back = ways
        return forth, back

    @cached_property
    def services(self) -> dict[str, frozenset[str]]:
        """The containers of each compose service that has several."""
        found: dict[str, set[str]] = {}
        for host in self.hosts.states:
            for container in host.containers:
                if container.service is not None:
                    found.setdefault(container.service, set()).add(container.name)
        return {service: frozenset(names) for service, names in found.items() if len(names) > 1}

    @cached_property
    def errands(self) -> Int64:
        """(connections + 1,) What one client wants of one port, as a number: all of it is in one part."""
        return few.errands(self.context.connections)

    def few_connections(self, connections: Int64, most: int) -> Int64:
        """
        Return the first ones, no more than *most* of what one client wants of one port.

        All of that is in one part, so a limit of it is the same however data was cut.
        """
        return connections[few.first_of_each(self.errands[connections], most)]

    def few_packets(self, packets: Int64, most: int) -> Int64:
        """Return the first ones, likewise."""
        return packets[few.first_of_each(self.errands[self.connection[packets]], most)]

    def packets_of(self, connection: int, *, reply: bool | None = None) -> Int64:
        """Return a connection's packets, in order of time; of one direction, if *reply* says which."""
        packets = self.context.packets_of(connection)
        if reply is not None:
            packets = packets[self.reply[packets] == reply]
        return packets

    def evidence(self, packets: Iterable[int], *, first: bool = False) -> tuple[Evidence, ...]:
        """Return the frames that show packets, where they were seen last, or first."""
        rows = self.first_row if first else self.last_row
        chosen = [packet for packet, _ in zip(packets, range(SHOWN), strict=False)]
        return tuple(self.shown(int(rows[packet])) for packet in chosen)

    def shown(self, row: int) -> Evidence:
        """Return a row of FRAMES as evidence, with its journey."""
        packet = int(self.context.packet_of_row[row])
        return replace(self.context.evidence(row), journey=int(self.numbers[packet]))
