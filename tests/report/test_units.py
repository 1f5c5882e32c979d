"""Times as a person reads them."""

import pytest

from analyzer.report.units import duration, moment, since

S = 1_000_000_000


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"), (999, "999 ns"), (-999, "-999 ns"),
        (1_000, "1.00 µs"), (9_990, "9.99 µs"), (10_000, "10.0 µs"), (64_040, "64.0 µs"), (100_000, "100 µs"),
        (999_000, "999 µs"), (1_000_000, "1.00 ms"), (999_000_000, "999 ms"), (S, "1.00 s"), (90 * S, "90.0 s"),
        (3600 * S, "3600 s"), (-1_500_000, "-1.50 ms"), (-12 * S, "-12.0 s"),
    ],
)  # fmt: skip
def test_a_duration_has_three_digits_in_the_largest_unit_that_fits(ns: int, text: str) -> None:
    """Nanoseconds are told as they are, seconds have no end; a sign does not change the unit."""
    assert duration(ns) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [(5, "+0.000000000"), (6, "+0.000000001"), (4, "-0.000000001"), (2 * S + 5, "+2.000000000"),
     (5 - 2 * S - 1, "-2.000000001")],
)  # fmt: skip
def test_a_relative_time_is_told_to_the_nanosecond_with_its_sign(ns: int, text: str) -> None:
    """What is before the start counts backwards; the start itself is +0."""
    assert since(ns, 5) == text


def test_a_moment_is_in_utc_to_the_nanosecond() -> None:
    """The part below a second has nine digits, also before 1970."""
    assert moment(1_790_000_000 * S + 7) == "2026-09-21 14:13:20.000000007 UTC"
    assert moment(-1) == "1969-12-31 23:59:59.999999999 UTC"


def test_a_moment_that_no_calendar_has_is_told_in_seconds() -> None:
    """A damaged capture may have any number for a time."""
    assert moment(10**12 * S + 3) == f"{10**12}.000000003 s since 1970"
