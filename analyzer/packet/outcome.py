"""How a journey ended. Three values for what was not seen: lost needs proof that the next point would have shown it.

A packet is lost only if the next point on its way was recording at that time, as its own frames before and after
show, and if the way leads there: other packets of the connection, or to the same destination, went from the last
point to that one, or a recorded route says so. Else its fate is not observable.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analyzer.decode.offsets import (
    ACK,
    ETH_HEADER,
    GROUP_BIT,
    IPV4_HEADER,
    IPV6_HEADER,
    RST,
    SYN,
    TCP_HEADER,
    UDP_HEADER,
)
from analyzer.link.identity import has
from analyzer.link.sightings import point_bits
from analyzer.link.sorting import group_mostly
from analyzer.model import Address, Basis, Disposition, Point, Role
from analyzer.model.drop import Drop
from analyzer.model.journey import CODES
from analyzer.model.words import plural
from analyzer.packet.answers import Answers, find_answers
from analyzer.packet.arrived import arrivals
from analyzer.packet.context import FRESH_TTLS, Context
from analyzer.packet.icmp_errors import Errors
from analyzer.packet.onward import Onward, tunnel_at
from analyzer.packet.prove import Prover
from analyzer.packet.stops import Cause
from analyzer.packet.text import icmp_text, protocol_of
from analyzer.schema import Array, Int64, Layer
from analyzer.state.path import BROADCAST
from analyzer.state.reasons import DELIVERED, REASONS, TELLING, UNKNOWN

TRANSPORT = Layer.PORTS | Layer.ICMP | Layer.TAG
INSIDE = (Role.CONTAINER, Role.VETH)
REJECTS = {4: {(3, code) for code in (0, 1, 2, 3, 9, 10, 13)}, 6: {(1, code) for code in (0, 1, 3, 4, 5, 6)}}
"""By IP version, types and codes that REJECT may answer with (net/ipv4/netfilter/ipt_REJECT.c, ip6t_REJECT.c)."""
RESETS = re.compile(r"--reject-with tcp-reset|reject with tcp reset")
"""Of rules that answer by RST."""
LISTENED = {6: "tcp", 17: "udp"}
"""Protocols of sockets that were recorded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A disposition, with its reason and basis."""

    disposition: Disposition
    reason: str
    basis: Basis
    own: bool = False
    """It hangs on this very packet, or its time: another one like it may have ended otherwise."""
    error: int | None = None
    """Packet that is the ICMP error it died of."""
    cause: Cause | None = None
    """What the host's recorded state says of it."""
    onward: tuple[str, ...] = ()
    """Points that should have seen it next."""
    drop: Drop | None = None
    """What the kernel itself says of it."""


