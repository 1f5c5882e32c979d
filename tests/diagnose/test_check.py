"""Findings of a check: its own words, unless others are given."""

import pytest

from analyzer.diagnose.check import Check
from analyzer.model import Basis, Evidence, Severity

CHECK = Check("some-check", Severity.WARNING, "captures", "It speaks.", "Do it.", lambda subject: ())


def test_what_a_check_says_of_itself() -> None:
    """Severity and remedy are the check's; nothing shows it, and nothing was tried."""
    finding = CHECK.finding("it is so", "Because.")

    assert (finding.check, finding.title, finding.explanation) == ("some-check", "it is so", "Because.")
    assert (finding.severity, finding.remedy, finding.basis) == (Severity.WARNING, "Do it.", Basis.OBSERVED)
    assert (finding.evidence, finding.tried, finding.proof) == ((), None, ())


def test_what_is_given() -> None:
    """Takes the place of that."""
    finding = CHECK.finding(
        "it is so", "Because.", evidence=(Evidence("p", 1),), basis=Basis.STATED, severity=Severity.INFO,
        remedy="Nothing to do.", tried="it passes", proof=("a.txt: a",),
    )  # fmt: skip

    assert (finding.severity, finding.remedy, finding.basis) == (Severity.INFO, "Nothing to do.", Basis.STATED)
    assert (finding.evidence, finding.tried, finding.proof) == ((Evidence("p", 1),), "it passes", ("a.txt: a",))


@pytest.mark.parametrize("tried", [None, ""])
def test_what_cannot_be_told_was_not_tried(tried: str | None) -> None:
    """An empty answer is none."""
    assert CHECK.finding("it is so", "Because.", tried=tried).tried is None


def test_what_lists_say() -> None:
    """All of it."""
    told = CHECK.explained

    assert (told.name, told.severity, told.needs) == ("some-check", Severity.WARNING, "captures")
    assert (told.about, told.remedy) == ("It speaks.", "Do it.")
