"""SNAT gave connections other source ports, because theirs were taken."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import Severity
from analyzer.model.rules import ports_at_random
from analyzer.schema import Int64


def causes(case: Case) -> Iterator[Cause]:
    """Give connections whose source port is another one after SNAT, where the rule does not choose ports at random."""
    table = case.context.connections
    ports = np.isin(table["proto"], (6, 17))
    numbers = np.flatnonzero(
        ports & case.my_connections & case.source_moved & (table["orig_sport"] != table["reply_dport"])
    )
    if not all(_at_random(case, number) for number in numbers[:SHOWN].tolist()):
        yield Cause([], partial(_tell, case, numbers))


def _at_random(case: Case, number: int) -> bool:
    return any(ports_at_random(change.rule) for change in case.tracer.connection(number).nat if change.kind == "SNAT")


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
