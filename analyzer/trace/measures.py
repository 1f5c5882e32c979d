"""What happened when: frames at each point, trouble, and how long packets took from point to point.

Everything is counted in columns: the cost does not depend on how many journeys anybody reads.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.model import Point
from analyzer.model.journey import BAD
from analyzer.model.overview import Counts, Crossing, Measures
from analyzer.schema import Int64
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context

BINS = 240
EDGES_NS = tuple(round(10 ** (exponent / 6)) for exponent in range(12, 61))
"""Edges of the latencies' histogram: six a decade, from 100 ns to 10 s."""
MOST_CROSSINGS = 24
MOST_TROUBLE = 24


def measures(context: Context, tracer: Tracer) -> Measures:
    """Measure the whole capture."""
    times = context.frames["time_ns"]
    start, stop = (int(times.min()), int(times.max())) if len(times) else (0, 0)
    width = max(-(-(stop - start + 1) // BINS), 1)
    bins = ((times - start) // width).astype(np.int64)
    return Measures(
        start_ns=start,
        bin_ns=width,
        frames=tuple(_frames(context, bins)),
        trouble=tuple(_trouble(context, bins, tracer)),
        edges_ns=EDGES_NS,
        crossings=tuple(_crossings(context, bins)),
    )


def _frames(context: Context, bins: Int64) -> Iterator[Counts]:
    table = np.bincount(context.frames["point"] * np.int64(BINS) + bins, minlength=len(context.points) * BINS)
    for point, counts in zip(context.points, table.reshape(-1, BINS).tolist(), strict=True):
        yield Counts("frames", point.name, tuple(counts))


def _trouble(context: Context, bins: Int64, tracer: Tracer) -> list[Counts]:
    """Count what did not arrive at the point that saw it last, and what was sent again at the one that saw it first."""
    row, stop = context.hops["row"], context.packet_start[1:]
    found: list[Counts] = []
    for kind in BAD:
        found += _by_point(kind.value, context, bins, row[stop[tracer.ended(kind)] - 1])
    again = context.packet_start[:-1][tracer.sent_again[0]]
    found += _by_point("retransmission", context, bins, row[again])
    return sorted(found, key=lambda c: -sum(c.counts))[:MOST_TROUBLE]


def _by_point(what: str, context: Context, bins: Int64, rows: Int64) -> Iterator[Counts]:
    point = context.frames["point"][rows]
    for number in np.unique(point).tolist():
        counts = np.bincount(bins[rows[point == number]], minlength=BINS)
        yield Counts(what, context.points[number].name, tuple(counts.tolist()))


def _crossings(context: Context, bins: Int64) -> list[Crossing]:
    frames = context.frames
    before, after = context.crossings()
    took = frames["time_ns"][after] - frames["time_ns"][before]
    kept = took >= 0  # the others were recorded late
    before, after, took = before[kept], after[kept], took[kept]
    group, examples = group_rows(frames["point"][before], frames["point"][after])
    found: list[Crossing] = []
    for number in np.argsort(-np.bincount(group), kind="stable")[:MOST_CROSSINGS].tolist() if len(group) else []:
        here = group == number
        example = examples[number]
        a, b = (context.points[int(frames["point"][rows[example]])] for rows in (before, after))
        known, doubt = _doubt(a, b)
        if known:
            found.append(_crossing(a, b, took[here], bins[before[here]], doubt))
    return found


def _doubt(a: Point, b: Point) -> tuple[bool, int | None]:
    """Tell whether a time between two points means anything, and how uncertain it is."""
    if a.host == b.host:
        return True, None
    doubts = [point.clock.uncertainty_ns for point in (a, b) if point.clock is not None]
    known = [doubt for doubt in doubts if doubt is not None]
    return bool(doubts) and len(known) == len(doubts), sum(known)


def _crossing(a: Point, b: Point, took: Int64, bins: Int64, doubt: int | None) -> Crossing:
    ordered = np.sort(took)
    least, median, p90, p99, most = (int(ordered[round(q * (len(took) - 1))]) for q in (0, 0.5, 0.9, 0.99, 1))
    order = np.lexsort((took, bins))
    begin = np.searchsorted(bins[order], np.arange(BINS + 1))
    middle = np.minimum((begin[:-1] + begin[1:]) // 2, len(took) - 1)
    medians = np.where(begin[1:] > begin[:-1], took[order][middle], -1).tolist()
    return Crossing(
        from_point=a.name,
        to_point=b.name,
        packets=len(took),
        least_ns=least,
        median_ns=median,
        p90_ns=p90,
        p99_ns=p99,
        most_ns=most,
        histogram=tuple(np.bincount(np.searchsorted(EDGES_NS, took, "right"), minlength=len(EDGES_NS) + 1).tolist()),
        medians_ns=tuple(median if median >= 0 else None for median in medians),
        uncertainty_ns=doubt,
    )
