"""Frames that were read one after the other, as many as are looked at together: rows of FRAMES with all about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from analyzer.decode.batch import SIDE_TABLES
from analyzer.read.kept import Kept
from analyzer.read.work import Work
from analyzer.schema import FRAMES, KEYS, PLACES, Array, Columns, Int64, Table

Sides = dict[str, Columns]
"""QUOTES, NEIGHBOURS and TUNNELS by name."""


@dataclass(frozen=True, slots=True)
class OfFile:
    """Frames of one file in a stretch, as they were read."""

    file: int
    begin: int
    """Place of the first one in the stretch."""
    number: int
    """What it is called in its file, from 1."""


@dataclass(slots=True)
class Stretch:
    """Rows of FRAMES and KEYS that follow each other."""

    table: Kept
    """Both, and PLACES, in one table."""
    sides: dict[str, Kept]
    """``row`` counts from the stretch's first."""
    files: list[OfFile]
    read: int
    """Frames as they were read."""
    kept: Kept | None = None
    """Where some were dropped: ``row`` tells which of those that were read each is."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.table.rows

    def file_of_rows(self) -> Int64:
        """(rows,) Number of each one's file."""
        begins = np.array([one.begin for one in self.files], np.int64)
        numbers = np.array([one.file for one in self.files], np.int64)
        found: Int64 = numbers[np.searchsorted(begins, self.as_read(), side="right") - 1]
        return found

    def as_read(self) -> Int64:
        """(rows,) Which of those that were read each is."""
        found: Int64 = np.arange(self.rows) if self.kept is None else self.kept.open("row")["row"]
        return found

    def without(self, rows: Array, work: Work) -> "Stretch":
        """Return all but *rows*, given as (rows,) bool."""
        kept, number = np.flatnonzero(~rows), np.cumsum(~rows) - 1
        table = self.table.open()
        sides = {}
        for name, side in ((name, one.open()) for name, one in self.sides.items()):
            of_kept = np.flatnonzero(~rows[side["row"]])
            sides[name] = {column: values[of_kept] for column, values in side.items()}
            sides[name]["row"] = number[sides[name]["row"]]
        found = keep_stretch({name: column[kept] for name, column in table.items()}, sides, self.files, self.read, work)
        found.kept = work.keep({"row": self.as_read()[kept]})
        return found


def keep_stretch(table: Columns, sides: Sides, files: list[OfFile], read: int, work: Work) -> Stretch:
    """Keep the tables of a stretch."""
    kept = work.keep_all([table, *sides.values()])
    return Stretch(kept[0], dict(zip(sides, kept[1:], strict=True)), files, read)


class Store:
    """A table while it is read: columns with room to spare, whose unused pages take no memory."""

    def __init__(self, tables: Sequence[Table], capacity: int) -> None:
        """Make room for *capacity* rows."""
        dtypes = {name: dtype for table in tables for name, dtype in table.dtypes.items()}
        self._columns = {name: np.zeros(capacity, dtype) for name, dtype in dtypes.items()}
        self._capacity = capacity
        self.rows = 0

    def block(self, count: int) -> Columns:
        """Return zeroed columns for the next *count* rows."""
        if self.rows + count > self._capacity:
            self._capacity = max(self._capacity * 2, self.rows + count)
            for name, column in self._columns.items():
                grown = np.zeros(self._capacity, column.dtype)
                grown[: self.rows] = column[: self.rows]
                self._columns[name] = grown
        self.rows += count
        return self.at(self.rows - count, count)

    def at(self, first: int, count: int) -> Columns:
        """Return *count* rows from *first* on."""
        return {name: column[first : first + count] for name, column in self._columns.items()}

    def truncate(self, rows: int) -> None:
        """Forget all rows from *rows* on."""
        for column in self.at(rows, self.rows - rows).values():
            column[:] = 0
        self.rows = rows


@dataclass
class Gathering:
    """Takes frames in until they are a stretch."""

    store: Store
    files: list[OfFile] = field(default_factory=list)
    sides: dict[str, list[Columns]] = field(default_factory=lambda: {name: [] for name in SIDE_TABLES})

    @classmethod
    def of(cls, capacity: int) -> "Gathering":
        """Make room."""
        return cls(Store((FRAMES, KEYS, PLACES), capacity))

    @property
    def rows(self) -> int:
        """How many there are so far."""
        return self.store.rows

    def forget(self, rows: int) -> None:
        """Drop all rows from *rows* on."""
        self.store.truncate(rows)
        for parts in self.sides.values():
            parts[:] = [{name: column[part["row"] < rows] for name, column in part.items()} for part in parts]

    def stretches(self, count: int, work: Work) -> Iterator[Stretch]:
        """Give all that there is in *count* stretches of about the same length."""
        sides = {name: concatenated(parts, SIDE_TABLES[name].empty(0)) for name, parts in self.sides.items()}
        bounds = np.linspace(0, self.rows, count + 1).astype(np.int64).tolist()
        for begin, end in pairwise(bounds):
            cut = sides if count == 1 else {name: _between(side, begin, end) for name, side in sides.items()}
            files = list(self._files(begin, end))
            yield keep_stretch(self.store.at(begin, end - begin), cut, files, end - begin, work)

    def _files(self, begin: int, end: int) -> Iterator[OfFile]:
        """Tell of which files the rows between *begin* and *end* are."""
        ends = [*(one.begin for one in self.files[1:]), self.rows]
        for one, stop in zip(self.files, ends, strict=True):
            if one.begin < end and (stop > begin or not self.rows):
                first = max(one.begin, begin)
                yield OfFile(one.file, first - begin, one.number + first - one.begin)


def concatenated(parts: Sequence[Columns], empty: Columns) -> Columns:
    """Return the rows of all *parts*, one after the other; *empty* tells the columns."""
    return {name: np.concatenate([column, *(part[name] for part in parts)]) for name, column in empty.items()}


def _between(side: Columns, begin: int, end: int) -> Columns:
    rows = side["row"]
    places = np.flatnonzero((rows >= begin) & (rows < end))
    return {name: column[places] for name, column in side.items()} | {"row": rows[places] - begin}
