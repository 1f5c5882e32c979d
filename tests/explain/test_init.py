"""Many findings of one check: told one by one up to a number, then together."""

import pytest

from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.report.words import _few


def _finding(number: int, severity: Severity = Severity.WARNING) -> Finding:
    return Finding("check", severity, Basis.STATED, {}, (Evidence("p", number),), ("proof",), "tried",
                   title=f"title {number}", detail=f"title {number}", remedy="remedy")  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 7, 8])
def test_up_to_eight_are_told_one_by_one(count: int) -> None:
    """As they are."""
    findings = [_finding(number) for number in range(count)]

    assert _few(findings) == findings


@pytest.mark.parametrize(
    ("count", "title", "named", "more"),
    [(9, "2 more like these", 2, ""), (15, "8 more like these", 8, ""), (16, "9 more like these", 8, "; and 1 more"),
     (2007, "2,000 more like these", 8, "; and 1,992 more")],
)  # fmt: skip
def test_more_are_told_together(count: int, title: str, named: int, more: str) -> None:
    """Seven by themselves, then one that names eight of the others, with a frame of each."""
    found = _few([_finding(number) for number in range(count)])

    assert found[:7] == [_finding(number) for number in range(7)]
    assert len(found) == 8
    assert found[7].detail == title
    assert found[7].explanation == "; ".join(f"title {number}" for number in range(7, 7 + named)) + f"{more}."
    assert found[7].evidence == tuple(Evidence("p", number) for number in range(7, 7 + named))
    assert (found[7].proof, found[7].tried, found[7].remedy) == ((), None, "remedy")


def test_the_worst_of_them_counts() -> None:
    """Only of those that are told together."""
    kinds = [Severity.ERROR] * 7 + [Severity.INFO, Severity.WARNING, Severity.INFO]

    assert _few([_finding(number, kind) for number, kind in enumerate(kinds)])[7].severity is Severity.WARNING


def test_one_without_a_frame_is_left_out_of_the_evidence() -> None:
    """Some findings have dumps alone as their proof."""
    findings = [_finding(number) for number in range(10)]
    bare = Finding("check", Severity.INFO, Basis.STATED, title="bare")
    found = _few([*findings[:8], bare, findings[9]])

    assert found[7].evidence == (Evidence("p", 7), Evidence("p", 9))
