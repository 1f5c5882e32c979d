"""The order in which findings are told, and which of them are bad enough."""

import random

import pytest

from analyzer.model import Basis, Finding, Severity
from analyzer.model.finding import Evidence, Fact, reaches, worst_first

FACTS: dict[str, Fact] = {"connections": ["C0"]}
ORDER = (
    Finding("b", Severity.ERROR, Basis.INFERRED, FACTS),
    Finding("c", Severity.ERROR, Basis.CONFIRMED),
    Finding("d", Severity.ERROR, Basis.STATED),
    Finding("a", Severity.ERROR, Basis.INFERRED, {"connections": []}),
    Finding("d", Severity.WARNING, Basis.OBSERVED, FACTS),
    Finding("a", Severity.INFO, Basis.CONFIRMED, {"packets": 10, **FACTS}, title="b"),
    Finding("a", Severity.INFO, Basis.CONFIRMED, {"packets": 9, **FACTS}, title="a"),
    Finding("a", Severity.INFO, Basis.CONFIRMED, FACTS, title="a"),
    Finding("a", Severity.INFO, Basis.CONFIRMED, FACTS, title="b", detail="a"),
    Finding("a", Severity.INFO, Basis.CONFIRMED, FACTS, title="b", detail="b"),
    Finding("b", Severity.INFO, Basis.CONFIRMED, FACTS, title="a", detail="a"),
)
"""The worst first: what keeps connections from something, then the surest, then by name, then by packets."""


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_is_told_first_in_whatever_order_findings_come(seed: int) -> None:
    """Severity, connections that are kept from something, how sure it is, check, packets, title, detail."""
    mixed = random.Random(seed).sample(ORDER, len(ORDER))

    assert worst_first(mixed) == ORDER


def test_of_equally_bad_findings_the_surest_comes_first() -> None:
    """What a kernel confirmed, then what a dump states of why, what frames show, what is inferred."""
    found = worst_first(Finding("x", Severity.ERROR, basis) for basis in reversed(Basis))

    assert [one.basis for one in found] == [Basis.CONFIRMED, Basis.STATED, Basis.OBSERVED, Basis.INFERRED]


@pytest.mark.parametrize(
    ("found", "asked", "reached"),
    [
        ((Severity.ERROR,), Severity.ERROR, True),
        ((Severity.WARNING,), Severity.ERROR, False),
        ((Severity.INFO, Severity.ERROR), Severity.WARNING, True),
        ((Severity.INFO, Severity.WARNING), Severity.WARNING, True),
        ((Severity.INFO, Severity.INFO), Severity.WARNING, False),
        ((Severity.INFO,), Severity.INFO, True),
        ((), Severity.INFO, False),
    ],
)
def test_a_worse_finding_counts_as_well(found: tuple[Severity, ...], asked: Severity, reached: bool) -> None:
    """One that is as bad as what was asked for, or worse; nothing is reached without findings."""
    assert reaches((Finding("x", severity, Basis.OBSERVED) for severity in found), asked) is reached


def test_evidence_is_a_frame_or_a_whole_point() -> None:
    """Frame numbers begin with 1, but a 0 would be a number, too."""
    assert [str(Evidence("wlan0", frame)) for frame in (3, 0, None)] == ["wlan0 #3", "wlan0 #0", "wlan0"]
