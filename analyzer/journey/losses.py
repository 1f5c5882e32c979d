"""Losses by link and cause, and the retransmissions that they made: an original was lost where it was seen last."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from analyzer.journey.build import Tracer
from analyzer.model import Disposition
from analyzer.model.journey import BAD
from analyzer.model.loss import ConnectionLoss, Loss
from analyzer.packet.answers import acknowledged_before
from analyzer.packet.context import Context
from analyzer.schema import Int64

MOST = 50
MOST_CONNECTIONS = 10
Key = tuple[str | None, str | None, Disposition, str | None]


@dataclass(slots=True)
class Lost:
    """Packets that were lost at one place for one reason."""

    place: tuple[bool, int]
    """What orders those of equal counts: whether nobody saw the originals, and the first packet's number."""
    packets: int = 0
    sent_again: int = 0
    of: Counter[int] = field(default_factory=Counter)
    """Packets by the number of their connection among all."""


def losses(context: Context, tracer: Tracer, explained: Callable[[int], str | None]) -> dict[Key, Lost]:
    """
    Count packets that did not arrive, those that were sent again although they went their way, and holes.

    Of those that are told in this part. *explained* tells which check explains the trouble of a packet.
    """
    again, originals = tracer.answers.sent_again
    repeated = _unanswered(context, again, originals)
    bad = set(tracer.ended(*BAD).tolist())
    connection = context.connection_id(context.hops["connection"][context.packet_start[:-1]])
    late_segments = tracer.late_segments.tolist()
    sent_again = repeated.union(late_segments)
    found: dict[Key, Lost] = {}

    def count(key: Key, packet: int, *, late: bool) -> None:
        lost = found.setdefault(key, Lost((late, int(context.numbers[packet]))))
        lost.packets += 1
        lost.sent_again += packet in sent_again
        if connection[packet] >= 0:
            lost.of[int(connection[packet])] += 1

    for packet in sorted(bad | repeated):
        if context.mine[packet]:
            count(_link(context, tracer, packet, explained), packet, late=False)
    # An original that nobody saw is told by its copy, which came late.
    for packet in late_segments:
        if context.mine[packet]:
            where = context.point(context.rows_of(packet)[0]).name
            count((None, where, Disposition.LOST, None), packet, late=True)
    return found


def together(parts: Iterable[dict[Key, Lost]]) -> tuple[Loss, ...]:
    """Return the losses of all parts, the most packets first."""
    found: dict[Key, Lost] = {}
    for key, lost in chain.from_iterable(part.items() for part in parts):
        known = found.setdefault(key, Lost(lost.place))
        known.place = min(known.place, lost.place)
        known.packets += lost.packets
        known.sent_again += lost.sent_again
        known.of += lost.of
    by_place = sorted(found, key=lambda key: found[key].place)
    told = sorted(
        (_loss(key, found[key]) for key in by_place),
        key=lambda loss: (-loss.packets, loss.last_point or "", loss.next_point or "", loss.disposition),
    )
    return tuple(told[:MOST])


def _unanswered(context: Context, again: Int64, originals: Int64) -> set[int]:
    """
    Return the packets that had to be sent again, for nothing had answered them.

    Where an answer was on its way already, it is the answer that was lost, and that has to be told of it.
    """
    answers = acknowledged_before(context, originals, again)
    return set(np.where(answers < 0, originals, answers).tolist())


def _link(context: Context, tracer: Tracer, packet: int, explained: Callable[[int], str | None]) -> Key:
    outcome = tracer.outcome(packet)
    last = context.point(context.rows_of(packet)[-1]).name
    own = outcome.cause.check if outcome.cause is not None else None
    return last, " or ".join(outcome.onward) or None, outcome.disposition, explained(packet) or own


def _loss(key: Key, lost: Lost) -> Loss:
    most = sorted(lost.of.items(), key=lambda one: (-one[1], one[0]))[:MOST_CONNECTIONS]
    last_point, next_point, disposition, cause = key
    return Loss(
        last_point=last_point,
        next_point=next_point,
        disposition=disposition,
        packets=lost.packets,
        sent_again=lost.sent_again,
        connections=len(lost.of),
        most=tuple(ConnectionLoss(number, count) for number, count in most),
        cause=cause,
    )
