"""Captures that were taken to be of one host are of two: their times fit only with an offset that no delay explains."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Basis, Evidence, Severity
from analyzer.packet.two_clocks import Pair


def causes(case: Case) -> Iterator[Cause]:
    """Give each clock that is not the first one's, with all its points."""
    partners: dict[int, set[int]] = {}
    for pair in case.context.two_clocks:
        partners.setdefault(pair.first, set()).add(pair.second)
        partners.setdefault(pair.second, set()).add(pair.first)
    told: set[tuple[int, ...]] = set()
    for pair in case.context.two_clocks:
        # Points of one clock are apart from the same others.
        ends = [sorted(p for p in partners if partners[p] == partners[end]) for end in (pair.first, pair.second)]
        if (key := tuple(sorted(ends[0] + ends[1]))) not in told:
            told.add(key)
            yield Cause([], partial(_tell, case, pair, *ends), Basis.INFERRED, key)


def _tell(case: Case, pair: Pair, first: list[int], second: list[int], _: list[int]) -> Told:
    points = case.context.points
    one, two = ([points[number].name for number in ends] for ends in (first, second))
    example = points[pair.second]
    return Told(
        {
            "first": one, "second": two, "ahead_s": pair.offset_ns / 1e9, "crossing": pair.packets,
            "before_sent": bool(pair.shown), "example": example.name, "file": example.file,
        },
        evidence=pair.shown or (Evidence(points[pair.first].name), Evidence(example.name)),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "two-clocks",
    Severity.WARNING,
    "captures of two points or more",
    "The times of two points fit only with an offset: they are of two hosts, and nobody said so.",
    "Say of which host each capture is: --point NAME=FILE,host=NAME.",
    causes,
)
