"""What happened when: frames at each point, trouble, and how long packets took from point to point.

Everything is counted in columns: the cost does not depend on how many journeys anybody reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.journey.build import Tracer
from analyzer.link.sorting import group_rows
from analyzer.model import Point
from analyzer.model.journey import BAD
from analyzer.model.overview import Counts, Crossing, Measures
from analyzer.packet.context import Context
from analyzer.schema import Int64

BINS = 240
EDGES_NS = tuple(round(10 ** (exponent / 6)) for exponent in range(12, 61))
"""Edges of the latencies' histogram: six a decade, from 100 ns to 10 s."""
MOST_CROSSINGS = 24
MOST_TROUBLE = 24


@dataclass(slots=True)
class Timeline:
    """When things happened in parts, in BINS bins."""

    start_ns: int
    bin_ns: int
    counts: dict[tuple[str, int], Int64] = field(default_factory=dict)
    """(BINS,) by what, and the point's number."""
    took: dict[tuple[int, int], list[tuple[Int64, Int64]]] = field(default_factory=dict)
    """By pair of points: how long each packet took, ns, and the bin when it set out."""
    first: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """By pair of points: the number of the first packet that went from one to the other, and its place on its way."""

    @classmethod
    def over(cls, points: Sequence[Point]) -> "Timeline":
        """Divide the time in which points recorded."""
        times = [time for point in points for time in (point.first_ns, point.last_ns) if time is not None]
        start, stop = min(times, default=0), max(times, default=0)
        return cls(start, max(-(-(stop - start + 1) // BINS), 1))

    def add(self, context: Context, tracer: Tracer) -> None:
        """Count what is told in a part."""
        frames, hops, stop = context.frames, context.hops, context.packet_start[1:]
        self._count("frames", context, context.own_hops["row"])
        for kind in BAD:
            ended = tracer.ended(kind)
            self._count(kind.value, context, hops["row"][stop[ended[context.mine[ended]]] - 1])
        again = tracer.answers.sent_again[0]
        self._count("retransmission", context, hops["row"][context.packet_start[:-1][again[context.mine[again]]]])
        before, after = context.crossings()
        kept = (frames["time_ns"][after] >= frames["time_ns"][before]) & context.mine[context.packet_of_row[before]]
        before, after = before[kept], after[kept]  # the others were recorded late, or are told elsewhere
        group, examples = group_rows(frames["point"][before], frames["point"][after])
        took = frames["time_ns"][after] - frames["time_ns"][before]
        bins = self._bins(context, before).astype(np.uint8)  # there are many: those of all parts are held
        for number, example in enumerate(examples.tolist()):
            ends = int(frames["point"][before[example]]), int(frames["point"][after[example]])
            here, packet = group == number, int(context.packet_of_row[before[example]])
            first = int(context.numbers[packet]), context.rows_of(packet).index(int(before[example]))
            self.first[ends] = min(self.first.get(ends, first), first)
            self.took.setdefault(ends, []).append((took[here], bins[here]))

    def merge(self, other: "Timeline") -> None:
        """Add what was counted in other parts."""
        for what, counts in other.counts.items():
            self.counts[what] = self.counts.get(what, np.int64(0)) + counts
        for ends, took in other.took.items():
            self.took.setdefault(ends, []).extend(took)
        for ends, first in other.first.items():
            self.first[ends] = min(self.first.get(ends, first), first)

    def _bins(self, context: Context, rows: Int64) -> Int64:
        found: Int64 = (context.frames["time_ns"][rows] - self.start_ns) // self.bin_ns
        return found

    def _count(self, what: str, context: Context, rows: Int64) -> None:
        point = context.frames["point"][rows]
        counted, numbers = np.bincount(point * np.int64(BINS) + self._bins(context, rows)), np.unique(point)
        counted = np.append(counted, np.zeros(-len(counted) % BINS, np.int64)).reshape(-1, BINS)
        for number in numbers.tolist():
            self.counts[what, number] = self.counts.get((what, number), np.int64(0)) + counted[number]


def measures(line: Timeline, points: Sequence[Point]) -> Measures:
    """Tell what was counted in the whole capture."""
    return Measures(
        start_ns=line.start_ns,
        bin_ns=line.bin_ns,
        frames=tuple(Counts("frames", point.name, _counted(line, "frames", point.id)) for point in points),
        trouble=tuple(_trouble(line, points)),
        edges_ns=EDGES_NS,
        crossings=tuple(_crossings(line, points)),
    )


def _counted(line: Timeline, what: str, point: int) -> tuple[int, ...]:
    counts = line.counts.get((what, point))
    return (0,) * BINS if counts is None else tuple(counts.tolist())


def _trouble(line: Timeline, points: Sequence[Point]) -> list[Counts]:
    """Tell what did not arrive at the point that saw it last, and what was sent again at the one that saw it first."""
    found = [
        Counts(what, points[number].name, _counted(line, what, number))
        for what in (*(kind.value for kind in BAD), "retransmission")
        for number in sorted(point for counted, point in line.counts if counted == what)
    ]
    return sorted(found, key=lambda c: -sum(c.counts))[:MOST_TROUBLE]


def _crossings(line: Timeline, points: Sequence[Point]) -> list[Crossing]:
    """Tell how long packets took between points, of the pairs with the most packets."""
    pairs = sorted(line.took, key=lambda ends: (-sum(len(took) for took, _ in line.took[ends]), line.first[ends], ends))
    found: list[Crossing] = []
    for ends in pairs[:MOST_CROSSINGS]:
        a, b = (points[number] for number in ends)
        known, doubt = _doubt(a, b)
        if known:
            took, bins = (np.concatenate(column) for column in zip(*line.took[ends], strict=True))
            found.append(_crossing(a, b, took, bins, doubt))
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
