"""One journey, or one connection's round trip: how they are called, and what is shown."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


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
