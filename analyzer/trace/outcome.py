"""How a journey ended. Three values for what was not seen: lost needs proof that the next point would have shown it.

A packet is lost only if the next point on its way was recording at that time, as its own frames before and after
show, and if the way leads there: other packets of the connection, or to the same destination, went from the last
point to that one, or a recorded route says so. Else its fate is not observable.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.model import Basis, Disposition, Point, Role
from analyzer.schema import Layer
from analyzer.trace.context import Context
from analyzer.trace.died import Errors
from analyzer.trace.onward import Onward
from analyzer.trace.prove import Prover
from analyzer.trace.text import icmp_text
from analyzer.trace.way import Cause

INSIDE = (Role.CONTAINER, Role.VETH)
MULTICAST = 1 << 40


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


class Outcomes:
    """Decides journeys' ends; the lookups are made once for all."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._onward = Onward(context)
        self.errors = Errors(context)
        self.prover = Prover(context)

    def all_dispositions(self) -> list[Disposition]:
        """Return the disposition of every packet; packets alike in all that decides it are decided once."""
        context, frames, hops = self._context, self._context.frames, self._context.hops
        start, stop = context.packet_start[:-1], context.packet_start[1:]
        if not len(start):
            return []
        last = hops["row"][stop - 1]
        before = np.where(stop - start > 1, frames["point"][hops["row"][np.maximum(stop - 2, 0)]], -1)
        seen = np.bitwise_or.reduceat(np.int64(1) << (frames["point"][hops["row"]].astype(np.int64) % 63), start)
        names = ("point", "eth_src", "eth_dst", "src_hi", "src", "dst_hi", "dst", "layers")
        kinds = (hops["connection"][start], hops["reply"][start], before, seen, *(frames[n][last] for n in names))
        group, first = group_rows(*kinds)
        decided = [self.of(packet, context.rows_of(packet)) for packet in first.tolist()]
        found = [decided[number].disposition for number in group.tolist()]
        alone = np.array([outcome.own for outcome in decided])[group] | self.errors.may_be_about()
        for packet in np.flatnonzero(alone).tolist():
            found[packet] = self.of(packet, context.rows_of(packet)).disposition
        return found

    def of(self, packet: int, rows: list[int]) -> Outcome:
        """Decide one packet's end."""
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
            cause = self._cause(packet, rows) if self._is_own_source(error) else None
            return Outcome(Disposition.REJECTED, reason, Basis.OBSERVED, own=True, error=packet_of_error, cause=cause)
        if context.layers(last) & Layer.MAC_DST and context.value("eth_dst", last) & MULTICAST:
            return Outcome(Disposition.DELIVERED, "broadcast or multicast, seen on its segment", Basis.OBSERVED)
        if context.layers(last) & Layer.NEIGHBOUR:
            return Outcome(Disposition.DELIVERED, f"seen at {point.name}, on its own segment", Basis.OBSERVED)
        return self._by_place(packet, rows, point)

    def _by_place(self, packet: int, rows: list[int], point: Point) -> Outcome:
        context, last = self._context, rows[-1]
        arrived = len(rows) > 1
        outward = point.role is Role.VETH and arrived and context.point(rows[-2]).role is Role.CONTAINER
        if point.role in INSIDE and not outward and (arrived or self._goes_to_container(last, point)):
            to = f"container {point.container}" if point.container else "its container"
            return Outcome(Disposition.DELIVERED, f"last seen at {point.name}, the way into {to}", Basis.OBSERVED)
        if point.role is Role.UPLINK and (arrived or self._is_own_source(last)):
            return Outcome(Disposition.LEFT_HOST, f"last seen going out on {point.name}", Basis.OBSERVED)
        reached = self._reached_port(rows)
        if reached is not None:
            return Outcome(Disposition.DELIVERED, f"seen at {reached}, the port of its destination MAC", Basis.OBSERVED)
        dst = context.dst(last)
        onward = self._onward.of_stream(packet, rows)
        translated = self._onward.translated(packet, last)
        if translated and not onward:
            onward = self._onward.way_back(packet, rows)
        owned = dst is not None and context.host.owns(dst) and not translated
        if not onward and not translated and (owned or self._answers_for(last)):
            stopped = self._stopped(packet, rows) if owned else None
            if stopped is not None:
                return stopped
            basis = Basis.STATED if owned else Basis.INFERRED
            return Outcome(Disposition.DELIVERED, f"{dst} is the host's own address", basis)
        if not onward and not translated and self._onward.host_answers(packet, last):
            reason = f"answers come from {point.name} itself, so {dst} is the host's own address"
            return Outcome(Disposition.DELIVERED, reason, Basis.INFERRED)
        onward = onward or self._onward.to_target(rows)
        if onward:
            lost = self._lost(last, point, onward)
            return self._stopped(packet, rows, lost=lost.disposition is Disposition.LOST) or lost
        if point.role is Role.LOOPBACK:
            return Outcome(Disposition.DELIVERED, "loopback: sender and receiver are this host", Basis.OBSERVED)
        reason = f"last seen at {point.name}; no captured point shows where packets go from there"
        unseen = Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED, own=self._may_be_stopped(packet))
        return self._stopped(packet, rows) or unseen

    def _may_be_stopped(self, packet: int) -> bool:
        """Tell whether the packet is of a direction that nobody answers, on a host whose state is known."""
        context, place = self._context, int(self._context.packet_start[packet])
        number = int(context.hops["connection"][place])
        if not self.prover.able or number < 0:
            return False
        return bool(context.hops["reply"][place]) or not context.connections["seen_reply"][number]

    def _stopped(self, packet: int, rows: list[int], *, lost: bool = False) -> Outcome | None:
        """Return the end that the recorded state proves; where nothing shows a loss, of unanswered packets only."""
        if not lost and not self._may_be_stopped(packet):
            return None
        cause = self._cause(packet, rows)
        if cause is None:
            return None
        reason = f"last seen at {self._context.point(rows[-1]).name}; {cause.text}"
        return Outcome(cause.disposition, reason, Basis.STATED, own=True, cause=cause)

    def _cause(self, packet: int, rows: list[int]) -> Cause | None:
        cause = self.prover.why(packet, rows)
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

    def _goes_to_container(self, row: int, point: Point) -> bool:
        """Tell whether the container of this veth is the receiver, by its address."""
        dst = self._context.dst(row)
        owner = self._context.host.container_of_address(dst) if dst is not None else None
        return owner is not None and owner.name == point.container

    def _is_own_source(self, row: int) -> bool:
        src = self._context.src(row)
        mac = self._context.value("eth_src", row)
        return mac in self._context.host_macs or (src is not None and self._context.host.owns(src))

    def _answers_for(self, row: int) -> bool:
        """Tell whether frames show the destination to be an address of the host: its MAC answers for it in ARP."""
        context = self._context
        mac, table = context.value("eth_dst", row), context.neighbours
        high, low = context.frames["dst_hi"][row], context.frames["dst"][row]
        answers = (table["op"] == 2) & (table["mac"] == mac) & (table["asked_hi"] == high) & (table["asked"] == low)
        return bool(answers.any()) and mac in context.host_macs

    def _lost(self, row: int, point: Point, onward: set[int]) -> Outcome:
        context = self._context
        time_ns = context.value("time_ns", row)
        names = []
        for number in sorted(onward):
            there = context.points[number]
            if not there.covers(time_ns):
                reason = f"last seen at {point.name}; {there.name} has no frames before and after, to show it recorded"
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED, own=True)
            if there.dropped:
                reason = f"last seen at {point.name}; {there.name} dropped {there.dropped} frames while capturing"
                return Outcome(Disposition.NOT_OBSERVABLE, reason, Basis.INFERRED)
            names.append(there.name)
        reason = f"seen at {point.name}, not at {' or '.join(names)}, which was recording and lies on the way"
        return Outcome(Disposition.LOST, reason, Basis.INFERRED, own=True, onward=tuple(names))
