"""What parts tell, put together: the same as one part tells, in order."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import Trace, analyze
from analyzer.model import Disposition
from analyzer.model.journey import CODES
from analyzer.report.fields import text_of
from analyzer.run import telling as module
from tests.lab.faults.cases import CASES

PATHS = {case.name: case.path for case in CASES}


def _path(name: str) -> Path:
    return PATHS[name]


@pytest.fixture(scope="module")
def whole() -> Trace:
    """A rule that drops, amid healthy traffic of several connections."""
    return analyze([_path("drop-rule.user.mixed")])


@pytest.fixture(scope="module")
def parts(whole: Trace) -> Trace:
    """The same, in as many parts as there are."""
    found = replace(whole, cut=64)
    assert len(found.parts) > 3
    return found


def _by_end(trace: Trace) -> dict[str, int]:
    found: dict[str, int] = {}
    for journey in trace.journeys():
        found[journey.disposition] = found.get(journey.disposition, 0) + 1
    return found


def test_ends_are_counted_of_all_or_of_some(parts: Trace) -> None:
    """As each journey has it; an end that no journey has is not there."""
    told = parts.telling
    dropped = np.flatnonzero(told.ends == CODES[Disposition.DROPPED])

    assert told.count_ends(None) == _by_end(parts)
    assert told.count_ends(dropped) == {Disposition.DROPPED: len(dropped)}
    assert Disposition.LOST not in told.count_ends(None)
    assert told.count_ends(np.zeros(0, np.int64)) == {}


def test_a_selection_is_in_order_of_time(whole: Trace, parts: Trace) -> None:
    """Whoever tells the journeys."""
    picked = parts.telling.select("tcp || verdict == dropped")

    assert picked == sorted(picked) == whole.telling.select("tcp || verdict == dropped")
    assert 0 < len(picked) < parts.packets


@pytest.mark.parametrize("held", [1, 3, 20_000])
def test_journeys_come_in_the_order_that_was_asked_for(
    whole: Trace, parts: Trace, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    """Also backwards, and each as often as it was asked for; however many are held at a time."""
    monkeypatch.setattr(module, "HELD", held)
    numbers = np.array([5, 2, 9, 0, 2])

    assert [journey.id for journey in parts.telling.journeys(numbers)] == numbers.tolist()
    assert list(parts.telling.journeys(numbers)) == [whole.journey(number) for number in numbers.tolist()]


@pytest.mark.parametrize("first", [0, 100])
def test_connections_come_in_the_order_that_was_asked_for(
    whole: Trace, parts: Trace, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Those that reports begin with are known already; the others are asked of the part that tells them."""
    monkeypatch.setattr(module, "FIRST", first)
    numbers = np.arange(len(whole.connections))[::-1]

    assert parts.telling.connections(numbers) == [whole.connection(number) for number in numbers.tolist()]


def test_texts_are_those_of_journeys_and_connections(whole: Trace, parts: Trace) -> None:
    """What journeys have in common is told once, and comes out the same."""
    numbers = np.arange(0, whole.packets, 2)
    connections = range(len(whole.connections))

    for trace in (whole, parts):
        assert list(trace.telling.texts(numbers)) == [text_of(whole.journey(n)) for n in numbers.tolist()]
        assert list(trace.telling.connection_texts()) == [text_of(whole.connection(n)) for n in connections]


def test_sightings_are_in_order_of_packets(whole: Trace, parts: Trace) -> None:
    """Of all, or of those that are asked for."""
    among = np.zeros(whole.packets, bool)
    among[[3, 7]] = True
    some, every = (np.concatenate([one["packet"] for one in parts.telling.sightings(of)]) for of in (among, None))

    assert every.tolist() == sorted(every.tolist()) == sorted(whole.hops["packet"].tolist())
    assert some.tolist() == [number for number in every.tolist() if number in (3, 7)]


def test_decisions_are_of_the_packets_that_the_host_decides_about(whole: Trace, parts: Trace) -> None:
    """By the numbers that these have among all; of others there is none."""
    numbers = np.arange(whole.packets)
    found = parts.telling.decisions(numbers)
    numbered = [one.journey for one in found]

    assert found == whole.telling.decisions(numbers)
    assert numbered == sorted(numbered)
    assert found


def test_what_is_drawn_is_counted_over_all_parts(whole: Trace, parts: Trace) -> None:
    """Each packet once."""
    assert parts.overview() == whole.overview()
    assert parts.telling.checks == whole.telling.checks
    assert set(parts.telling.checks.values()) == {"filtered-by-rule"}
