"""Packets take long from one point of the host to the next."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Severity
from analyzer.schema import Int64

LONG_NS = 10_000_000
"""Forwarding takes microseconds."""
ENOUGH = 3


def causes(case: Case) -> Iterator[Cause]:
    """Give pairs of points of one host between which the median packet takes ten milliseconds and more."""
    context = case.context
    before, after = context.crossings()
    took = context.frames["time_ns"][after] - context.frames["time_ns"][before]
    slow = np.flatnonzero(took >= LONG_NS)
    ends = context.frames["point"][before], context.frames["point"][after]
    group, examples = group_rows(*(point[slow] for point in ends))
    for example in slow[examples[np.bincount(group, minlength=1)[: len(examples)] >= ENOUGH]].tolist():
        here = np.flatnonzero(np.logical_and.reduce([point == point[example] for point in ends]))
        a, b = (context.point(int(rows[example])) for rows in (before, after))
        if a.host == b.host and np.median(took[here]) >= LONG_NS and not context.apart_in_time(a.id, b.id):
            yield Cause([], partial(_tell, case, (a.name, b.name), took[here], after[here]))


def _tell(case: Case, ends: tuple[str, str], took: Int64, rows: Int64, _: list[int]) -> Told:
    worst = np.argsort(-took, kind="stable")[:5].tolist()
    return Told(
        {
            "from_point": ends[0], "to_point": ends[1], "crossings": len(took),
            "median_ms": int(np.median(took)) / 1e6, "most_ms": int(took.max()) / 1e6,
        },
        evidence=tuple(case.shown(int(rows[place])) for place in worst),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "high-latency-hop",
    Severity.WARNING,
    "captures",
    "From one point of the host to the next the median packet takes ten milliseconds and more.",
    "tc -s qdisc shows queues and rate limits on the way; nft list ruleset shows queues to programs.",
    causes,
)
