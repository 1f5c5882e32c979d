"""A part of what ``make fuzz`` tries: each input gives a report, or an error that is documented."""

from pathlib import Path

import pytest

from tests.fuzz.run import ALL, MOST_MEMORY, one, sweep


@pytest.mark.process
@pytest.mark.sweep
def test_inputs_that_were_changed() -> None:
    """One of 25, and every 25th beginning of the captures."""
    wrong, memory = sweep(ALL // 25, 0, 25)

    assert wrong == []
    assert memory < MOST_MEMORY


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
