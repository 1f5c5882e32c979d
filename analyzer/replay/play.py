"""Journeys are replayed: which packets, by which interfaces, what stands before them; and both accounts, compared."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analyzer.decode.offsets import PROTO_ICMP, PROTO_ICMP6
from analyzer.journey.build import Tracer
from analyzer.model import Address, HostState, Point, Role, endpoint, mac_text
from analyzer.model.question import ABSENT, OneOf
from analyzer.model.replay import Account, Agreement, End, Replay, Replayed
from analyzer.model.rules import Verdict
from analyzer.model.verdict import Account as Judged
from analyzer.model.verdict import Why
from analyzer.packet.context import Context
from analyzer.packet.text import summary
from analyzer.read.records import Interface
from analyzer.replay.box import Box
from analyzer.replay.frames import ethernet, whole
from analyzer.replay.plan import Plan, plan
from analyzer.replay.verdict import Reader, answers
from analyzer.schema import Int64, Layer
from analyzer.state.path import LOOPBACK, Path
from analyzer.state.rules.iptables import LEGACY
from analyzer.state.rules.packet import Packet

MOST_JOURNEYS, MOST_BEFORE, MOST_SENT, LONGEST_S = 200, 16, 2_000, 60
"""Journeys that are chosen, packets before each, packets in all, and how long sending them may take."""
SOMEBODY = "02:00:00:00:00:fe"
"""The MAC of next hops of which no dump tells one."""
Frames = Callable[[Int64], Iterator[tuple[int, bytes, int, Interface]]]
"""Reads rows of FRAMES from the captures again."""
NO_WAY = (Why.NO_ROUTE, Why.DEAD_END, Why.ROUTING_RULE)

REBUILT = (None, "veth", "bridge")
"""Kinds of links that are built as what they are."""


@dataclass(slots=True)
class Job:
    """One packet to send, and what hoptrace says of it."""

    packet: int
    row: int
    interface: str | None
    """By which it comes in; None for one that the host sends itself."""
    judged: Judged | None
    why_not: str = ""
    """Why it cannot be sent."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One packet that was sent, and what the kernel did with it."""

    journey: int
    summary: str
    frame: bytes
    interface: str | None
    kernel: Account


