"""One journey, or one connection's round trip: how they are called, and what is shown."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from analyzer.cli.show import read_journey, read_which
from analyzer.errors import SelectionError

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


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


@pytest.mark.parametrize(
    ("words", "first", "second"),
    [
        ((), "J3 ICMP echo request seq 1", "J6 ICMP echo reply seq 1"),
        (("--explain",), "J3 ICMP echo request seq 1", "J6 ICMP echo reply seq 1"),
    ],
)
def test_a_round_trip(words: tuple[str, ...], first: str, second: str) -> None:
    """There, and the answer's way back, with what each leg took."""
    told = _run("show", SEED, "C0", *words).stdout
    trip = (
        "round trip of J3 and J6, 251 µs: there 103 µs (veth-c3 → wlan0), beyond wlan0 119 µs, back 29.1 µs (wlan0 → "
    )

    assert told.index(f"\n{first}" if not words else first) < told.rindex(f"\n{second}") < told.index(trip)
    assert "MASQUERADE undone on the way back" in told or "is put back" in told


def test_a_connection_that_is_not_there() -> None:
    """Those that are there are told."""
    done = _run("show", SEED, "C9")

    assert (done.exit_code, "no connection C9; there are C0 to C1" in done.stderr) == (2, True)
