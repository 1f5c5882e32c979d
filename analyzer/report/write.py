"""Writes reports so that a file is there whole, or not at all."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """
    Give a temporary path beside *path*, which takes its name when all went well, and else is removed.

    Raises:
        InputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_lines(path: Path, pieces: Iterable[str]) -> None:
    """
    Write *pieces* to *path*, which takes its name only when it is complete.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as out:
            out.writelines(pieces)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
