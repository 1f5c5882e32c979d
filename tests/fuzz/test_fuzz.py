"""A part of what ``make fuzz`` tries: each input gives a report, or an error that is documented."""

from pathlib import Path

import pytest

from tests.fuzz.run import ALL, TOGETHER, one, prefixes, several
from tests.fuzz.seeds import CAPTURES

TENTH = ALL // 10


@pytest.mark.process
@pytest.mark.parametrize("first", range(0, TENTH, TENTH // 10))
def test_inputs_that_were_changed(first: int) -> None:
    """A tenth of them, in ten parts."""
    for begin in range(first, first + TENTH // 10, TOGETHER):
        found, _ = several(range(begin, begin + TOGETHER))
        assert found == []


@pytest.mark.process
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_beginnings_of_captures(path: Path) -> None:
    """Every tenth."""
    assert prefixes(path, step=10) == []


def test_an_input_is_the_same_whenever_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is all that is needed to look at it again; and what goes wrong is told."""
    seen: list[bytes] = []

    def attempt(path: Path) -> str:
        seen.append(path.read_bytes() if path.is_file() else b"".join(sorted(p.name.encode() for p in path.rglob("*"))))
        return "wrong"

    monkeypatch.setattr("tests.fuzz.run.attempt", attempt)
    told = [one(number) for number in (1, 2, 3, 1, 2, 3)]

    assert seen[:3] == seen[3:]
    assert all(text is not None and text.endswith(": wrong") for text in told)