class Player:
    """Replays journeys of one analysis, host by host."""

    def __init__(self, context: Context, tracer: Tracer, frames: Frames) -> None:
        self._context, self._tracer, self._frames = context, tracer, frames
        self.built: list[tuple[Plan, list[Shown]]] = []
        """The hosts of the last replay, each with all packets that were sent in, in order."""

    def usual(self, evidence: Sequence[int] = ()) -> list[int]:
        """Choose journeys: what evidence names, and each connection's first packet."""
        context = self._context
        count = len(context.connections["proto"])
        firsts = [int(context.packets_of(number)[0]) for number in range(count) if len(context.packets_of(number))]
        return sorted(list(dict.fromkeys([*evidence, *firsts]))[:MOST_JOURNEYS])

    def play(self, numbers: Sequence[int], change: Callable[[HostState], HostState] | None = None) -> Replay:
        """
        Build each host, send the packets in, and compare.

        *change* makes another host of the recorded one: a remedy is tried so.

        Raises:
            ToolError: no host can be built here.
        """
        self.built = []
        found: list[Replayed] = []
        missing: list[str] = []
        by_host: dict[str | None, list[int]] = {}
        for number in numbers:
            by_host.setdefault(self._context.point(self._context.rows_of(number)[0]).host, []).append(number)
        for name, mine in by_host.items():
            host = self._context.hosts[name]
            if not host.links:
                why = "nothing was recorded of its host's interfaces"
                found += [self._unsaid(number, why) for number in mine]
                continue
            told, lacks = self._on(host if change is None else change(host), mine)
            found += told
            missing += lacks
        return Replay(tuple(sorted(found, key=lambda one: one.journey)), tuple(dict.fromkeys(missing)))

    def _on(self, host: HostState, numbers: Sequence[int]) -> tuple[list[Replayed], list[str]]:
        wanted = set(numbers)
        everything = sorted({packet for number in numbers for packet in (*self._before(number), number)})[:MOST_SENT]
        jobs = [self._job(host, packet) for packet in everything]
        bytes_of = {row: data for row, data, _, _ in self._frames(np.array([job.row for job in jobs], np.int64))}
        built = plan(host, list(self._ports(host)), list(self._next_hops(host, jobs)))
        self.built.append((built, []))
        found: list[Replayed] = []
        strayed: set[int] = set()
        with Box(built) as box:
            reader = Reader(host, box.handles)
            until = time.monotonic() + LONGEST_S
            for job in jobs:
                if time.monotonic() > until:
                    job.why_not = "time was up"
                told = self._send(host, box, reader, job, bytes_of.get(job.row))
                connection = int(self._context.hops["connection"][self._context.packet_start[job.packet]])
                if told.agreement is not Agreement.AGREES:
                    if connection in strayed:
                        why = "an earlier packet of its connection went another way in the kernel"
                        told = replace(told, agreement=Agreement.UNSAID, why=why)
                    strayed |= {connection} - {-1}
                if job.packet in wanted:
                    found.append(told)
            failed = box.failed
        return found, [*built.missing, *failed]

    def _before(self, number: int) -> list[int]:
        """Return what has to be sent before a packet, so that conntrack knows its connection: its first packets."""
        context = self._context
        connection = int(context.hops["connection"][context.packet_start[number]])
        if connection < 0:
            return []
        earlier = [packet for packet in context.packets_of(connection).tolist() if packet < number]
        half = MOST_BEFORE // 2
        return earlier if len(earlier) <= MOST_BEFORE else earlier[:half] + earlier[-half:]

    def _job(self, host: HostState, packet: int) -> Job:
        context, prover = self._context, self._tracer.prover
        row = context.rows_of(packet)[0]
        interface, why_not = self._way_in(host, row)
        built = prover.packet(packet, row)
        if built is None:
            return Job(packet, row, interface, None, why_not or "it is no IP packet, or nobody knows by where it came")
        if context.layers(row) & Layer.FRAGMENT:
            return Job(packet, row, interface, None, "it is a fragment, of which the others are not sent")
        if context.layers(row) & Layer.QUOTE:
            return Job(packet, row, interface, None, "it is an error about another packet, which is not sent")
        path = Path(host, guess=prover.guess(row))
        if interface is None and not why_not:
            judged = path.sent(replace(built, iif=ABSENT, port_in=ABSENT))
        elif prover.bridged(row):
            judged = path.bridged(replace(built, port_in=interface))
        else:
            known = interface if built.port_in is not ABSENT else ABSENT
            judged = path.received(replace(built, port_in=known))
        return Job(packet, row, interface, judged, why_not)

    def _way_in(self, host: HostState, row: int) -> tuple[str | None, str]:
        """Return the interface that a frame came in by, None for the host itself; and why that cannot be told."""
        context = self._context
        point = context.point(row)
        name = point.interface or point.name
        src = context.value("eth_src", row) if context.layers(row) & Layer.MAC_SRC else None
        own = src is not None and any(link.mac == src for link in host.links)
        if point.container is not None and point.role is Role.LOOPBACK:
            return None, "it is inside its container, of which nothing was recorded"
        if point.role is Role.LOOPBACK or (own and point.role in (Role.BRIDGE, Role.UPLINK, Role.VETH)):
            return None, ""
        if point.role in (Role.VETH, Role.UPLINK):
            return name, ""
        if point.role in (Role.BRIDGE, Role.CONTAINER) and src is not None:
            port = next((entry.dev for entry in host.fdb if entry.mac == src and not entry.permanent), None)
            port = port or self._port_of(point)
            if port is not None:
                return port, ""
        return None, f"nobody knows by which interface what was seen at {point.name} came in"

    def _port_of(self, point: Point) -> str | None:
        """Return the host's end of a container's interface, by the points of the same container."""
        points = self._context.points
        same = (p for p in points if p.role is Role.VETH and p.host == point.host and p.container == point.container)
        return next((p.interface or p.name for p in same if p.container is not None), None)

    def _ports(self, host: HostState) -> Iterator[tuple[str, str | None]]:
        """Give interfaces that captures show and no dump has: containers' that have ended meanwhile."""
        for point in self._context.points:
            if point.host == host.name and point.role in (Role.VETH, Role.UPLINK):
                network = next((one for one in host.networks if one.name == point.network), None)
                yield point.interface or point.name, network.bridge if network is not None else None

    def _masters(self, host: HostState) -> dict[str, str | None]:
        """Return the bridge of each interface, as it was built."""
        return {link.name: link.master for link in host.links} | {
            name: bridge for name, bridge in self._ports(host) if host.link(name) is None
        }

    def _next_hops(self, host: HostState, jobs: Sequence[Job]) -> Iterator[tuple[Address, str, str]]:
        """Give next hops that nobody recorded: in the recorded host they answered, or will be asked for."""
        for judged in (job.judged for job in jobs if job.judged is not None and job.judged.verdict is Verdict.ACCEPT):
            out, route = judged.packet.oif, judged.route
            hop = route.route.gateway if route is not None and route.route.gateway is not None else judged.packet.dst
            if not isinstance(out, str) or out == LOOPBACK:
                continue
            if not isinstance(hop, Address) or host.neighbour(hop, out) is not None:
                continue
            container = host.container_of_address(hop)
            yield hop, out, mac_text(container.mac) if container is not None and container.mac else SOMEBODY

    def _send(self, host: HostState, box: Box, reader: Reader, job: Job, data: bytes | None) -> Replayed:
        found = ethernet(data) if data is not None else None
        packet = whole(found[1]) if found is not None else None
        if job.judged is None or packet is None or found is None or job.why_not:
            return self._unsaid(job.packet, job.why_not or "its bytes were not kept, or are no plain Ethernet")
        frame = packet if job.interface is None else found[0] + data_type(packet) + packet
        answer = box.send(frame, job.interface)
        if answer.problem:
            return self._unsaid(job.packet, answer.problem)
        kernel = reader.account(packet, answer, own=job.interface is None)
        own = said(job.judged)
        if kernel.end is End.UNKNOWN and job.judged.why in NO_WAY:  # a blackhole says nothing, and counts nothing
            kernel = replace(kernel, end=End.DROPPED, by=Why.NO_ROUTE.words)
        agreement, why = compared(self._masters(host), kernel, own, job.judged)
        out = host.link(own.out)
        if agreement is Agreement.DIFFERS and out is not None and out.down and out.kind not in REBUILT:
            agreement, why = Agreement.UNSAID, f"{own.out} is down, and a {out.kind} cannot be built here as it was"
        told = summary(self._context, self._context.rows_of(job.packet))
        self.built[-1][1].append(Shown(job.packet, told, frame, job.interface, kernel))
        return Replayed(job.packet, told, kernel, own, agreement, why, tuple(answers(packet, answer)))

    def _unsaid(self, number: int, why: str) -> Replayed:
        told = summary(self._context, self._context.rows_of(number))
        return Replayed(number, told, None, None, Agreement.UNSAID, why)


