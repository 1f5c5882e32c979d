"""One packet to a Journey: its hops, the steps between them, how it ended, and what answered it."""

from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any

import numpy as np

from analyzer.decode.offsets import ACK
from analyzer.journey.connection import build_connection
from analyzer.journey.own import OwnRoutes
from analyzer.journey.relayed import relay_of
from analyzer.journey.steps import between, rewrites
from analyzer.journey.tunnel import through_tunnel
from analyzer.model import (
    ArpExchange,
    Connection,
    Direction,
    Disposition,
    FilterStep,
    Hop,
    HostState,
    Journey,
    ProxyStep,
    Rewrite,
    Step,
)
from analyzer.model.drop import Drop
from analyzer.model.journey import CODES
from analyzer.packet.answers import Answers
from analyzer.packet.arp import by_pair, waited_for
from analyzer.packet.context import Context
from analyzer.packet.late_segments import late_segments
from analyzer.packet.outcome import Outcome, Outcomes
from analyzer.packet.prove import Prover
from analyzer.packet.sight import MOST_HOPS, Sight, sights
from analyzer.packet.stops import Cause
from analyzer.packet.text import protocol_of, summary
from analyzer.schema import Array, Int64, Layer

SHOWN = (
    ("eth_src", Layer.MAC_SRC), ("eth_dst", Layer.MAC_DST), ("vlan", Layer.VLAN), ("sport", Layer.PORTS),
    ("dport", Layer.PORTS), ("icmp_id", Layer.ECHO), ("ttl", Layer.IPV4 | Layer.IPV6),
    ("ip_id", Layer.IPV4 | Layer.FRAGMENT),
)  # fmt: skip
"""What a hop shows of a frame, and where it holds a value."""


class Tracer:
    """Builds journeys on request; what journeys share is looked up once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._outcomes = Outcomes(context)
        self._exchanges = context.all.exchanges
        self._by_pair = by_pair(context, self._exchanges)
        self._own_routes = OwnRoutes(context, self._exchanges)
        self._connections: dict[int, Connection] = {}

    def exchanges(self) -> list[ArpExchange]:
        """Return every ARP and NDP exchange once, in order of time."""
        return self._context.all.resolved

    def connection(self, number: int) -> Connection:
        """Return a connection."""
        if number not in self._connections:
            self._connections[number] = build_connection(self._context, number)
        return self._connections[number]

    @cached_property
    def ends(self) -> Array:
        """(packets,) uint8: how each ended, as ``CODES``, without building its journey."""
        return self._outcomes.all_ends()

    @property
    def decided_alone(self) -> Array:
        """(packets,) bool: how each ended hangs on itself, and not on what packets like it have in common."""
        _ = self.ends
        return self._outcomes.alone

    def ended(self, *kinds: Disposition) -> Int64:
        """Return the packets that ended so, in order of time."""
        return np.flatnonzero(np.isin(self.ends, [CODES[kind] for kind in kinds]))

    @cached_property
    def late_segments(self) -> Int64:
        """Packets that came in only when they were sent again."""
        return late_segments(self._context, self.answers.sent_again[0])

    def outcome(self, packet: int) -> Outcome:
        """Return how a packet ended, and what is known of why."""
        return self._outcomes.of(packet, self._context.hop_rows(packet))

    @property
    def answers(self) -> Answers:
        """What answers what."""
        return self._outcomes.answers

    @property
    def quoted_by_error(self) -> dict[int, int]:
        """Packets that ICMP errors are about, by the error's packet."""
        return self._outcomes.errors.quoted

    @property
    def silenced(self) -> Int64:
        """Packets to the host itself whose answers it stops."""
        _ = self.ends
        return self._outcomes.silenced

    @property
    def drops(self) -> dict[int, Drop]:
        """What the kernel itself says that it dropped, by packet."""
        return self._outcomes.drops

    @property
    def prover(self) -> Prover:
        """What runs packets through recorded states."""
        return self._outcomes.prover

    def journey(self, packet: int) -> Journey:
        """Tell one packet's journey."""
        return next(self.journeys(np.array([packet])))

    def journeys(self, packets: Int64) -> Iterator[Journey]:
        """Tell the journeys of *packets* one after the other."""
        return map(self._journey, packets.tolist(), sights(self._context, packets))

    def _journey(self, packet: int, parts: list[list[Sight]]) -> Journey:
        """Tell one from what was seen of it, hop by hop."""
        context, rows = self._context, self._context.hop_rows(packet)
        place = int(context.packet_start[packet])
        connection, reply = self._stream_of(packet)
        quoted = self.quoted_by_error.get(packet) if connection < 0 else None
        if quoted is not None:  # conntrack: RELATED, and translated like a packet of the other direction
            connection, forward = self._stream_of(quoted)
            reply = not forward and connection >= 0
        nat = self.connection(connection).nat if connection >= 0 else ()
        hops: list[Hop] = []
        steps: list[Step] = []
        before: list[Sight] = []
        for index, part in enumerate(parts):
            changed = rewrites(context, before, part, reply=reply) if before else ()
            if not index and (own := self._own_routes.of(part[0])) is not None:
                steps.append(own)
            steps += through_tunnel(context, before[0] if before else None, part[0], index)
            if before:
                steps += between(context, before[0], part[0], index, changed, self._exchanges, nat)
            waited = waited_for(context, self._by_pair, part[0], index)
            # On a bridge the exchange is seen at every port; the packet waited where it was sent.
            if waited is not None and (not index or any(r.field == "eth_src" for r in changed)):
                steps.append(waited)
            following = rows[index + 1] if index + 1 < len(rows) else None
            hops.append(_hop(context, part, following, changed))
            before = part
        onward = self._onward(connection, reply=reply)
        if onward is not None and context.value("payload_len", rows[-1]):
            steps.append(self._relay(connection, onward, len(hops)))
        outcome = self._outcomes.of(packet, rows)
        if outcome.cause is not None:
            steps.append(_filter_step(context.host_at(rows[-1]), outcome.cause, len(hops)))
        more = f"; the first {MOST_HOPS:,} of {len(rows):,} hops are told" if len(rows) > MOST_HOPS else ""
        answers = self.answers
        ambiguous = bool(context.hops["ambiguous"][place])
        answered_by = _known(answers.answered_by[packet])
        return Journey(
            id=packet,
            connection=connection if connection >= 0 else None,
            direction=(Direction.REPLY if reply else Direction.ORIGINAL) if connection >= 0 else None,
            protocol=protocol_of(context, rows[0]),
            summary=summary(context, [seen.row for seen in parts[0]]),
            disposition=outcome.disposition,
            reason=outcome.reason + more,
            basis=outcome.basis,
            latency_ns=context.latency(rows[0], rows[-1])[0],
            hops=tuple(hops),
            steps=tuple(steps),
            answers=_known(answers.answers[packet]),
            answered_by=answered_by,
            reply_latency_ns=self._reply_latency(rows, answered_by),
            sent_again_ns=self._sent_again(packet, answered_by),
            retransmission_of=_known(answers.retransmission_of[packet]),
            rejected_by=outcome.error,
            error_about=quoted,
            ambiguous=ambiguous,
            candidates=tuple(context.alike(packet)) if ambiguous else None,
            **_numbers(parts[0]),
        )

    def _stream_of(self, packet: int) -> tuple[int, bool]:
        """Return a packet's connection, -1 for none, and whether it goes in the reply direction."""
        place = int(self._context.packet_start[packet])
        return int(self._context.hops["connection"][place]), bool(self._context.hops["reply"][place])

    def _onward(self, connection: int, *, reply: bool) -> int | None:
        """Return the connection in which a relay sends on what goes in this direction of *connection*."""
        if connection < 0:
            return None
        told = self.connection(connection)
        return told.relayed_from if reply else told.relayed_to

    def _relay(self, connection: int, onward: int, at_hop: int) -> ProxyStep:
        """Say who takes the bytes of a connection, and sends them on in another one."""
        here, there = self.connection(connection).original, self.connection(onward).original
        user_mode = {here.src, here.dst} == {there.src, there.dst}
        host = self._context.host_at(self._context.rows_of(int(self._context.packets_of(connection)[0]))[0])
        return ProxyStep(onward, at_hop, relay_of(host, (here, there), user_mode=user_mode), user_mode)

    def _sent_again(self, packet: int, answered_by: int | None) -> int | None:
        """Return how long after a packet its last copy before the answer followed it."""
        if answered_by is None or not self.answers.repeated[packet]:
            return None
        copies = self.answers.copies(packet)
        copies = copies[copies < answered_by]
        first, last = (self._context.rows_of(one)[0] for one in (packet, int(copies.max(initial=packet))))
        return self._context.value("time_ns", last) - self._context.value("time_ns", first) if len(copies) else None

    def _reply_latency(self, rows: list[int], answered_by: int | None) -> int | None:
        """Return the time until the answer came back to the point that saw the question first."""
        if answered_by is None:
            return None
        context = self._context
        point = context.value("point", rows[0])
        back = [r for r in context.rows_of(answered_by) if context.value("point", r) == point]
        return context.value("time_ns", back[-1]) - context.value("time_ns", rows[0]) if back else None


