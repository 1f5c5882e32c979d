"""Losses by link and cause, and the retransmissions that they made: an original was lost where it was seen last."""

from collections import defaultdict

import numpy as np

from analyzer.model import Disposition
from analyzer.model.loss import Loss
from analyzer.trace.answers import sent_again
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context

BAD = (Disposition.LOST, Disposition.DROPPED, Disposition.REJECTED)
MOST = 50
Key = tuple[str, str | None, Disposition, str | None]


def losses(context: Context, tracer: Tracer) -> list[Loss]:
    """Count packets that did not arrive, and those that were sent again although they went their way."""
    repeated = set(sent_again(context)[1].tolist())
    bad = [packet for packet, kind in enumerate(tracer.dispositions) if kind in BAD]
    by_link: dict[Key, list[int]] = defaultdict(list)
    for packet in sorted({*bad, *repeated}):
        by_link[_link(context, tracer, packet)].append(packet)
    found = [_loss(context, key, packets, repeated) for key, packets in by_link.items()]
    return sorted(found, key=lambda loss: (-loss.packets, loss.last_point, loss.disposition))[:MOST]


def _link(context: Context, tracer: Tracer, packet: int) -> Key:
    outcome = tracer.outcome(packet)
    last = context.point(context.rows_of(packet)[-1]).name
    cause = outcome.cause.check if outcome.cause is not None else None
    return last, " or ".join(outcome.onward) or None, outcome.disposition, cause


def _loss(context: Context, key: Key, packets: list[int], repeated: set[int]) -> Loss:
    connection = context.hops["connection"][context.packet_start[packets]]
    last_point, next_point, disposition, cause = key
    return Loss(
        last_point=last_point,
        next_point=next_point,
        disposition=disposition,
        packets=len(packets),
        sent_again=len(repeated.intersection(packets)),
        connections=len(np.unique(connection[connection >= 0])),
        cause=cause,
    )
