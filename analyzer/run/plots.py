"""Figures of an analysis, for notebooks and for files: ``trace.plot.throughput().savefig("x.svg")``."""

from typing import TYPE_CHECKING

import numpy as np

from analyzer.errors import InputError
from analyzer.model.journey import BAD, CODES
from analyzer.schema import Array, Int64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analyzer.run.trace import Trace

SECOND = 1e9
BINS = 200
"""Of a throughput, at the most."""
MOST_LEGS = 12
"""Pairs of points whose latency is drawn, those with most packets."""
SIZE = (9.0, 3.6)
"""Inches."""


class Plots:
    """Figures of a trace, or of what it was narrowed to."""

    def __init__(self, trace: "Trace") -> None:
        """Take the trace."""
        self._trace = trace

    def throughput(self) -> "Figure":
        """Draw Mbit/s over time, a line a point."""
        figure, axes = _figure("Throughput", "seconds", "Mbit/s")
        frames = self._trace.frames
        times = frames["time_ns"].to_numpy(np.int64)
        if len(times):
            start, end = int(times.min()), int(times.max())
            edges = np.linspace(0, max(end - start, 1) / SECOND, BINS + 1)
            point, bits = frames["point"].to_numpy(np.int64), frames["orig_len"].to_numpy(np.float64) * 8
            for number in np.unique(point).tolist():
                here = point == number
                sums, _ = np.histogram((times[here] - start) / SECOND, edges, weights=bits[here])
                name = self._trace.points[number].name
                axes.step(edges[:-1], sums / np.diff(edges) / 1e6, where="post", label=name)
            axes.legend(fontsize="small")
        return figure

    def latency(self) -> "Figure":
        """Draw how long packets took from point to point, as shares of all: a line a pair of points."""
        figure, axes = _figure("Latency from point to point", "\N{GREEK SMALL LETTER MU}s", "share of packets")
        legs = self._legs()
        for (one, other), took in sorted(legs.items(), key=lambda leg: -len(leg[1]))[:MOST_LEGS]:
            ordered = np.sort(took) / 1e3
            share = np.arange(1, len(ordered) + 1) / len(ordered)
            names = (self._trace.points[number].name for number in (one, other))
            axes.step(ordered, share, where="post", label=" \N{RIGHTWARDS ARROW} ".join(names))
        if legs:
            axes.set_xscale("symlog", linthresh=1)
            axes.legend(fontsize="small")
        return figure

    def losses(self) -> "Figure":
        """Draw when packets did not get through, by how they ended."""
        figure, axes = _figure("What did not get through", "seconds", "")
        numbers = np.array(self._trace.numbers, np.int64)
        ends = self._trace.telling.ends[numbers]
        times = self._first_times()
        found = {kind.value: times[numbers[ends == CODES[kind]]] for kind in BAD}
        found = {name: at for name, at in found.items() if len(at)}
        names = sorted(found)
        if names:
            axes.eventplot([found[name] for name in names], lineoffsets=range(len(names)), linelengths=0.7)
        axes.set_yticks(range(len(names)), names)
        return figure

    def _first_times(self) -> Array:
        """(packets,) Return when each packet was seen first, in seconds since the first frame."""
        hops, frames = self._trace.hops, self._trace.frames
        packet, row = hops["packet"].to_numpy(np.int64), hops["row"].to_numpy(np.int64)
        times = frames["time_ns"].reindex(row).to_numpy(np.int64)
        first = np.full(len(self._trace.telling.ends), np.iinfo(np.int64).max)
        known = packet >= 0
        np.minimum.at(first, packet[known], times[known])
        found: Array = (first - (times.min() if len(times) else 0)) / SECOND
        return found

    def _legs(self) -> dict[tuple[int, int], Int64]:
        """Return times between consecutive hops of packets, ns, by the points before and after."""
        hops, frames = self._trace.hops, self._trace.frames
        row, packet = hops["row"].to_numpy(np.int64), hops["packet"].to_numpy(np.int64)
        point, time = (frames[name].reindex(row).to_numpy(np.int64) for name in ("point", "time_ns"))
        onward = (packet[1:] == packet[:-1]) & (packet[1:] >= 0) & (point[1:] != point[:-1])
        pairs, took = point[:-1][onward] << 32 | point[1:][onward], np.diff(time)[onward]
        return {(int(pair >> 32), int(pair & 0xFFFFFFFF)): took[pairs == pair] for pair in np.unique(pairs).tolist()}


def _figure(title: str, across: str, upwards: str) -> "tuple[Figure, Axes]":
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'hoptrace[plot]'") from None
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=across, ylabel=upwards)
    return figure, axes
