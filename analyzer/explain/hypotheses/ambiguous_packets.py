"""Frames that fit more than one packet or mapping: said, instead of guessed."""

from collections.abc import Iterator, Sequence

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Evidence, Severity

SHOWN = 5


def causes(case: Case) -> Iterator[Cause]:
    """Give mappings and packets for which order, time and content do not decide."""
    context = case.context
    connections = np.flatnonzero(context.connections["ambiguous"] & case.my_connections)
    rows = context.hops["row"][context.hops["ambiguous"] & case.mine[context.hops["packet"]]]
    shown = rows[:SHOWN].tolist() or [
        row
        for number in connections[:SHOWN].tolist()
        for row in context.rows_of(int(context.packets_of(number)[0]))[:1]
    ]
    numbers = case.numbers[context.packet_of_row[shown]].tolist()
    yield from unsure(len(connections), len(rows), [context.evidence(row) for row in shown], numbers)


def unsure(connections: int, frames: int, evidence: Sequence[Evidence], numbers: Sequence[int] = ()) -> Iterator[Cause]:
    """Give so many connections and frames, if there are any, with the numbers of the packets that show them."""
    if connections or frames:
        facts: Facts = {"connections_unsure": Count(connections), "frames": Count(frames)}
        told = Told(facts, evidence=tuple(evidence), weights=tuple(numbers))
        yield Cause([], lambda _: told, Basis.INFERRED)


HYPOTHESIS = Hypothesis(
    "ambiguous-packets",
    Severity.INFO,
    "captures (conntrack-events.txt)",
    "Frames fit more than one packet or connection, and are grouped by order and time.",
    "Record conntrack events beside the captures, or use a larger snap length.",
    causes,
)
