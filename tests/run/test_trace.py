"""What is shown where not all journeys are: those that did not arrive come first."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.model import Disposition
from analyzer.run import Trace
from tests.simulate import Simulator


def _trace(folder: Path, lost: tuple[int, ...]) -> Trace:
    """Two connections of 20 datagrams each, the second one an answer; those in *lost* do not reach the uplink."""
    simulator = Simulator(1)
    for sport in (40_000, 40_001):
        flow = simulator.flow("udp", 2, "8.8.8.8", sport, 7777, None)
        for number in range(20):
            simulator.send(flow, reply=number == 1)
            if simulator.packets - 1 in lost:
                simulator.records["wlan0"].pop()
    return analyze(simulator.write(folder))


def _shown(trace: Trace, count: int) -> list[int]:
    return [journey.id for journey in trace.content(journeys=count).journeys]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, [12]),
        (2, [0, 12]),
        (3, [0, 1, 12]),
        (4, [0, 1, 12, 14]),
        (6, [0, 1, 12, 14, 20, 30]),
        (8, [0, 1, 2, 12, 14, 20, 21, 30]),
    ],
)
def test_half_of_the_journeys_shown_are_those_that_did_not_arrive(tmp_path: Path, count: int, shown: list[int]) -> None:
    """The others are each connection's first ones in both directions, then what comes first."""
    assert _shown(_trace(tmp_path, (12, 14, 30)), count) == shown


def test_what_did_not_arrive_takes_no_more_than_half(tmp_path: Path) -> None:
    """A capture full of losses still shows how its connections began."""
    trace = _trace(tmp_path, (4, 6, 8, 10, 12, 14))

    assert {trace.journey(number).disposition for number in (4, 6, 8, 10, 12, 14)} == {Disposition.LOST}
    assert _shown(trace, 6) == [0, 1, 4, 6, 8, 20]


def test_all_are_shown_where_there_are_no_more(tmp_path: Path) -> None:
    """Each once, in order of time."""
    trace = _trace(tmp_path, (12,))

    assert _shown(trace, 40) == _shown(trace, 99) == list(range(40))
    assert len(_shown(trace, 39)) == 39


@pytest.mark.parametrize("called", ["J80", "C2", "X1", "C-1", 80, -1])
def test_what_is_not_there_is_said(tmp_path: Path, called: str | int) -> None:
    """With what there is, or how things are called."""
    trace = _trace(tmp_path, ())

    with pytest.raises(SelectionError, match=r"there are|they are called"):
        trace[called]
