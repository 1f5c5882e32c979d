"""Fields of selections: each can be asked, with the example that it has."""

from pathlib import Path

import pytest

from analyzer import Trace, analyze
from analyzer.journey.fields import FIELDS, PROTOCOLS

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def trace() -> Trace:
    """The seed sample."""
    return analyze([SEED])


@pytest.mark.parametrize("name", FIELDS)
def test_an_example_can_be_asked(trace: Trace, name: str) -> None:
    """And what is unequal to it is all the rest."""
    equal, unequal = (trace.select(f"{name} {sign} {FIELDS[name].example}") for sign in ("==", "!="))

    assert sorted([*equal, *unequal]) == list(range(trace.packets))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_can_be_asked(trace: Trace, name: str) -> None:
    """By its name alone."""
    assert set(trace.select(name)) | set(trace.select(f"!{name}")) == set(range(trace.packets))
