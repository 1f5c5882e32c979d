"""Temporary copies of what can be read only once, or has to be unpacked; those of a run that was killed are removed."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from analyzer.process import hold, is_held, open_here

PREFIX = "hoptrace-"
_OURS = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")
LOCK = ".lock"
RESERVE = 256 << 20
"""Bytes of disk that stay free."""
GRACE_S = 60
"""A folder younger than this may not have its lock yet."""


@contextmanager
def scratch(place: str | None = None) -> Iterator[Path]:
    """
    Give a new folder in *place*, or where temporary files are.

    It is removed afterwards; or by the next run, if this one is killed.
    """
    place = place or tempfile.gettempdir()
    sweep(Path(place))
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True) as folder,
        (Path(folder) / LOCK).open("wb") as lock,
    ):
        hold(lock.fileno())
        yield Path(folder)


def sweep(place: Path) -> None:
    """Remove what runs left in *place* that are dead: folders of this user whose lock nobody holds."""
    with suppress(OSError):
        for entry in list(os.scandir(place)):
            if _OURS.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    _remove_dead(Path(entry.path), entry.stat(follow_symlinks=False))


def _remove_dead(folder: Path, known: os.stat_result) -> None:
    ours = not hasattr(os, "getuid") or known.st_uid == os.getuid()
    if not ours or time.time() - known.st_mtime < GRACE_S:
        return
    file = open_here(folder / LOCK, os.O_RDONLY)
    try:
        if not is_held(file):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(file)