def data_type(packet: bytes) -> bytes:
    """Return the Ethernet type of an IP packet."""
    return b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"


def said(judged: Judged) -> Account:
    """Put what hoptrace says in the words that a kernel's account has."""
    if judged.verdict is Verdict.UNKNOWN:
        return Account(End.UNKNOWN, judged.text, "", "")
    if judged.verdict is Verdict.ACCEPT:
        out = judged.packet.oif
        if judged.for_host:
            return Account(End.DELIVERED, "", "", "")
        return Account(End.FORWARDED, "", out if isinstance(out, str) else "", _flow(judged.packet))
    end = End.REJECTED if judged.verdict is Verdict.REJECT else End.DROPPED
    if judged.rule is not None:
        return Account(end, f"rule “{judged.rule.text}”", "", "")
    if judged.policy is not None:
        table, chain = judged.policy
        return Account(end, f"policy DROP of {table.family} {table.name} {chain}", "", "")
    return Account(end, judged.text if judged.why is None else judged.why.words, "", "")


def _flow(packet: Packet) -> str:
    """Say addresses and ports as far as they are known."""

    def end(ip: Any, port: Any) -> str:
        if not isinstance(ip, Address):
            return "?" if ip is None or isinstance(ip, OneOf) else str(ip)
        plain = port if isinstance(port, int) and packet.protocol not in (PROTO_ICMP, PROTO_ICMP6) else None
        return endpoint(ip, plain)

    return f"{end(packet.src, packet.sport)} → {end(packet.dst, packet.dport)}"


def compared(masters: dict[str, str | None], kernel: Account, own: Account, judged: Judged) -> tuple[Agreement, str]:
    """Compare both accounts; say why they differ, or why that cannot be said."""
    if own.end is End.UNKNOWN:
        return Agreement.UNSAID, own.by
    if judged.rule is not None and judged.rule.dump in LEGACY.values():
        return Agreement.UNSAID, f"rules of {judged.rule.dump} are not rebuilt"
    silent = kernel.end is End.UNKNOWN
    if silent and judged.verdict is Verdict.ACCEPT and judged.packet.oif == judged.packet.iif:
        return (
            Agreement.UNSAID,
            "a bridge sends nothing back by the port that it came by, unless that is in hairpin mode",
        )
    if silent:
        return Agreement.UNSAID, "the kernel said nothing of it: no rule, no counter, nothing that left"
    if kernel.end is not own.end:
        return Agreement.DIFFERS, f"the kernel: {kernel}; hoptrace: {own}"
    if kernel.end is End.FORWARDED:
        ways = {kernel.out, masters.get(kernel.out)}
        if own.out and own.out not in ways:
            return Agreement.DIFFERS, f"the kernel: out by {kernel.out}; hoptrace: by {own.out}"
        return _compared_flows(kernel, own)
    no_way = judged.why in NO_WAY and kernel.by == Why.NO_ROUTE.words
    if kernel.end is not End.DELIVERED and kernel.by != own.by and not no_way:
        return Agreement.DIFFERS, f"the kernel: {kernel}; hoptrace: {own}"
    return Agreement.AGREES, ""


def _address_of(end: str) -> str:
    """Return an end without its port."""
    return end[1:].partition("]")[0] if end.startswith("[") else end.rpartition(":")[0] if end.count(":") == 1 else end


def _compared_flows(kernel: Account, own: Account) -> tuple[Agreement, str]:
    """Compare addresses and ports, as far as hoptrace says them; source ports are the kernel's choice."""
    theirs, mine = ([*flow.split(" → "), "?"] for flow in (kernel.flow, own.flow))
    known = mine[0] == "?" or _address_of(mine[0]) == _address_of(theirs[0])
    if not known or mine[1] not in ("?", theirs[1], _address_of(theirs[1])):
        return Agreement.DIFFERS, f"the kernel: as {kernel.flow}; hoptrace: as {own.flow}"
    return Agreement.AGREES, ""
