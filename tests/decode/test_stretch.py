"""Rows that are read, cut to stretches and dropped: each keeps its file, its number and its rows of side tables."""

from typing import Any

import numpy as np
import pytest

from analyzer.decode.stretch import Gathering, OfFile, Store, Stretch, keep_stretch
from analyzer.read.work import Work
from analyzer.schema import FRAMES, NEIGHBOURS, PLACES, Columns


def _store(*values: int, capacity: int = 2) -> Store:
    store = Store((PLACES,), capacity)
    for value in values:
        store.block(1)["at"][:] = value
    return store


def _side(*rows: int) -> Columns:
    table = NEIGHBOURS.empty(len(rows))
    table["row"][:] = rows
    table["op"][:] = [row + 1 for row in rows]
    return table


def _gathering(count: int, files: list[OfFile], *sides: Columns) -> Gathering:
    """Gather frames that are numbered as they come."""
    gathering = Gathering.of(1)
    gathering.store.block(count)["frame"][:] = np.arange(count) + 100
    gathering.files += files
    gathering.sides["neighbours"] += sides
    return gathering


def _rows(one: Stretch, name: str = "frame") -> list[int]:
    return [int(value) for value in one.table.open(name)[name]]


def _neighbours(one: Stretch) -> list[tuple[int, int]]:
    found = one.sides["neighbours"].open()
    return list(zip(found["row"].tolist(), found["op"].tolist(), strict=True))


def test_a_store_grows_and_keeps_what_it_has() -> None:
    """Beyond twice its size as well; new rows are zero, also where others were forgotten."""
    store = _store(1, 2, 3)
    assert store.at(0, 3)["at"].tolist() == [1, 2, 3]

    store.truncate(1)
    assert store.rows == 1
    assert store.block(2)["at"].tolist() == [0] * 2
    assert store.block(50)["at"].tolist() == [0] * 50
    assert store.at(0, 1)["at"].tolist() == [1]


def test_rows_that_are_forgotten_take_their_side_rows_along() -> None:
    """Those before them stay."""
    gathering = _gathering(4, [OfFile(0, 0, 1)], _side(0, 2), _side(3))
    gathering.forget(2)
    (one,) = gathering.stretches(1, Work())

    assert (_rows(one), _neighbours(one)) == ([100, 101], [(0, 1)])


@pytest.mark.parametrize(
    ("count", "rows", "sides", "files"),
    [
        (1, [6], [[(0, 1), (2, 3), (3, 4), (5, 6)]], [[(0, 0, 1), (7, 2, 1), (9, 5, 4)]]),
        (2, [3, 3], [[(0, 1), (2, 3)], [(0, 4), (2, 6)]], [[(0, 0, 1), (7, 2, 1)], [(7, 0, 2), (9, 2, 4)]]),
        (3, [2, 2, 2], [[(0, 1)], [(0, 3), (1, 4)], [(1, 6)]], [[(0, 0, 1)], [(7, 0, 1)], [(7, 0, 3), (9, 1, 4)]]),
    ],
    ids=str,
)
def test_all_rows_are_cut_to_stretches(count: int, rows: list[int], sides: Any, files: Any) -> None:
    """Side rows count from the first of their stretch; a file that goes on in the next one is numbered on."""
    of = [OfFile(0, 0, 1), OfFile(7, 2, 1), OfFile(9, 5, 4)]
    found = list(_gathering(6, of, _side(0, 2), _side(3, 5)).stretches(count, Work()))

    assert [one.rows for one in found] == rows
    assert [row for one in found for row in _rows(one)] == list(range(100, 106))
    assert [_neighbours(one) for one in found] == sides
    assert [[(part.file, part.begin, part.number) for part in one.files] for one in found] == files
    assert [file for one in found for file in one.file_of_rows().tolist()] == [0, 0, 7, 7, 7, 9]


def test_files_without_frames_are_of_a_stretch_without_rows_alone() -> None:
    """Else they have no part in any."""
    (empty,) = _gathering(0, [OfFile(0, 0, 1), OfFile(1, 0, 1)]).stretches(1, Work())
    (one,) = _gathering(2, [OfFile(0, 0, 1), OfFile(1, 0, 1), OfFile(2, 2, 1)]).stretches(1, Work())

    assert empty.files == []
    assert [part.file for part in one.files] == [1]


def test_dropped_rows_leave_the_others_as_they_were_read() -> None:
    """Their files, their numbers as they were read, and their side rows; also when more are dropped later."""
    table = FRAMES.empty(5)
    table["frame"][:] = range(1, 6)
    files = [OfFile(0, 0, 1), OfFile(1, 2, 1)]
    one = keep_stretch(table, {"neighbours": _side(0, 1, 4)}, files, 5, Work())
    less = one.without(np.array([True, False, True, False, False]), Work())
    least = less.without(np.array([False, True, False]), Work())

    assert (_rows(less), less.as_read().tolist(), less.file_of_rows().tolist()) == ([2, 4, 5], [1, 3, 4], [0, 1, 1])
    assert (_neighbours(less), less.read) == ([(0, 2), (2, 5)], 5)
    assert (_rows(least), least.as_read().tolist(), least.file_of_rows().tolist()) == ([2, 5], [1, 4], [0, 1])
    assert _neighbours(least) == [(0, 2), (1, 5)]
    assert _rows(one) == [1, 2, 3, 4, 5]
