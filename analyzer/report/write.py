"""Writes reports so that a file is there whole, or not at all."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from analyzer.errors import OutputError
from analyzer.process import hold, is_held, open_here


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """
    Give a temporary path beside *path*, which takes its name when all went well, and else is removed.

    What is there and no file, a pipe or a device, is written to as it is: it must not be replaced by a file.

    Raises:
        OutputError: it cannot be written, now or in between.
    """
    try:
        target = path.resolve()  # a symlink stays one
        if target.exists() and not target.is_file():
            yield target
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(target)
        temporary = target.with_name(f".{target.name[:64]}.{token_hex(4)}")
        file = -1
        try:  # from here on, for a signal may come as soon as the file is there
            file = open_here(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            if not hold(file):  # and an open file cannot be renamed
                os.close(file)
                file = -1
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        finally:
            if file >= 0:
                os.close(file)
    except BrokenPipeError:
        raise
    except (OSError, RuntimeError) as error:  # RuntimeError: symlinks that lead to each other
        raise OutputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _remove_dead(target: Path) -> None:
    """Remove what runs left that were killed while they wrote *target*: temporary files whose lock nobody holds."""
    ours = re.compile(re.escape(f".{target.name[:64]}.") + "[0-9a-f]{8}")
    for left in [entry for entry in target.parent.iterdir() if ours.fullmatch(entry.name)]:
        with suppress(OSError):
            file = open_here(left, os.O_RDONLY)
            try:
                if not is_held(file):
                    left.unlink()
            finally:
                os.close(file)


def write_lines(path: Path, pieces: Iterable[str]) -> None:
    """
    Write *pieces* to *path*, which takes its name only when it is complete.

    Raises:
        OutputError: it cannot be written.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as out:
        out.writelines(pieces)


def write_blocks(path: Path, blocks: Iterable[bytes]) -> None:
    """
    Write *blocks* to *path*, likewise.

    Raises:
        OutputError: it cannot be written.
    """
    with whole_file(path) as temporary, temporary.open("wb") as out:
        out.writelines(blocks)
