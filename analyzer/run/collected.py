"""What a report tells of an analysis: all of it, or what belongs to some of its journeys."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analyzer.decode.offsets import PROTO_ICMP, PROTO_ICMP6, PROTO_TCP
from analyzer.journey.parties import parties
from analyzer.report.content import Content
from analyzer.run.narrow import Chosen

if TYPE_CHECKING:
    from analyzer.model import Connection
    from analyzer.run.trace import Trace

ANSWERING = (PROTO_ICMP, PROTO_ICMP6, PROTO_TCP)
"""What is answered where all is well; datagrams may be for nobody who talks."""


def collected(
    trace: "Trace",
    picked: Sequence[int] | None,
    *,
    journeys: int | None,
    connections: int | None,
    decisions: bool,
) -> Content:
    """
    Collect it: of the journeys *picked*, in order, or of all; at most so many *journeys* and *connections*.

    *decisions* asks for what hosts decide, and whose addresses are, which takes time.
    """
    chosen = None if picked is None else Chosen.of(trace.telling, np.array(picked, np.int64))
    shown = picked[:journeys] if picked is not None else None if journeys is None else trace.worth_reading(journeys)
    everyone = len(trace.correlated.connections["proto"])
    told = sorted(chosen.connections) if chosen is not None else list(range(everyone))
    texts = trace.telling.connection_texts()
    whose = trace.decisions if decisions else ()
    return Content(
        points=trace.points if chosen is None else chosen.seen(trace.points),
        connections=_connections(trace, told[:connections]),
        journeys=trace.journeys(shown),
        journey_texts=trace.texts(shown),
        stories=None if trace.asks_kernel else partial(trace.stories, shown),
        connection_texts=texts if chosen is None else _only(texts, chosen.connections),
        arp=trace.arp,
        findings=trace.findings if chosen is None else chosen.found(trace.findings),
        frames=trace.tables.rows,
        packets=trace.packets,
        connection_count=len(told),
        dispositions=trace.dispositions(picked),
        picked=trace.packets if picked is None else len(picked),
        shown=trace.packets if shown is None else len(shown),
        host_problems=trace.hosts.everywhere.problems,
        losses=trace.losses if chosen is None else chosen.lost(trace.losses),
        left_out=(*map(str, trace.unusable), *trace.doubled),
        unanswered=_unanswered(trace) if chosen is None else 0,
        worked=trace.worked if chosen is None else chosen.worked(trace.worked),
        explained=trace.telling.checks.get,
        decisions=tuple(one for one in whose if chosen is None or one.journey in chosen.packets),
        parties=parties(trace.hosts, trace.names) if decisions else (),
    )


def _connections(trace: "Trace", numbers: list[int]) -> "Iterator[Connection]":
    """Build connections, when somebody reads them."""
    yield from trace.telling.connections(np.array(numbers, np.int64))


def _unanswered(trace: "Trace") -> int:
    """Connections of kinds that have answers, pings and TCP, of which no packet in the other direction was seen."""
    table = trace.correlated.connections
    return int((~table["seen_reply"] & np.isin(table["proto"], ANSWERING)).sum())


def _only(texts: Iterator[str], numbers: frozenset[int]) -> Iterator[str]:
    """Give the texts of those numbers."""
    return (text for number, text in enumerate(texts) if number in numbers)
