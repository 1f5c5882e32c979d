"""How much the captures can tell: what they cover, what is cut, dropped or missing, and whose clock is uncertain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.model import Point
from analyzer.model.overview import NodeKind, Topology
from analyzer.model.words import plural
from analyzer.report.units import duration

MOST_NAMED = 6
_CAPTURED = (NodeKind.INTERFACE, NodeKind.BRIDGE, NodeKind.UPLINK)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know of the captures."""

    label: str
    text: str
    good: bool
    """It takes nothing from what can be told."""


def quality(
    points: Sequence[Point], topology: Topology, problems: Sequence[str], left_out: Sequence[str] = ()
) -> list[Note]:
    """Say how far the captures can be trusted."""
    return [
        *_times(points),
        *_cuts(points),
        *_drops(points),
        *_clocks(points),
        *_missing(topology),
        *(Note("Unseen", f"{p.name}: {p.unseen}", good=True) for p in points if p.unseen is not None),
        *(Note("Ended early", f"{p.name}: {p.ended}", good=False) for p in points if p.ended is not None),
        *(Note("Dump left out", problem, good=False) for problem in problems),
        *(Note("Left out", problem, good=False) for problem in left_out),
    ]


def _times(points: Sequence[Point]) -> Iterator[Note]:
    spans = [span for point in points if (span := point.span_ns) is not None]
    silent = [p.name for p in points if p.first_ns is None]
    if spans:
        whole = max(last for _, last in spans) - min(first for first, _ in spans)
        common = min(last for _, last in spans) - max(first for first, _ in spans)
        if len(spans) == 1:
            yield Note("Time", f"one point, {duration(whole)}", good=True)
        elif common < 0:
            yield Note("Time", f"{duration(whole)} in all; no time that all points cover", good=False)
        else:
            yield Note("Time", f"{duration(whole)} in all, {duration(common)} at every point", good=True)
    if silent:
        yield Note("Silent", f"no frame at {_names(silent)}", good=False)


def _cuts(points: Sequence[Point]) -> Iterator[Note]:
    cut = [f"{p.name} at {p.snap_len} bytes" for p in points if p.snap_len is not None]
    yield Note("Snap length", f"frames are cut: {_names(cut)}" if cut else "frames are whole", good=not cut)


def _drops(points: Sequence[Point]) -> Iterator[Note]:
    dropped = [f"{p.name} {p.dropped:,}" for p in points if p.dropped]
    unknown = [p.name for p in points if p.dropped is None]
    uncounted = [p.name for p in points if p.uncounted]
    if uncounted:
        told = f"no closing counts of {_names(uncounted)}: absence there proves nothing"
        yield Note("Kernel drops", told, good=False)
    if dropped:
        yield Note("Kernel drops", f"frames were dropped before they were recorded: {_names(dropped)}", good=False)
    elif unknown and not uncounted:
        yield Note("Kernel drops", f"not told by the files of {_names(unknown)}", good=True)
    elif not uncounted:
        yield Note("Kernel drops", "none", good=True)


def _clocks(points: Sequence[Point]) -> Iterator[Note]:
    hosts = list(dict.fromkeys(p.host for p in points))
    if len(hosts) < 2:
        yield Note("Clock", "one host, one clock", good=True)
        return
    for host in hosts[1:]:
        clock = next((p.clock for p in points if p.host == host), None)
        if clock is None:
            yield Note("Clock", f"{host}: how far it is off is not known", good=False)
        else:
            side = "ahead of" if clock.offset_ns >= 0 else "behind"
            doubt = f"± {duration(clock.uncertainty_ns)}" if clock.uncertainty_ns is not None else "at least"
            doubt = "roughly" if clock.rough else doubt
            text = f"{host} is {duration(abs(clock.offset_ns))} {side} {hosts[0]} ({doubt}); corrected"
            yield Note("Clock", text, good=clock.uncertainty_ns is not None)


def _missing(topology: Topology) -> Iterator[Note]:
    missing = [node.name for node in topology.nodes if node.kind in _CAPTURED and node.point is None]
    if missing:
        yield Note("Missing", f"nothing was captured at {_names(missing)}", good=False)
    elif not any(node.kind is NodeKind.UPLINK for node in topology.nodes):
        yield Note("Missing", "no uplink was captured: what leaves the host is not seen", good=False)


def _names(names: Sequence[str]) -> str:
    more = f" and {plural(len(names) - MOST_NAMED, 'other')}" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
