"""Hypotheses: what they say of themselves, and that one which fails leaves all others alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import OutputError
from analyzer.explain.doctor import examine
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific, asked
from analyzer.explain.told import Told
from analyzer.model import Basis, Evidence, HostState, Severity
from analyzer.report.words import SAYS, worded
from tests.explain.scene import Scene

STATES = [one for one in HYPOTHESES if one.state is not None]
ONE = Hypothesis("capture-gap", Severity.WARNING, "captures", "It speaks.", "Do it.", lambda case: ())


def test_what_a_hypothesis_says_of_itself() -> None:
    """Its severity, unless that of what it found is another; nothing shows it, and nothing was tried."""
    finding = ONE.finding(Told({"a": 1}))

    assert (finding.check, finding.severity, finding.basis) == ("capture-gap", Severity.WARNING, Basis.STATED)
    assert (finding.facts, finding.evidence, finding.tried, finding.proof) == ({"a": 1}, (), None, ())


def test_what_is_given() -> None:
    """Takes the place of that."""
    told = Told(evidence=(Evidence("p", 1),), proof=("a.txt: a",), severity=Severity.INFO, tried="it passes")
    finding = ONE.finding(told)

    assert (finding.severity, finding.tried, finding.basis) == (Severity.INFO, "it passes", Basis.STATED)
    assert (finding.evidence, finding.proof) == ((Evidence("p", 1),), ("a.txt: a",))


@pytest.mark.parametrize("tried", [None, ""])
def test_what_cannot_be_told_was_not_tried(tried: str | None) -> None:
    """An empty answer is none."""
    assert ONE.finding(Told(tried=tried)).tried is None


def test_what_lists_say() -> None:
    """All of it."""
    told = ONE.explained

    assert (told.name, told.severity, told.needs) == ("capture-gap", Severity.WARNING, "captures")
    assert (told.about, told.remedy) == ("It speaks.", "Do it.")


def test_each_has_words_of_its_own() -> None:
    """What is found is said, and nothing is said that cannot be found."""
    assert set(SAYS) == {one.name for one in HYPOTHESES}
    assert len({one.name for one in HYPOTHESES}) == len(HYPOTHESES)


@pytest.mark.parametrize("one", HYPOTHESES, ids=lambda one: one.name)
def test_one_that_fails_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, one: Hypothesis) -> None:
    """By its name, and what to do; all other findings are as they were."""

    def fail(_: object) -> list[Cause]:
        raise IndexError("list index out of range")

    if one.preview:
        one = replace(one, preview=False)
    bundle = Path(__file__).parents[2] / "sample_pcaps" / "bundle"
    usual = [finding for finding in analyze(bundle).findings if finding.check != one.name]
    broken = tuple(replace(one, causes=fail) if other.name == one.name else other for other in HYPOTHESES)
    monkeypatch.setattr("analyzer.run.part.HYPOTHESES", broken)
    found = analyze(bundle).findings
    told = [finding for finding in found if finding.check == one.name]

    assert [finding.title for finding in told] == [f"the check {one.name} failed: IndexError: list index out of range"]
    assert told[0].severity is Severity.WARNING
    assert told[0].remedy == "Please report it, with the bundle if you can."
    assert [finding for finding in found if finding.check != one.name] == usual


def test_one_that_fails_when_it_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise: what it would have told is not known."""

    def fail(_: list[int]) -> Told:
        raise KeyError("x")

    broken = replace(ONE, causes=lambda case: [Cause([0], fail)], specific=Specific.KIND)
    monkeypatch.setattr("analyzer.run.part.HYPOTHESES", (broken,))
    scene = Scene(tmp_path)
    scene.out(0, 17, b"\0\1\0\2\0\x08\0\0")
    (told,) = scene.findings()

    assert told.title == "the check capture-gap failed: KeyError: 'x'"


@pytest.mark.parametrize("one", STATES, ids=lambda one: one.name)
def test_one_that_fails_on_a_host(monkeypatch: pytest.MonkeyPatch, one: Hypothesis) -> None:
    """Likewise, without captures."""

    def fail(_: object) -> list[Told]:
        raise TypeError("wrong")

    broken = tuple(replace(other, state=fail) if other is one else other for other in HYPOTHESES)
    monkeypatch.setattr("analyzer.explain.doctor.HYPOTHESES", broken)
    (told,) = worded(examine(HostState()))

    assert told.title == f"the check {one.name} failed: TypeError: wrong"


@pytest.mark.parametrize("error", [MemoryError(), OutputError("the work directory is gone")])
def test_what_ends_everything_is_no_failed_hypothesis(error: Exception) -> None:
    """For nothing that follows would have room, or its tables."""

    def full(_: object) -> list[Cause]:
        raise error

    with pytest.raises(type(error)):
        asked(replace(ONE, causes=full), None)  # type: ignore[arg-type]
