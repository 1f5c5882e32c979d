"""SNAT gave connections other source ports, because theirs were taken, or at random."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import Severity
from analyzer.schema import Int64


def causes(case: Case) -> Iterator[Cause]:
    """Give connections whose source port is another one after SNAT."""
    table = case.context.connections
    ports = np.isin(table["proto"], (6, 17))
    numbers = np.flatnonzero(
        ports & case.my_connections & case.source_moved & (table["orig_sport"] != table["reply_dport"])
    )
    if len(numbers):
        yield Cause([], partial(_tell, case, numbers))


def _tell(case: Case, numbers: Int64, _: list[int]) -> Told:
    connection = case.tracer.connection(int(numbers[0]))
    packets = [int(case.context.packets_of(number)[0]) for number in numbers[:SHOWN].tolist()]
    return Told(
        {"rewritten": Count(len(numbers)), "example": str(connection.original), "port": connection.reply.dport or 0},
        evidence=case.evidence(packets),
    )


HYPOTHESIS = Hypothesis(
    "nat-port-rewritten",
    Severity.INFO,
    "captures",
    "SNAT changed source ports, not only addresses.",
    "Nothing to do, unless something outside asks for a fixed source port.",
    causes,
)
