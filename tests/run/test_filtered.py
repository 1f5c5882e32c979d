"""An analysis narrowed to some journeys: all that is told is theirs, and by the numbers that it has in the whole."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.run import Trace
from tests.explain.hosts import trace_of

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"
PINGS = [3, 6, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def seed() -> Trace:
    """ARP, pings, and a TCP connection."""
    return analyze(SEED)


def test_journeys(seed: Trace) -> None:
    """Those that are picked, in order."""
    pings = seed.filter("icmp && ip.addr == 8.8.8.8")

    assert [one.id for one in pings] == PINGS == list(pings.numbers)
    assert len(pings) == sum(pings.dispositions().values()) == len(list(pings.texts())) == 6
    assert [one.id for one in pings.content().journeys] == PINGS
    assert pings["J3"] == seed["J3"]


def test_tables(seed: Trace) -> None:
    """Rows of the whole's, by its index."""
    pings = seed.filter("icmp && ip.addr == 8.8.8.8")

    assert set(pings.hops["packet"]) == set(PINGS)
    assert pings.frames.equals(seed.frames.loc[np.sort(pings.hops["row"])])
    assert pings.connections.index.tolist() == [0]
    assert pings.frames_readable()["journey"].dropna().unique().tolist() == [f"J{number}" for number in PINGS]
    assert sum(len(one["packet"]) for one in pings.sightings()) == len(pings.hops)


def test_once_more(seed: Trace) -> None:
    """What is narrowed twice is what both pick."""
    twice = seed.filter("icmp").filter("ip.dst == 8.8.8.8")

    assert list(twice.numbers) == [number for number in PINGS if number in seed.select("icmp && ip.dst == 8.8.8.8")]
    assert len(seed.filter("icmp").filter("tcp")) == 0
    assert [one.id for one in seed.filter("icmp").content(selection="ip.dst == 8.8.8.8").journeys] == list(
        twice.numbers
    )


def test_findings() -> None:
    """Those that are about its journeys; the whole keeps its own."""
    trace = trace_of("home.published-on-former-address")
    left = trace.filter("verdict == dropped")

    assert [one.check for one in trace.findings] == ["connection-refused", "filtered-by-rule"]
    assert [one.check for one in left.findings] == ["filtered-by-rule"]
    assert "192.168.1.77" not in str(left.findings)


def test_nothing_is_read_again(seed: Trace) -> None:
    """What the whole has reckoned serves for it."""
    assert seed.filter("icmp").telling is seed.telling


def test_a_selection_that_cannot_be_understood(seed: Trace) -> None:
    """Is told as elsewhere."""
    with pytest.raises(SelectionError):
        seed.filter("nosuch == 1")
