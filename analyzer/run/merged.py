"""Texts and rows that parts tell one after the other, in the order of what they are about."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice

import numpy as np

from analyzer.read.kept import Kept, lost
from analyzer.read.stored import open_stored
from analyzer.read.work import Work
from analyzer.read.written import new_path, remove, writing
from analyzer.schema import Array, Columns, Int64

ROWS, LINES = 1 << 20, 1_000
"""Rows of a table, and texts, that are put together at a time."""


@dataclass(frozen=True, slots=True)
class Written:
    """Texts of one line each, in memory or in a file."""

    numbers: Int64
    """By which they are sorted."""
    held: Sequence[str] = ()
    path: str = ""

    def lines(self, stack: ExitStack) -> Iterator[str]:
        """Give them; *stack* closes the file."""
        if not self.path:
            return iter(self.held)
        file = stack.enter_context(TextIOWrapper(open_stored(self.path), encoding="utf-8", newline="\n"))
        return (line.rstrip("\n") for line in file)


def write_texts(numbers: Int64, texts: Iterable[str], work: Work) -> Written:
    """
    Write texts of one line, with the numbers that these are to be sorted by, ascending.

    Raises:
        OutputError: they cannot be written.
    """
    if work.folder is None:
        return Written(numbers, list(texts))
    path = new_path(work.folder)
    try:
        with writing(path) as file:
            lines = iter(texts)
            while some := list(islice(lines, LINES)):
                file.write("".join(f"{text}\n" for text in some).encode())
    except OSError as error:
        remove(path)
        raise lost(path, error) from None
    return Written(numbers, path=path)


def in_order(parts: Iterable[Written]) -> Iterator[str]:
    """Give the texts of all parts in order; their files are read side by side, and gone then."""
    written = list(parts)
    try:
        with ExitStack() as stack:
            lines = [one.lines(stack) for one in written]
            for part in _turns([one.numbers for one in written]).tolist():
                yield next(lines[part])
    finally:
        for one in written:
            if one.path:
                remove(one.path)


def _turns(numbers: Sequence[Int64]) -> Array:
    """(n,) Return the part of each number, in the order of numbers."""
    part = np.repeat(np.arange(len(numbers), dtype=np.uint16), [len(mine) for mine in numbers])
    found: Array = part[np.argsort(np.concatenate([*numbers, np.zeros(0, np.int64)]), kind="stable")]
    return found


def rows_in_order(kept: Sequence[Kept], by: str, work: Work) -> Iterator[Columns]:
    """Give the rows of all parts' tables, each sorted by a column, sorted by it; so many at a time."""
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
