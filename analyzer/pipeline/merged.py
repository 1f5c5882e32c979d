"""Texts and rows that parts tell one after the other, in the order of what they are about."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from analyzer.read.work import Work
from analyzer.schema import Array, Columns, Int64

ROWS = 1 << 20
"""Rows of a table that are put together at a time."""


def in_order(parts: Iterable[tuple[Int64, Iterable[str]]], work: Work) -> Iterator[str]:
    """
    Give texts of one line, each part with the numbers that these are to be sorted by, ascending.

    Those of each part are written to a file while the part is open, and read side by side then.
    """
    with ExitStack() as stack:
        numbers, files = [], []
        for mine, texts in parts:
            file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", dir=work.folder))
            file.writelines(f"{text}\n" for text in texts)
            file.seek(0)
            numbers.append(mine)
            files.append(file)
        for part in _turns(numbers).tolist():
            yield next(files[part]).rstrip("\n")


def _turns(numbers: Sequence[Int64]) -> Array:
    """(n,) Return the part of each number, in the order of numbers."""
    part = np.repeat(np.arange(len(numbers), dtype=np.uint16), [len(mine) for mine in numbers])
    found: Array = part[np.argsort(np.concatenate([*numbers, np.zeros(0, np.int64)]), kind="stable")]
    return found


def rows_in_order(parts: Iterable[Columns], by: str, work: Work) -> Iterator[Columns]:
    """Give the rows of all parts' tables, each sorted by a column, sorted by it; so many at a time."""
    kept = [work.keep(part) for part in parts]
    turns = _turns([one.open(by)[by] for one in kept])
    at = np.zeros(len(kept), np.int64)
    for begin in range(0, len(turns), ROWS):
        turn = turns[begin : begin + ROWS]
        count = np.bincount(turn, minlength=len(kept))
        tables = [
            one.between(first, first + more)
            for one, first, more in zip(kept, at.tolist(), count.tolist(), strict=True)
            if more
        ]
        at += count
        order = np.argsort(turn, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        yield {name: np.concatenate([table[name] for table in tables])[place] for name in tables[0]}
    work.forget(kept)
