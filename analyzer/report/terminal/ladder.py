"""A ladder in the terminal: a lane a point, a line a packet, with what was translated on its way and where it ended."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from analyzer.model import Direction, Disposition, FilterStep, Journey, Point, Role
from analyzer.model.journey import BAD
from analyzer.report.safe import safe

INSIDE = (Role.CONTAINER, Role.VETH)
LEAST_LANE, MOST_LANE, LABEL = 12, 26, 22
ENDS = {Disposition.DROPPED: "✕", Disposition.REJECTED: "◆", Disposition.LOST: "△"}
MOST_LANES = 12


@dataclass(frozen=True, slots=True)
class _Lanes:
    names: list[str]
    place: dict[str, int]
    """Lanes of points, by name."""
    gap: int

    def column(self, lane: int) -> int:
        return lane * self.gap + self.gap // 2


def print_ladder(out: Console, journeys: Sequence[Journey], points: Sequence[Point]) -> None:
    """Print journeys of one packet and what answers it, each as a line on the same lanes."""
    told = [one for one in journeys if one.hops]
    if not told:
        return
    lanes = _lanes(told, {point.name: point for point in points}, out.width)
    head = Text(" " * LABEL)
    for name in lanes.names:
        head.append(_clip(safe(name), lanes.gap - 2).center(lanes.gap), "point")
    out.print(head)
    for journey in told:
        out.print(_line(journey, lanes))
    out.print()


def _lanes(journeys: Sequence[Journey], points: dict[str, Point], width: int) -> _Lanes:
    """Put the points in the order of the way out, with whoever is beyond the last one."""
    order: list[str] = []
    for journey in journeys:
        names = list(dict.fromkeys(hop.point for hop in journey.hops))
        for name in names if journey.direction is not Direction.REPLY else reversed(names):
            if name not in order and len(order) < MOST_LANES:
                order.append(name)
    names = [_name(points[name]) for name in order]
    first = journeys[0]
    ends = [one for one in (first.hops[0].src, first.hops[-1].dst) if one is not None]
    if len(ends) == 2 and first.direction is Direction.REPLY:
        ends.reverse()
    shift = 0
    if len(ends) == 2:
        if points[order[0]].role not in INSIDE:
            names.insert(0, str(ends[0]))
            shift = 1
        if points[order[-1]].role not in INSIDE:
            names.append(str(ends[1]))
    gap = max(min((width - LABEL) // len(names), MOST_LANE), LEAST_LANE)
    return _Lanes(names, {name: place + shift for place, name in enumerate(order)}, gap)


def _name(point: Point) -> str:
    return point.container if point.role in INSIDE and point.container else point.interface or point.name


def _line(journey: Journey, lanes: _Lanes) -> Text:
    """Draw one packet from lane to lane."""
    stops = [(lanes.place[hop.point], hop) for hop in journey.hops if hop.point in lanes.place]
    text = Text(_clip(f"J{journey.id} {safe(journey.called)}", LABEL - 2).ljust(LABEL), "id")
    if not stops:  # at points for which there was no lane left
        return text
    cells = [" "] * (lanes.gap * len(lanes.names) + 1)
    for (lane, _), (following, hop) in itertools.pairwise(stops):
        _draw(cells, lanes.column(lane), lanes.column(following), "─")
        by = [one.by for one in hop.rewrites if one.field in ("src", "dst") and one.by in ("SNAT", "DNAT")]
        if by:
            _write(cells, (lanes.column(lane) + lanes.column(following) - len(by[0])) // 2, f" {by[0]} ")
    forward = stops[-1][0] > stops[0][0] or (stops[-1][0] == stops[0][0] and journey.direction is not Direction.REPLY)
    end = lanes.column(stops[-1][0])
    last = len(lanes.names) - 1 if forward else 0
    sign = ENDS.get(journey.disposition)
    if sign is not None:
        stop = end + (lanes.gap // 2 if forward else -(lanes.gap // 2))
        _draw(cells, end, stop, "─")
        _write(cells, stop, sign)
    elif journey.disposition is Disposition.LEFT_HOST and last not in lanes.place.values():
        _draw(cells, end, lanes.column(last), "·")
        _write(cells, lanes.column(last), "▶" if forward else "◀")
    for lane, _ in stops:
        _write(cells, lanes.column(lane), "●")
    if len(stops) > 1 and sign is None and journey.disposition is not Disposition.LEFT_HOST:
        _write(cells, end, "▶" if forward else "◀")
    text.append("".join(cells).rstrip(), "bad" if journey.disposition in BAD else "")
    cause = next((step.cause for step in journey.steps if isinstance(step, FilterStep)), None)
    if sign is not None:
        text.append(f" {journey.disposition}" + (f": {safe(cause)}" if cause else ""), "bad")
    return text


def _draw(cells: list[str], start: int, stop: int, sign: str) -> None:
    low, high = sorted((start, stop))
    for place in range(max(low, 0), min(high, len(cells))):
        if cells[place] == " ":
            cells[place] = sign


def _write(cells: list[str], start: int, text: str) -> None:
    for place, letter in enumerate(text, start):
        if 0 <= place < len(cells):
            cells[place] = letter


def _clip(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
