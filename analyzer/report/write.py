"""Writes reports so that a file is there whole, or not at all."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from analyzer.errors import InputError


def write_lines(path: Path, pieces: Iterable[str]) -> None:
    """
    Write *pieces* to *path*, which takes its name only when it is complete.

    Raises:
        InputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as out:
            out.writelines(pieces)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(f"{path}: {error.strerror}") from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
