"""Losses by link and cause, and the retransmissions that they made: an original was lost where it was seen last."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from analyzer.model import Disposition
from analyzer.model.journey import BAD
from analyzer.model.loss import ConnectionLoss, Loss
from analyzer.schema import Int64
from analyzer.trace.answers import acknowledged_before
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context

MOST = 50
MOST_CONNECTIONS = 10
Key = tuple[str | None, str | None, Disposition, str | None]


def losses(context: Context, tracer: Tracer, explained: Callable[[int], str | None]) -> list[Loss]:
    """
    Count packets that did not arrive, those that were sent again although they went their way, and holes.

    *explained* tells which check explains the trouble of a packet.
    """
    again, originals = tracer.sent_again
    repeated = _unanswered(context, again, originals)
    bad = set(tracer.ended(*BAD).tolist())
    by_link: dict[Key, list[int]] = defaultdict(list)
    for packet in sorted(bad | repeated):
        by_link[_link(context, tracer, packet, explained)].append(packet)
    # An original that nobody saw is told by its copy, which came late.
    for packet in tracer.late_segments.tolist():
        by_link[None, context.point(context.rows_of(packet)[0]).name, Disposition.LOST, None].append(packet)
        repeated.add(packet)
    found = [_loss(context, key, packets, repeated) for key, packets in by_link.items()]
    return sorted(
        found, key=lambda loss: (-loss.packets, loss.last_point or "", loss.next_point or "", loss.disposition)
    )[:MOST]


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


def _loss(context: Context, key: Key, packets: list[int], repeated: set[int]) -> Loss:
    connection = context.hops["connection"][context.packet_start[packets]]
    numbers, counts = np.unique(connection[connection >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CONNECTIONS]
    most = zip(context.connection_id(numbers[order]).tolist(), counts[order].tolist(), strict=True)
    last_point, next_point, disposition, cause = key
    return Loss(
        last_point=last_point,
        next_point=next_point,
        disposition=disposition,
        packets=len(packets),
        sent_again=len(repeated.intersection(packets)),
        connections=len(numbers),
        most=tuple(ConnectionLoss(number, count) for number, count in most),
        cause=cause,
    )
