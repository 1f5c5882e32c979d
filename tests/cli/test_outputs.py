"""Where reports go, and as what."""

from pathlib import Path

import pytest

from analyzer.cli.outputs import Output, check_targets, outputs_of
from analyzer.errors import SelectionError


def test_the_ending_says_it_else_the_format() -> None:
    """Each output is meant once; --json is one for stdout."""
    assert outputs_of(["a.json", "b", "a.json"], "html", as_json=True) == [
        Output(Path("a.json"), "json"), Output(Path("b"), "html"), Output(Path("-"), "json")
    ]  # fmt: skip
    assert outputs_of([], None, as_json=False) == []


@pytest.mark.parametrize(
    ("names", "form", "as_json", "why"),
    [
        (["x.docx"], None, False, "unknown ending"),
        (["-"], None, False, "--format says as what"),
        (["-"], "json", True, "two reports for stdout"),
        (["-"], "parquet", False, "needs a name"),
    ],
)
def test_what_cannot_be_meant(names: list[str], form: str | None, as_json: bool, why: str) -> None:
    """It is refused before anything is read."""
    with pytest.raises(SelectionError, match=why):
        outputs_of(names, form, as_json=as_json)


def test_stdout_is_no_file_that_is_in_the_way() -> None:
    """Whatever is read has another name."""
    check_targets([Output(Path("-"), "json")], ["-"])
    with pytest.raises(SelectionError, match="would be lost"):
        check_targets([Output(Path("a.json"), "json")], ["a.json"])
