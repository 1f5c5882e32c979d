"""How journeys end, and which of their steps a trial in a kernel makes surer."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Basis, Disposition, Journey
from analyzer.model.journey import BAD, CODES, ENDS, with_basis

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def journey() -> Journey:
    """A ping on its way out: an ARP exchange that was seen, a bridge that was inferred, a route that is stated."""
    return analyze([SEED]).journey(3)


def test_only_what_dumps_state_becomes_surer(journey: Journey) -> None:
    """What frames show, and what follows from them, nobody has tried."""
    before = [step.basis for step in journey.steps]
    after = [step.basis for step in with_basis(journey, Basis.CONFIRMED).steps]

    assert {Basis.OBSERVED, Basis.INFERRED, Basis.STATED} <= set(before)
    assert after == [Basis.CONFIRMED if basis is Basis.STATED else basis for basis in before]


def test_all_else_of_the_journey_stays(journey: Journey) -> None:
    """Its own basis, too: the frames are what they were; steps are the same but for how they are known."""
    tried = with_basis(journey, Basis.CONFIRMED)

    assert (tried.id, tried.hops, tried.basis, tried.reason) == (
        journey.id,
        journey.hops,
        journey.basis,
        journey.reason,
    )
    assert [step.kind for step in tried.steps] == [step.kind for step in journey.steps]
    assert with_basis(journey, Basis.STATED) == journey


@pytest.mark.parametrize(
    ("end", "bad"),
    [
        (Disposition.DELIVERED, False),
        (Disposition.LEFT_HOST, False),
        (Disposition.NOT_OBSERVABLE, False),
        (Disposition.REJECTED, True),
        (Disposition.DROPPED, True),
        (Disposition.LOST, True),
    ],
)
def test_what_nobody_could_see_is_not_held_against_a_packet(end: Disposition, bad: bool) -> None:
    """Only a packet that was lost, dropped or rejected did not get where it was to go; columns tell each end apart."""
    assert (end in BAD) is bad
    assert ENDS[CODES[end]] is end
