"""The ladder: which lanes there are, and what is drawn on them."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from analyzer import analyze
from analyzer.model import Direction, Disposition, FilterStep, Hop, Journey, Point, Role
from analyzer.report.terminal.console import THEME
from analyzer.report.terminal.ladder import LABEL, LEAST_LANE, MOST_LANE, MOST_LANES, print_ladder
from analyzer.run import Trace

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Return an analysis of a container, its bridge and the uplink."""
    return analyze([SEED])


@pytest.fixture(scope="module")
def ping(trace: Trace) -> Journey:
    """Return a packet that goes out."""
    return trace.journey(3)


@pytest.fixture(scope="module")
def answer(trace: Trace) -> Journey:
    """Return what answers it."""
    return trace.journey(6)


def _drawn(journeys: Sequence[Journey], points: Sequence[Point], width: int = 120) -> list[str]:
    """Return the lines, each without its label."""
    out = Console(file=io.StringIO(), width=width, color_system=None, theme=THEME, soft_wrap=True, highlight=False)
    print_ladder(out, journeys, points)
    assert isinstance(out.file, io.StringIO)
    return [line[LABEL:].rstrip() for line in out.file.getvalue().splitlines()]


def _told(line: str) -> str:
    """Leave one of each run of spaces, dashes and dots."""
    kept = [sign for place, sign in enumerate(line) if sign not in " ─·" or line[place - 1 : place] != sign]
    return "".join(kept).strip()


def test_lanes_are_the_points_on_the_way_out_and_whoever_is_beyond(
    ping: Journey, answer: Journey, trace: Trace
) -> None:
    """The same whether a question is drawn first or its answer; a container is at its own point, not beyond it."""
    lanes = ["c3", "docker0", "wlan0", "8.8.8.8"]

    assert _drawn([ping, answer], trace.points)[0].split() == lanes
    assert _drawn([answer, ping], trace.points)[0].split() == lanes


def test_who_is_before_the_first_point_has_a_lane_where_no_container_is_seen(ping: Journey, trace: Trace) -> None:
    """Its packets are drawn from the first point on; where the last one is a container's, nobody is beyond it."""
    outside = replace(ping, hops=ping.hops[1:])
    inwards = replace(ping, hops=ping.hops[::-1])
    head, line, _ = _drawn([outside], trace.points)

    assert head.split() == ["172.17.0.4", "docker0", "wlan0", "8.8.8.8"]
    assert head.index("docker0") <= line.index("●") < head.index("docker0") + len("docker0")
    assert _drawn([inwards], trace.points)[0].split() == ["192.168.1.100", "wlan0", "docker0", "c3"]


def test_arrows_point_where_a_packet_went(ping: Journey, answer: Journey, trace: Trace) -> None:
    """Out of the host to whoever is beyond; back, to where it was delivered; a translation stands on its way."""
    _, out, back, _ = _drawn([ping, answer], trace.points)

    assert _told(out) == "●─●─ SNAT ─●·▶"
    assert _told(back) == "◀─●─ SNAT ─●"
    assert out.index("▶") > back.rindex("●")


@pytest.mark.parametrize(
    ("kind", "sign"), [(Disposition.DROPPED, "✕"), (Disposition.REJECTED, "◆"), (Disposition.LOST, "△")]
)
def test_a_packet_that_ends_between_lanes_says_how(ping: Journey, trace: Trace, kind: Disposition, sign: str) -> None:
    """Behind the last point that saw it, on the side to which it went; with the cause, made harmless."""
    step = FilterStep("drop", "a\x1b rule", 2)
    one = replace(ping, hops=ping.hops[:2], disposition=kind, steps=(step,))
    back = replace(one, hops=one.hops[1:], direction=Direction.REPLY, steps=())
    _, out, way_back, _ = _drawn([one, back], trace.points)

    assert _told(out) == rf"●─●─{sign} {kind}: a\x1b rule"
    assert _told(way_back) == f"{sign}─● {kind}"


def test_a_packet_that_was_seen_once_has_no_arrow(ping: Journey, trace: Trace) -> None:
    """Delivered where it was seen, or nobody knows where to."""
    for kind in (Disposition.DELIVERED, Disposition.NOT_OBSERVABLE):
        one = replace(ping, hops=ping.hops[:1], disposition=kind)
        assert _told(_drawn([one], trace.points)[1]) == "●"


@pytest.mark.parametrize(("width", "lane"), [(60, LEAST_LANE), (102, 20), (400, MOST_LANE)])
def test_lanes_share_the_width_between_a_least_and_a_most(ping: Journey, trace: Trace, width: int, lane: int) -> None:
    """The label before them has its own part of it."""
    line = _drawn([ping], trace.points, width)[1]

    assert line.index("▶") - line.index("●") == 3 * lane


def test_what_does_not_fit_is_cut(ping: Journey, trace: Trace) -> None:
    """Names of lanes, and what a packet is; the cut is marked."""
    points = [replace(point, container="\x1bc" * 9) if point.container else point for point in trace.points]
    out = Console(file=io.StringIO(), width=60, color_system=None, theme=THEME, soft_wrap=True, highlight=False)
    print_ladder(out, [ping], points)
    assert isinstance(out.file, io.StringIO)
    head, line, *_ = out.file.getvalue().splitlines()

    assert head[LABEL:].split()[0] == r"\x1bc\x1b…"
    assert line[:LABEL] == "J3 ICMP echo reques…  "


def test_lanes_are_not_without_end(ping: Journey) -> None:
    """Points beyond the last lane are left out, and what is drawn before them stays; who has no hop is no line."""
    names = [f"p{number}" for number in range(MOST_LANES + 5)]
    bridge = Point(0, "", "", None, Role.BRIDGE, ping.basis, 1)
    points = [replace(bridge, id=number, name=name, interface=name) for number, name in enumerate(names)]
    hops = tuple(replace(hop, point=name) for hop in ping.hops[:1] for name in names)
    one = replace(ping, hops=hops, disposition=Disposition.DELIVERED)
    lines = _drawn([one, replace(ping, hops=())], points, 400)
    lanes = lines[0].split()

    assert lanes == ["172.17.0.4", *names[:MOST_LANES], "8.8.8.8"]
    assert len(lines) == 3
    assert _told(lines[1]) == "●─" * (MOST_LANES - 1) + "▶"
    assert _drawn([replace(ping, hops=())], points) == []


def test_a_packet_that_came_back_by_the_same_lane_goes_on_as_it_began(ping: Journey, trace: Trace) -> None:
    """Its direction says on which side it ends."""
    hops: tuple[Hop, ...] = (ping.hops[1], ping.hops[1])
    lost = replace(ping, hops=hops, steps=(), disposition=Disposition.LOST)
    back = replace(lost, direction=Direction.REPLY)

    assert _told(_drawn([lost], trace.points)[1]).startswith("●─△")
    assert _told(_drawn([back], trace.points)[1]).startswith("△─●")