def _known(packet: np.int64) -> int | None:
    return int(packet) if packet >= 0 else None


def _filter_step(host: HostState, cause: Cause, at_hop: int) -> FilterStep:
    rule = cause.rule
    before = host.counted_before(rule) if rule is not None else None
    return FilterStep(
        verdict="reject" if cause.disposition is Disposition.REJECTED else "drop",
        cause=cause.text,
        at_hop=at_hop,
        rule=rule.text if rule is not None else None,
        table=rule.table if rule is not None else None,
        counted=rule.packets - (before or 0) if rule is not None else None,
    )


def _numbers(parts: list[Sight]) -> dict[str, Any]:
    """Return what a packet carries, and TCP's numbers, by the frames of its first hop."""
    first, found = parts[0], {}
    if first.layers & (Layer.IPV4 | Layer.IPV6):
        found["payload_len"] = sum(part.payload_len for part in parts)
    if first.layers & Layer.TCP:
        found |= {"seq": first.seq, "window": first.window, "tcp_flags": first.tcp_flags}
        if first.tcp_flags & ACK:
            found["ack"] = first.ack
    return found


@cache
def _shown(layers: int) -> tuple[str, ...]:
    return tuple(name for name, of in SHOWN if layers & of)


def _hop(context: Context, parts: list[Sight], following: int | None, changed: tuple[Rewrite, ...]) -> Hop:
    first = parts[0]
    shown: dict[str, Any] = {name: getattr(first, name) for name in _shown(first.layers)}
    latency, doubt = context.latency(first.row, following) if following is not None else (None, None)
    return Hop(
        point=context.points[first.point].name,
        frames=tuple(part.frame for part in parts),
        time_ns=first.time_ns,
        latency_ns=latency,
        latency_uncertainty_ns=doubt,
        length=sum(part.orig_len for part in parts),
        src=first.source,
        dst=first.target,
        rewrites=changed,
        **shown,
    )
