"""Tables that somebody will ask for again: held in memory, or in files.

A file has several tables one after the other, and in each its columns, as they are in memory: one seek and one read
give a column, whoever wrote it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from analyzer.errors import OutputError
from analyzer.read.stored import is_remote
from analyzer.read.unread import Unread, only
from analyzer.read.written import Writer, read_into, replace_at
from analyzer.schema import Array, Columns, Int64

Kinds = tuple[tuple[str, str], ...]
"""Names and dtypes of columns."""


class Kept(NamedTuple):
    """A table that somebody will ask for again."""

    rows: int
    held: Columns | None = None
    """In memory."""
    path: str = ""
    """Else the file."""
    begin: int = 0
    """Where it begins there."""
    kinds: Kinds = ()
    """Of its columns, one after the other."""

    @property
    def names(self) -> list[str]:
        """Names of its columns, in order."""
        return list(self.held) if self.held is not None else [name for name, _ in self.kinds]

    def kind(self, name: str) -> np.dtype[Any]:
        """Return the dtype of a column."""
        return self.held[name].dtype if self.held is not None else self._place(name)[0]

    def _place(self, name: str) -> tuple[np.dtype[Any], int]:
        """Return the dtype of a column, and where it begins in the file."""
        kind, before = _layout(self.kinds)[name]
        return kind, self.begin + before * self.rows

    def open(self, *names: str) -> Columns:
        """
        Return its columns, or those of some *names*.

        Raises:
            OutputError: the file is gone, or was cut; of all columns, when one is asked for.
        """
        if self.held is not None:
            return {name: self.held[name] for name in names} if names else self.held
        if names:
            return {name: self._column(name, 0, self.rows) for name in names}
        if is_remote(self.path):
            return self._at_once()
        return Unread(self.names, lambda name: self._column(name, 0, self.rows))

    def pick(self, rows: Int64, *names: str) -> Columns:
        """Return some *rows* of some columns, of which no more is read than need be."""
        if self.held is not None or not self.rows or is_remote(self.path):
            return {name: column[rows] for name, column in self.open(*names).items()}
        wanted = ((name, *self._place(name)) for name in names)
        try:
            return {
                name: np.array(np.memmap(self.path, kind, "r", at, (self.rows,))[rows]) for name, kind, at in wanted
            }
        except (OSError, ValueError) as error:
            raise lost(self.path, OSError(str(error))) from None

    def fill(self, name: str, into: Array) -> None:
        """Put one of its columns into (rows,) *into*."""
        if self.held is not None:
            into[:] = self.held[name]
            return
        _read(self.path, into, self._place(name)[1])

    def between(self, begin: int, end: int) -> Columns:
        """Return some rows of all columns."""
        if self.held is not None:
            return {name: column[begin:end] for name, column in self.held.items()}
        return {name: self._column(name, begin, end) for name in self.names}

    def _at_once(self) -> Columns:
        """Read all columns together: of an object, each request takes its time."""
        layout, rows = _layout(self.kinds), self.rows
        data = np.empty(sum(kind.itemsize for kind, _ in layout.values()) * rows, np.uint8)
        _read(self.path, data, self.begin)
        places = ((name, kind, slice(at * rows, (at + kind.itemsize) * rows)) for name, (kind, at) in layout.items())
        return {name: data[place].copy().view(kind) for name, kind, place in places}

    def _column(self, name: str, begin: int, end: int) -> Array:
        kind, at = self._place(name)
        found: Array = np.empty(end - begin, kind)
        _read(self.path, found, at + begin * kind.itemsize)
        return found

    def put(self, name: str, values: Array) -> None:
        """Replace a column by *values* of the same dtype."""
        if self.held is not None:
            self.held[name] = values
            return
        try:
            replace_at(self.path, _bytes(values), self._place(name)[1])
        except OSError as error:
            raise lost(self.path, error) from None


def end_to_end(tables: Sequence[Kept]) -> Columns:
    """Return the rows of tables with the same columns, one after the other; a column is read when it is asked for."""
    if is_remote(tables[0].path):
        tables = [Kept(one.rows, one.open()) for one in tables]
    first, *_ = tables = [one for one in tables if one.rows] or tables[:1]
    if len(tables) == 1:
        return only(first.open(), first.names)
    bounds = list(accumulate((one.rows for one in tables), initial=0))

    def read(name: str) -> Array:
        found: Array = np.empty(bounds[-1], first.kind(name))
        for one, begin, end in zip(tables, bounds, bounds[1:], strict=False):
            one.fill(name, found[begin:end])
        return found

    return Unread(first.names, read)


def _read(path: str, into: Array, at: int) -> None:
    try:
        read_into(path, memoryview(into.view(np.uint8).data), at)
    except OSError as error:
        raise lost(path, error) from None


def _bytes(column: Array) -> memoryview:
    return memoryview(np.ascontiguousarray(column).view(np.uint8).data)


def written(table: Mapping[str, Array], file: Writer, path: str, begin: int) -> tuple[Kept, int]:
    """Write columns from a place in the file on; return where they end, too."""
    at, rows, kinds = begin, 0, []
    for name, column in table.items():
        if rows := len(column):
            file.write(_bytes(column))
        kinds.append((name, column.dtype.str))
        at += column.nbytes
    return Kept(rows, None, path, begin, _once(tuple(kinds))), at


@lru_cache(maxsize=64)
def _once(kinds: Kinds) -> Kinds:
    """Return the same object for equal ones: there may be a table for each stretch and part."""
    return kinds


@lru_cache(maxsize=64)
def _layout(kinds: Kinds) -> dict[str, tuple[np.dtype[Any], int]]:
    """Return each column's dtype, and how many bytes a row the columns before it have."""
    found, before = {}, 0
    for name, kind in kinds:
        found[name] = np.dtype(kind), before
        before += np.dtype(kind).itemsize
    return found


def lost(path: str, error: OSError) -> OutputError:
    """Return what to say of a file of the work directory that cannot be used."""
    return OutputError(f"{path}: the work directory cannot be used: {error.strerror or error}")
