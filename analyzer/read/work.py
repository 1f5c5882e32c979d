"""Tables between two stages: held in memory, or, where they would not fit, in files of a work directory.

A file has several tables one after the other, and in each its columns, as they are in memory: one seek and one read
give a table, whoever wrote it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

import numpy as np

from analyzer.errors import OutputError
from analyzer.process import give_back
from analyzer.read.scratch import scratch
from analyzer.schema import Array, Columns, Int64

MOUNTS = Path("/proc/self/mounts")
"""proc_pid_mounts(5)."""
IN_MEMORY, ON_DISK = ("tmpfs", "ramfs"), "/var/tmp"
ALIGNED = 8
"""Columns begin at a multiple of so many bytes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that somebody will ask for again."""

    rows: int
    held: Columns | None = None
    """In memory."""
    path: str = ""
    """Else the file."""
    begin: int = 0
    """Where it begins there."""
    kinds: tuple[tuple[str, str], ...] = ()
    """Name and dtype of each column, one after the other."""

    @property
    def places(self) -> Iterator[tuple[str, np.dtype[Any], int]]:
        """Give name, dtype and place of each column in the file."""
        at = self.begin
        for name, text in self.kinds:
            kind, at = np.dtype(text), -(-at // ALIGNED) * ALIGNED
            yield name, kind, at
            at += self.rows * kind.itemsize

    def open(self, *names: str) -> Columns:
        """
        Return its columns, or those of some *names*.

        Raises:
            OutputError: the file is gone, or was cut.
        """
        if self.held is not None:
            return {name: self.held[name] for name in names} if names else self.held
        return self._read(0, self.rows, names)

    def pick(self, rows: Int64, *names: str) -> Columns:
        """Return some *rows* of some columns, of which no more is read than need be."""
        if self.held is not None or not self.rows:
            return {name: column[rows] for name, column in self.open(*names).items()}
        wanted = (place for place in self.places if place[0] in names)
        try:
            return {
                name: np.array(np.memmap(self.path, kind, "r", at, (self.rows,))[rows]) for name, kind, at in wanted
            }
        except (OSError, ValueError) as error:
            raise _lost(self.path, OSError(str(error))) from None

    def fill(self, columns: Columns, at: int) -> None:
        """Put its rows into *columns*, from a place on."""
        if self.held is not None:
            for name, column in columns.items():
                column[at : at + self.rows] = self.held[name]
            return
        try:
            with Path(self.path).open("rb", buffering=0) as file:
                for name, _, place in self.places:
                    _read(file.fileno(), columns[name][at : at + self.rows], place)
        except OSError as error:
            raise _lost(self.path, error) from None

    def between(self, begin: int, end: int) -> Columns:
        """Return some rows of all columns."""
        if self.held is not None:
            return {name: column[begin:end] for name, column in self.held.items()}
        return self._read(begin, end - begin, ())

    def _read(self, first: int, count: int, names: tuple[str, ...]) -> Columns:
        try:
            with Path(self.path).open("rb", buffering=0) as file:
                return {
                    name: _column(file.fileno(), count, kind, at + first * kind.itemsize)
                    for name, kind, at in self.places
                    if not names or name in names
                }
        except OSError as error:
            raise _lost(self.path, error) from None

    def put(self, name: str, values: Array) -> None:
        """Replace a column by *values* of the same dtype."""
        if self.held is not None:
            self.held[name] = values
            return
        at = next(at for column, _, at in self.places if column == name)
        try:
            with Path(self.path).open("r+b") as file:
                file.seek(at)
                file.write(np.ascontiguousarray(values).data)
        except OSError as error:
            raise _lost(self.path, error) from None


class Work:
    """Where tables are kept: in memory, if there is no *folder*."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def keep(self, table: Columns) -> Kept:
        """Keep one table."""
        return self.keep_all([table])[0]

    def keep_all(self, tables: Iterable[Mapping[str, Array]]) -> list[Kept]:
        """
        Keep tables, in one file, each column written before the next is asked for.

        Raises:
            OutputError: it cannot be written.
        """
        if self.folder is None:
            held = map(dict, tables)
            return [Kept(_rows(table), table) for table in held]
        path = self.folder / token_hex(8)
        try:
            with path.open("wb") as file:
                return [_written(table, file, str(path)) for table in tables]
        except OSError as error:
            raise _lost(str(path), error) from None

    def forget(self, tables: Sequence[Kept]) -> None:
        """Give back the room of tables that nobody will ask for, with all that was kept together with them."""
        for path in {one.path for one in tables if one.path}:
            with suppress(OSError):
                Path(path).unlink()


def usual_place() -> str:
    """Return where temporary files are, or, if that is memory as well, where large ones are (file-hierarchy(7))."""
    usual = tempfile.gettempdir()
    with suppress(OSError, IndexError, ValueError):
        mounts = [line.split() for line in MOUNTS.read_text().splitlines()]
        inside = [(mount[1], mount[2]) for mount in mounts if Path(usual).resolve().is_relative_to(mount[1])]
        _, kind = max(inside, key=lambda mount: len(mount[0]))
        if kind in IN_MEMORY and os.access(ON_DISK, os.W_OK):
            return ON_DISK
    return usual


@contextmanager
def work_directory(place: str | None, needed: int) -> Iterator[Work]:
    """
    Give a folder for some *needed* bytes, in *place* or where it is usual; it is gone afterwards.

    Raises:
        OutputError: there is no room, or it cannot be written to.
    """
    with scratch(place or usual_place()) as folder:
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise OutputError(
                f"{place or folder.parent}: {needed >> 20:,} MiB are needed for what does not fit into memory, "
                f"{free >> 20:,} MiB are free: --work-dir names another place"
            )
        give_back()
        yield Work(folder)


def end_to_end(tables: Sequence[Kept]) -> Columns:
    """Return the rows of tables with the same columns, one after the other."""
    first, rows = tables[0], sum(one.rows for one in tables)
    if len(tables) == 1:
        return dict(first.open())
    kinds = (
        {name: column.dtype for name, column in first.held.items()}
        if first.held is not None
        else {name: np.dtype(kind) for name, kind, _ in first.places}
    )
    found: Columns = {name: np.empty(rows, kind) for name, kind in kinds.items()}
    at = 0
    for one in tables:
        one.fill(found, at)
        at += one.rows
    return found


def _column(file: int, count: int, kind: np.dtype[Any], at: int) -> Array:
    found: Array = np.empty(count, kind)
    _read(file, found, at)
    return found


def _read(file: int, into: Array, at: int) -> None:
    view, done = memoryview(into.view(np.uint8).data), 0
    while done < len(view):
        got = os.preadv(file, [view[done:]], at + done)
        if not got:
            raise OSError("it is shorter than it was")
        done += got


def _rows(table: Columns) -> int:
    return len(next(iter(table.values()))) if table else 0


def _written(table: Mapping[str, Array], file: BinaryIO, path: str) -> Kept:
    """Write columns, each aligned."""
    begin, rows, kinds = file.tell(), 0, []
    for name, column in table.items():
        file.write(bytes(-file.tell() % ALIGNED))
        file.write(np.ascontiguousarray(column).data)
        kinds.append((name, column.dtype.str))
        rows = len(column)
    return Kept(rows, None, path, begin, _once(tuple(kinds)))


@lru_cache(maxsize=64)
def _once(kinds: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the same object for equal ones: there may be a table for each stretch and part."""
    return kinds


def _lost(path: str, error: OSError) -> OutputError:
    return OutputError(f"{path}: the work directory cannot be used: {error.strerror or error}")
