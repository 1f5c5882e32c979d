"""Where tables lie between two stages: in memory, or, where they would not fit, in files of a work directory."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from analyzer.errors import OutputError
from analyzer.read.kept import Kept, lost, written
from analyzer.read.scratch import LOCK, PREFIX, scratch
from analyzer.read.stored import is_remote
from analyzer.read.written import new_path, remove, remove_below, writing
from analyzer.schema import Array, Columns

MOUNTS = Path("/proc/self/mounts")
"""proc_pid_mounts(5)."""
IN_MEMORY, ON_DISK = ("tmpfs", "ramfs"), "/var/tmp"


class Work:
    """Where tables are kept: in memory, if there is no *folder*, which may be one of an object store."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = None if folder is None else str(folder)

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
        path, kept, at = new_path(self.folder), [], 0
        try:
            with writing(path) as file:
                for table in tables:
                    found, at = written(table, file, path, at)
                    kept.append(found)
        except OSError as error:
            raise lost(path, error) from None
        return kept

    def forget(self, tables: Sequence[Kept]) -> None:
        """Give back the room of tables that nobody will ask for, with all that was kept together with them."""
        for path in {one.path for one in tables if one.path}:
            remove(path)


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
    Give a folder for some *needed* bytes, in *place*, which may be a URL, or where it is usual; it is gone afterwards.

    Raises:
        OutputError: there is no room, or it cannot be written to.
    """
    if place is not None and is_remote(place):
        with _objects(place) as url:
            yield Work(url)
        return
    with scratch(place or usual_place()) as folder:
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise OutputError(
                f"{place or folder.parent}: {needed >> 20:,} MiB are needed for what does not fit into memory, "
                f"{free >> 20:,} MiB are free: --work-dir names another place"
            )
        yield Work(folder)


@contextmanager
def _objects(place: str) -> Iterator[str]:
    """Give a URL below *place*; what is written there is removed afterwards."""
    url = f"{place.rstrip('/')}/{PREFIX}{token_hex(8)}"
    try:
        with writing(f"{url}/{LOCK}") as file:  # else the first who finds out are workers
            file.write(b"")
    except OSError as error:
        raise lost(place, error) from None
    try:
        yield url
    finally:
        with suppress(OSError):
            remove_below(url)


def _rows(table: Columns) -> int:
    return len(next(iter(table.values()))) if table else 0
