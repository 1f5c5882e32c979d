"""What journeys and connections are called."""

import pytest

from analyzer.errors import SelectionError
from analyzer.run.called import read_journey, read_which


@pytest.mark.parametrize(("text", "number"), [("J12", 12), ("j12", 12), ("12", 12), ("J0", 0), ("9" * 18, 10**18 - 1)])
def test_a_journey_is_called_by_its_number(text: str, number: int) -> None:
    """With or without the letter."""
    assert read_journey(text) == number


@pytest.mark.parametrize("text", ["", "J", "JJ1", "K1", "-1", "J1.5", "\u0663", "9" * 19])
def test_what_is_no_journey_is_refused(text: str) -> None:
    """It is told how journeys are called."""
    with pytest.raises(SelectionError, match="not a journey; they are called J0, J1"):
        read_journey(text)


@pytest.mark.parametrize(
    ("text", "which"), [("C0", (0, True)), ("c12", (12, True)), ("J3", (3, False)), ("7", (7, False))]
)
def test_a_connection_is_called_by_its_letter(text: str, which: tuple[int, bool]) -> None:
    """Without one, a number is a journey's."""
    assert read_which(text) == which


@pytest.mark.parametrize("text", ["C", "C-1", "CC1", "C1.5", "C" + "9" * 19])
def test_what_is_no_connection_is_refused(text: str) -> None:
    """It is told how connections are called."""
    with pytest.raises(SelectionError, match="not a connection; they are called C0, C1"):
        read_which(text)
