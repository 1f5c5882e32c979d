"""Texts and rows of several parts come in the order of what they are about, from memory and from files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import OutputError
from analyzer.read.work import Work
from analyzer.run import merged
from analyzer.run.merged import Written, in_order, rows_in_order, write_texts
from analyzer.schema import Columns


@pytest.fixture(params=["memory", "files"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Where parts leave what they tell."""
    return Work(tmp_path if request.param == "files" else None)


def _left(work: Work) -> list[Path]:
    return [] if work.folder is None else list(Path(work.folder).iterdir())


def _written(work: Work, *parts: Sequence[int]) -> list[Written]:
    return [write_texts(np.array(mine, np.int64), (f"text {number}, ü" for number in mine), work) for mine in parts]


def test_texts_of_all_parts_are_in_order(work: Work) -> None:
    """Whoever tells them; a part may tell none. Their files are gone then."""
    parts = _written(work, [1, 4, 5], [], [0, 2, 6], [3])

    assert len(_left(work)) == (4 if work.folder else 0)
    assert list(in_order(parts)) == [f"text {number}, ü" for number in range(7)]
    assert _left(work) == []
    assert list(in_order([])) == []


def test_of_equal_numbers_the_first_part_comes_first(work: Work) -> None:
    """Parts keep their order."""
    parts = [write_texts(np.array([7, 7]), texts, work) for texts in (["a", "b"], ["c", "d"])]

    assert list(in_order(parts)) == ["a", "b", "c", "d"]


def test_whoever_stops_reading_leaves_nothing_behind(work: Work) -> None:
    """A report that cannot be written does not need the rest."""
    texts = in_order(_written(work, [0, 2], [1]))
    next(iter(texts))
    texts.close()  # type: ignore[attr-defined]

    assert _left(work) == []


def test_a_work_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    """With the file and why."""
    with pytest.raises(OutputError, match="the work directory cannot be used: No such file or directory"):
        _written(Work(tmp_path / "gone"), [1])


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_rows_of_all_parts_are_in_order(work: Work, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """So many at a time, all columns alike; tables are gone then."""
    monkeypatch.setattr(merged, "ROWS", rows)
    parts: tuple[list[int], ...] = ([0, 0, 3, 5], [1, 1, 4], [], [2])
    tables: list[Columns] = [
        {"packet": np.array(mine, np.int64), "twice": np.array(mine, np.int32) * 2} for mine in parts
    ]
    found = list(rows_in_order([work.keep(table) for table in tables], "packet", work))

    assert [len(one["packet"]) for one in found] == [rows] * (8 // rows) + ([8 % rows] if 8 % rows else [])
    assert np.concatenate([one["packet"] for one in found]).tolist() == [0, 0, 1, 1, 2, 3, 4, 5]
    assert np.concatenate([one["twice"] for one in found]).tolist() == [0, 0, 2, 2, 4, 6, 8, 10]
    assert _left(work) == []
