"""Findings of a check: its own words, unless others are given."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.diagnose import CHECKS, host
from analyzer.diagnose.check import Check, guarded
from analyzer.model import Basis, Evidence, Finding, HostState, Severity

HOST_CHECKS = host.CHECKS
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


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_that_fails_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    """By its name, and what to do; all other findings are as they were."""

    def fail(_: object) -> list[Finding]:
        raise IndexError("list index out of range")

    bundle = Path(__file__).parents[2] / "sample_pcaps" / "bundle"
    usual = [finding for finding in analyze(bundle).findings if finding.check != check.name]
    broken = [replace(one, look=fail) if one is check else one for one in CHECKS]
    monkeypatch.setattr("analyzer.diagnose.CHECKS", tuple(broken))
    found = analyze(bundle).findings
    told = [finding for finding in found if finding.check == check.name]

    assert [finding.title for finding in told] == [
        f"the check {check.name} failed: IndexError: list index out of range"
    ]
    assert told[0].severity is Severity.WARNING
    assert told[0].remedy == "Please report it, with the bundle if you can."
    assert [finding for finding in found if finding.check != check.name] == usual


@pytest.mark.parametrize("number", range(len(HOST_CHECKS)))
def test_a_check_of_a_host_that_fails(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Likewise, without captures."""

    def fail(_: HostState) -> list[Finding]:
        raise TypeError("wrong")

    fail.__module__ = HOST_CHECKS[number].__module__
    monkeypatch.setattr(host, "CHECKS", (*HOST_CHECKS[:number], fail, *HOST_CHECKS[number + 1 :]))
    (told,) = host.examine(HostState())

    assert told.title == f"the check {told.check} failed: TypeError: wrong"
    assert told.check in fail.__module__.replace("_", "-")


def test_a_full_memory_is_no_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the analysis, for nothing that follows would have room."""

    def full(_: object) -> list[Finding]:
        raise MemoryError

    with pytest.raises(MemoryError):
        guarded("x", lambda: full(None))