class Outcomes:
    """Decides journeys' ends; the lookups are made once for all."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._onward = Onward(context)
        self.errors = Errors(context)
        self.prover = Prover(context, self.errors)
        self.silenced = np.zeros(0, np.int64)
        """Packets to the host itself whose answers it stops; known when all ends are."""
        self.alone = np.zeros(0, bool)
        """(packets,) bool: what is told of its end hangs on the packet itself; known likewise."""
        told = context.all.drops if any(host.drops for host in context.hosts.states) else {}
        here = np.flatnonzero(np.isin(context.numbers, list(told))).tolist() if told else []
        self.drops = {packet: told[int(context.numbers[packet])] for packet in here}

    @cached_property
    def answers(self) -> Answers:
        """What answers what."""
        return find_answers(self._context)

    def all_ends(self) -> Array:
        """Return how each packet ended, as ``CODES``; packets alike in all that decides it are decided once."""
        context, frames, hops = self._context, self._context.frames, self._context.hops
        start, stop = context.packet_start[:-1], context.packet_start[1:]
        if not len(start):
            return np.zeros(0, np.uint8)
        begins = context.hop_start
        place = np.cumsum(hops["hop"][stop - 1].astype(np.int64) + 1) - 1
        last = hops["row"][begins[place]]
        earlier = begins[np.maximum(place - 1, 0)]
        before = np.where((place > 0) & (earlier >= start), frames["point"][hops["row"][earlier]].astype(np.int64), -1)
        ways = (hops["connection"][start], hops["reply"][start], before, context.points_seen)
        names = ("point", "eth_src", "eth_dst", "src_hi", "src", "dst_hi", "dst", "layers")
        group, first = group_mostly(ways, [frames[name][last] for name in names])
        decided = [self._decide(packet, context.hop_rows(packet)) for packet in first.tolist()]
        silenced = [outcome.cause is not None and outcome.cause.of_answer for outcome in decided]
        self.silenced = np.flatnonzero(np.array(silenced)[group])
        found: Array = np.array([CODES[outcome.disposition] for outcome in decided], np.uint8)[group]
        alone = np.array([outcome.own for outcome in decided])[group] | self.errors.may_be_about()
        alone[[*self.drops, *self._translated_errors()]] = True
        self.alone = alone
        for packet in np.flatnonzero(alone).tolist():
            found[packet] = CODES[self._decide(packet, context.hop_rows(packet)).disposition]
        unseen = np.flatnonzero(found == CODES[Disposition.NOT_OBSERVABLE])
        if len(unseen):
            arrived = unseen[self._arrivals[unseen] >= 0]
            found[arrived] = CODES[Disposition.DELIVERED]
            alone[arrived] = True
        return found

    def _translated_errors(self) -> Iterable[int]:
        """Give the ICMP errors that conntrack sends on to somebody else than whom they are addressed to."""
        moved = self._context.source_moved | self._context.target_moved
        return (error for error, (number, _) in self.errors.related.items() if moved[number])

    @cached_property
    def _arrivals(self) -> Int64:
        """(packets,) What shows each to have arrived, -1 for nothing."""
        return arrivals(self._context, self.answers)

    def of(self, packet: int, rows: list[int]) -> Outcome:
        """Decide one packet's end; *rows* are one a hop."""
        found = self._decide(packet, rows)
        answer = int(self._arrivals[packet]) if found.disposition is Disposition.NOT_OBSERVABLE else -1
        if answer < 0:
            return found
        row = int(self._context.hops["row"][self._context.packet_start[answer]])
        shown = f"frame {self._context.value('frame', row)} at {self._context.point(row).name}"
        reason = f"{found.reason}; but it arrived, for it was answered ({shown})"
        return Outcome(Disposition.DELIVERED, reason, Basis.OBSERVED)

    def _decide(self, packet: int, rows: list[int]) -> Outcome:
        """Decide by what points show of the packet itself."""
        context = self._context
        last = rows[-1]
        point = context.point(last)
        error = self.errors.about(rows)
        if error is not None:
            version = 6 if context.layers(error) & Layer.IPV6 else 4
            why = icmp_text(version, context.value("icmp_type", error), context.value("icmp_code", error))
            if mtu := self.errors.mtu.get(error):
                why += f", at most {mtu} bytes fit"
            where = f"frame {context.value('frame', error)} at {context.point(error).name}"
            reason = f"{context.src(error)} answered: {why} ({where})"
            packet_of_error = int(context.packet_of_row[error])
            refused = (context.value("icmp_type", error), context.value("icmp_code", error)) in REJECTS[version]
            cause = self._cause(packet, rows, lost=refused) if self._is_own_source(error) else None
            return Outcome(Disposition.REJECTED, reason, Basis.OBSERVED, own=True, error=packet_of_error, cause=cause)
        if self._to_a_group(last):
            return Outcome(Disposition.DELIVERED, "broadcast or multicast, seen on its segment", Basis.OBSERVED)
        if context.layers(last) & Layer.NEIGHBOUR:
            return Outcome(Disposition.DELIVERED, f"seen at {point.name}, on its own segment", Basis.OBSERVED)
        return self._by_kernel(packet, self._by_place(packet, rows, point), point)

    def _by_kernel(self, packet: int, found: Outcome, point: Point) -> Outcome:
        """
        Let the kernel say what it did with a packet: that it dropped it is observed, whatever else it looks like.

        A recorded cause stays, if it ends as the kernel says. What came to its receiver may be dropped there for many
        everyday reasons.
        """
        drop = self.drops.get(packet)
        if drop is None or found.disposition is Disposition.LEFT_HOST:
            return found
        reason = REASONS.get(drop.reason, REASONS[UNKNOWN])
        if found.cause is not None and (drop.reason not in TELLING or found.cause.check in reason.fits):
            return replace(found, drop=drop)
        if found.disposition is Disposition.DELIVERED and drop.reason not in DELIVERED:
            return found
        if drop.reason == UNKNOWN and found.disposition is not Disposition.LOST:
            return found
        why = f"last seen at {point.name}; {reason.meaning} ({drop.reason} in {drop.function})"
        return replace(found, disposition=Disposition.DROPPED, reason=why, basis=Basis.OBSERVED, own=True, cause=None,
                       drop=drop)  # fmt: skip

    def _to_a_group(self, row: int) -> bool:
        """Tell whether a frame is for many; cooked captures do not show the receiver's MAC, but its address."""
        layers, dst = self._context.layers(row), self._context.dst(row)
        if layers & Layer.MAC_DST:
            return bool(self._context.value("eth_dst", row) & GROUP_BIT)
        return dst is not None and (dst.is_multicast or dst == BROADCAST)

    def _by_place(self, packet: int, rows: list[int], point: Point) -> Outcome:
        context, last = self._context, rows[-1]
        arrived = len(rows) > 1
        outward = point.role is Role.VETH and arrived and context.point(rows[-2]).role is Role.CONTAINER
        if (tunnel := tunnel_at(context, point)) is not None:
            if context.dst(last) in tunnel.addresses:
                return Outcome(Disposition.DELIVERED, f"last seen at {point.name}, out of its tunnel", Basis.OBSERVED)
            reason = f"last seen at {point.name}; {tunnel.name} is a tunnel, which carries it on in packets of its own"
            return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.STATED)
        inside = point.role in INSIDE and not outward and not context.strays[last] and not self._own_port(last, point)
        if inside and (arrived or self._goes_to_container(last, point)):
            within = self._onward.into_container(rows) if point.role is Role.VETH else set()
            if within and (lost := self._lost(packet, last, point, within)).disposition is Disposition.LOST:
                return lost
            to = f"container {point.container}" if point.container else "its container"
            return Outcome(Disposition.DELIVERED, f"last seen at {point.name}, the way into {to}", Basis.OBSERVED)
        if point.role is Role.UPLINK and (arrived or self._is_own_source(last)) and not self._unpacked(rows):
            beyond = self._onward.ports_of(point)
            if beyond and not self._onward.has_all_ports(point):
                beyond = beyond & self._onward.of_stream(packet, rows)
            if (
                beyond
                and (lost := self._lost(packet, last, point, beyond, proven=True)).disposition is Disposition.LOST
            ):
                return lost  # behind the last rule that the prover knows
            return Outcome(Disposition.LEFT_HOST, f"last seen going out on {point.name}", Basis.OBSERVED)
        reached = self._reached_port(rows)
        if reached is not None:
            return Outcome(Disposition.DELIVERED, f"seen at {reached}, the port of its destination MAC", Basis.OBSERVED)
        if point.role is Role.LOOPBACK:
            return Outcome(Disposition.DELIVERED, "loopback: sender and receiver are this host", Basis.OBSERVED)
        onward = self._onward.of_stream(packet, rows)
        stream = self.errors.stream_of(packet)
        translated = self._onward.translated(stream, last)
        if (found := self._taken_here(packet, rows)) is not None:
            return found
        if not (onward or translated) and (found := self._for_host(packet, rows, point)) is not None:
            return found
        others = self._onward
        onward = others.to_inner(stream, rows, onward) if translated else onward or others.to_target(rows)
        if onward:
            proven = bool(onward & self._onward.of_stream(packet, rows))
            lost = self._lost(packet, last, point, onward, proven=proven)
            return self._stopped(packet, rows, lost=lost.disposition is Disposition.LOST) or lost
        got_through = "its connection was answered, but " if self._answered(packet) else ""
        reason = f"last seen at {point.name}; {got_through}no captured point shows where packets go from there"
        unseen = Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED, own=self._may_be_stopped(packet))
        return self._stopped(packet, rows) or unseen

    def _unpacked(self, rows: list[int]) -> bool:
        """Tell whether a packet came out of its tunnel last: it comes in where it was seen then."""
        layers = self._context.layers
        return len(rows) > 1 and bool(layers(rows[-2]) & ~layers(rows[-1]) & Layer.TUNNEL)

    def _taken_here(self, packet: int, rows: list[int]) -> Outcome | None:
        """Decide about a packet to somebody else that this host takes itself: a transparent proxy; else None."""
        context, dst = self._context, self._context.dst(rows[-1])
        place = int(context.packet_start[packet])
        number = int(context.hops["connection"][place])
        if number < 0 or context.hops["reply"][place] or dst is None:
            return None
        answer = self._accepted.get(number)
        if answer is not None and context.made_by_host(answer) and not context.host_at(rows[-1]).owns(dst):
            shown = f"frame {context.value('frame', answer)} at {context.point(answer).name}"
            reason = f"this host itself takes it, and answers in place of {dst} ({shown})"
            return Outcome(Disposition.DELIVERED, reason, Basis.OBSERVED)
        rule = self.prover.taken(packet, rows) if answer is None else None
        if rule is None:
            return None
        return Outcome(Disposition.DELIVERED, f"this host itself takes it, by rule “{rule.text}”", Basis.STATED)

    @cached_property
    def _accepted(self) -> dict[int, int]:
        """The first row of each connection's SYN,ACK."""
        context, frames = self._context, self._context.frames
        start = context.packet_start[:-1]
        rows, connections = context.hops["row"][start], context.hops["connection"][start]
        both = (frames["tcp_flags"][rows] & (SYN | ACK) == SYN | ACK) & has(frames["layers"][rows], Layer.TCP)
        found = np.flatnonzero(both & context.hops["reply"][start] & (connections >= 0))[::-1]
        return dict(zip(connections[found].tolist(), rows[found].tolist(), strict=True))

    def _is_reset(self, packet: int) -> bool:
        """Tell whether RST is all that came back: a rule that only drops did not send that."""
        return int(self._context.hops["connection"][self._context.packet_start[packet]]) in self._reset_only

    @cached_property
    def _reset_only(self) -> frozenset[int]:
        """Connections to whose SYNs this host itself answered by RST, and by nothing else."""
        context, frames = self._context, self._context.frames
        start = context.packet_start[:-1]
        rows, connections = context.hops["row"][start], context.hops["connection"][start]
        reply = context.hops["reply"][start] & (connections >= 0)
        resets = reply & (frames["tcp_flags"][rows] & RST != 0) & has(frames["layers"][rows], Layer.TCP)
        others = frozenset(connections[reply & ~resets].tolist())
        macs = np.array(sorted(context.host_macs), np.int64)
        own = resets & np.isin(frames["eth_src"][rows], macs) & np.isin(frames["ttl"][rows], FRESH_TTLS)
        return frozenset(connections[own].tolist()) - others

    def _for_host(self, packet: int, rows: list[int], point: Point) -> Outcome | None:
        """Decide about a packet to an address that is the host's own, as dumps or its ARP answers say; else None."""
        last, dst = rows[-1], self._context.dst(rows[-1])
        if dst is None or not self._context.host_at(last).owns(dst):
            inferred = Outcome(Disposition.DELIVERED, f"{dst} is the host's own address", Basis.INFERRED)
            return inferred if self._answers_for(last) else None
        if self._may_be_stopped(packet):
            if (stopped := self._stopped(packet, rows, lost=True)) is not None:
                return stopped
            if (further := self._by_rules(packet, rows, point)) is not None:
                return further
            if (silenced := self.prover.answer(packet, rows)) is not None:
                reason = f"{dst} is the host's own address; its answer is stopped: {silenced.text}"
                return Outcome(Disposition.DELIVERED, reason, Basis.STATED, own=True, cause=silenced)
        if (inside := self._translated_back(last)) is not None:
            reason = f"last seen at {point.name}; conntrack sends it on to {inside}, where nothing was captured"
            return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.STATED)
        taken = self._taken_by(last, dst)
        return Outcome(Disposition.DELIVERED, f"{dst} is the host's own address{taken}", Basis.STATED)

    def _taken_by(self, row: int, dst: Address) -> str:
        """Name the container on the host's network that listens for a packet, if one does."""
        host, protocol = self._context.host_at(row), LISTENED.get(self._context.value("proto", row))
        socket = host.listener(protocol, dst, self._context.value("dport", row)) if protocol and host.on_host else None
        owner = host.owner_of_socket(socket) if socket is not None else None
        return f", and {socket.program or 'a program'} of container {owner} listens there" if socket and owner else ""

    def _translated_back(self, row: int) -> Address | None:
        """Return who gets an answer that comes to the host's address in somebody's place, as conntrack was recorded."""
        context = self._context
        layers = context.layers(row)
        if not layers & (Layer.PORTS | Layer.ECHO):
            return None
        ports = (context.value("sport", row), context.value("dport", row)) if layers & Layer.PORTS else (None, None)
        echo = context.value("icmp_id", row) if layers & Layer.ECHO else None
        key = (protocol_of(context, row), context.src(row), context.dst(row), *ports, echo)
        return context.masqueraded(row).get(key)

    def _by_rules(self, packet: int, rows: list[int], point: Point) -> Outcome | None:
        """Tell where a packet for the host's address goes if rules send it on; None if they do not, or nobody knows."""
        target = self.prover.sent_on(packet, rows)
        if target is None:
            return None
        chosen = self._context.route_to(target, rows[-1])
        onward = self._onward.by_interface(chosen.route.dev if chosen is not None else None, rows[-1])
        onward -= {self._context.value("point", row) for row in rows}
        if onward:
            lost = self._lost(packet, rows[-1], point, onward)
            return self._stopped(packet, rows, lost=lost.disposition is Disposition.LOST) or lost
        reason = f"last seen at {point.name}; rules send it on to {target}, which was not captured"
        return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.STATED, own=True)

    def _answered(self, packet: int) -> bool:
        """Tell whether a question's connection was answered: then something got through, whatever way it took."""
        context, place = self._context, int(self._context.packet_start[packet])
        number = int(context.hops["connection"][place])
        return number >= 0 and not context.hops["reply"][place] and bool(context.connections["seen_reply"][number])

    def _may_be_stopped(self, packet: int) -> bool:
        """Tell whether the packet is of a direction that nobody answers, on a host whose state is known."""
        context, place = self._context, int(self._context.packet_start[packet])
        number = int(context.hops["connection"][place])
        if number < 0 or not self.prover.able(int(context.hops["row"][place])):
            return False
        if number in self._reset_only:
            return not context.hops["reply"][place]
        return bool(context.hops["reply"][place]) or not context.connections["seen_reply"][number]

    def _stopped(self, packet: int, rows: list[int], *, lost: bool = False) -> Outcome | None:
        """Return the end that the recorded state proves; where nothing shows a loss, of unanswered packets only."""
        if not lost and not self._may_be_stopped(packet):
            return None
        cause = self._cause(packet, rows, lost=lost)
        if cause is None or (self._is_reset(packet) and (cause.rule is None or not RESETS.search(cause.rule.text))):
            return None
        reason = f"last seen at {self._context.point(rows[-1]).name}; {cause.text}"
        return Outcome(cause.disposition, reason, Basis.STATED, own=True, cause=cause)

    def _cause(self, packet: int, rows: list[int], *, lost: bool = False) -> Cause | None:
        cause = self.prover.why(packet, rows, lost=lost)
        return None if cause is None or cause.unknown else cause

    def _reached_port(self, rows: list[int]) -> str | None:
        """Return the port behind which the destination MAC is at home, if the packet was seen there.

        A bridge's own copy of a frame may carry a later time than the frame at the port.
        """
        context = self._context
        home = context.homes.get(context.value("eth_dst", rows[-1]))
        if home is None or context.points[home[0]].role not in INSIDE:
            return None
        arrived = any(context.value("point", row) == home[0] for row in rows[1:])
        return context.points[home[0]].name if arrived else None

    def _own_port(self, row: int, point: Point) -> bool:
        """Tell whether a packet was seen where its own sender is: it leaves, whatever was seen before."""
        src, dst = self._context.src(row), self._context.dst(row)
        owner = self._context.owner_of_address(src, row) if src is not None and src != dst else None
        return owner is not None and owner.name == point.container and not self._goes_to_container(row, point)

    def _goes_to_container(self, row: int, point: Point) -> bool:
        """Tell whether the container of this veth is the receiver, by its address."""
        dst = self._context.dst(row)
        owner = self._context.owner_of_address(dst, row) if dst is not None else None
        return owner is not None and owner.name == point.container

    def _is_own_source(self, row: int) -> bool:
        src = self._context.src(row)
        mac = self._context.value("eth_src", row)
        return mac in self._context.host_macs or (src is not None and self._context.host_at(row).owns(src))

    def _answers_for(self, row: int) -> bool:
        """Tell whether frames show the destination to be an address of the host: its MAC answers for it in ARP."""
        context = self._context
        mac, table = context.value("eth_dst", row), context.neighbours
        high, low = context.frames["dst_hi"][row], context.frames["dst"][row]
        answers = (table["op"] == 2) & (table["mac"] == mac) & (table["asked_hi"] == high) & (table["asked"] == low)
        return bool(answers.any()) and mac in context.host_macs

    def _lost(self, packet: int, row: int, point: Point, onward: set[int], *, proven: bool = False) -> Outcome:
        """
        Decide about a packet that one of the points *onward* should have seen.

        *proven* tells that one of them saw others of its stream, so that no filter leaves them out.
        """
        context = self._context
        time_ns = context.value("time_ns", row)
        names = []
        for number in sorted(onward):
            there = context.points[number]
            if context.apart_in_time(point.id, number):
                reason = f"last seen at {point.name}; {there.name} seems to have another clock, so that nothing is sure"
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
            if not there.covers(time_ns):
                reason = f"last seen at {point.name}; {there.name} has no frames before and after, to show it recorded"
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED, own=True)
            if there.dropped:
                reason = (
                    f"last seen at {point.name}; {there.name} dropped {plural(there.dropped, 'frame')} while capturing"
                )
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
            if there.uncounted:
                reason = f"last seen at {point.name}; {there.name} has no closing counts: it may have missed some"
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
            if there.filter and not proven:
                reason = f"last seen at {point.name}; the filter “{there.filter}” may have kept it from {there.name}"
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
            names.append(there.name)
        if not self._told_apart(row):
            reason = f"last seen at {point.name}; the captures keep too few bytes to tell its kind of packets apart"
            return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
        if self._may_have_passed(packet, onward):
            reason = f"last seen at {point.name}; equal packets at {' or '.join(names)} may be it, translated"
            return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
        if self._was_answered(packet, onward):
            reason = f"last seen at {point.name}, not at {' or '.join(names)}; it was answered, so it did go on"
            return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.OBSERVED, own=True)
        reason = f"seen at {point.name}, not at {' or '.join(names)}, which was recording and lies on the way"
        return Outcome(Disposition.LOST, reason, Basis.INFERRED, own=True, onward=tuple(names))

    def _may_have_passed(self, packet: int, onward: set[int]) -> bool:
        """Tell whether a point that should have seen it saw what may be its connection, with other addresses."""
        context = self._context
        number = int(context.hops["connection"][context.packet_start[packet]])
        for other in context.doubts.maybe.get(number, ()):
            seen = np.bitwise_or.reduce(context.points_seen[context.packets_of(other)])
            if np.bitwise_or.reduce(point_bits(np.array(sorted(onward)))) & seen:
                return True
        return False

    def _told_apart(self, row: int) -> bool:
        """Tell whether every point kept the headers by which packets are recognised."""
        layers = self._context.layers(row)
        header = IPV6_HEADER if layers & Layer.IPV6 else IPV4_HEADER
        needed = ETH_HEADER + header + (TCP_HEADER if layers & Layer.TCP or not layers & TRANSPORT else UDP_HEADER)
        return all(point.snap_len is None or point.snap_len >= needed for point in self._context.points)

    def _was_answered(self, packet: int, onward: set[int]) -> bool:
        """
        Tell whether an answer shows that a packet went on, although no point that was to see it next did.

        The host's own answer, such as a rule's RST, does not: it comes from a MAC of the host, and no router has
        counted its TTL down. Of a segment that was sent again, either copy may be the one that was answered.
        """
        context = self._context
        answer = int(self.answers.answered_by[packet])
        if answer < 0 or self.answers.repeated[packet]:
            return False
        rows = context.rows_of(answer)
        passed = any(context.value("point", row) in onward for row in rows)
        return passed or not context.made_by_host(rows[0])
