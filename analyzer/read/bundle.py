"""Bundles as one file, ``trouble.tar.zst``, opened into a temporary folder to be read."""

import errno
import shutil
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from analyzer.errors import InputError
from analyzer.read.packed import CODECS, DamagedError, Packed
from analyzer.read.scratch import RESERVE, scratch
from analyzer.read.stored import open_stored
from analyzer.read.tar import Member, TarError, members

ZSTD = b"\x28\xb5\x2f\xfd"
MOST_MEMBERS = 10_000
MOST_BYTES = 8 << 30
"""Of all that is in a bundle, if nobody says another limit."""
HARMLESS = 64 << 20
MOST_EXPANSION = 200
"""Bytes per packed one, of bundles that are not small; captures of real traffic have some 10, quiet ones 100."""
HOST, BEFORE = "host", "host-before"
"""Folders in a bundle that are none themselves."""
LONGEST_NAME = 255
NO_SUCH_PLACE = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)
"""A member that is a file and a folder at once, or deeper than any path can be."""


class _Stream:
    """The archive itself, as much of it as may be."""

    def __init__(self, path: str, packed: Packed, most: int) -> None:
        self._path, self._packed, self._most, self._read = path, packed, most, 0

    def read(self, size: int) -> bytes:
        data = self._packed.read(size)
        self._read += len(data)
        if self._read > max(HARMLESS, MOST_EXPANSION * self._packed.consumed):
            raise InputError(f"{self._path}: expands more than {MOST_EXPANSION}-fold, which no bundle does")
        if self._read > self._most:
            raise InputError(
                f"{self._path}: more than {self._most >> 20} MiB unpacked; --unpack-limit, and room for temporary "
                "files, allow more"
            )
        return data


def unpack(
    path: str, stack: ExitStack, most: int = MOST_BYTES, stored: str | None = None
) -> tuple[Path, InputError | None]:
    """
    Open a packed bundle; the folder lives as long as *stack*. *most* is the limit of bytes unpacked, *stored* a copy.

    Returns:
        The folder, and what ended the archive before its time: all before is there.

    Raises:
        InputError: it cannot be opened, is none, or is too large.
    """
    target = stack.enter_context(scratch()) / "bundle"
    target.mkdir()
    room = max(shutil.disk_usage(target).free - RESERVE, 0)
    count, damage = 0, None
    try:
        with open_stored(stored or path) as file:
            magic = file.read(len(ZSTD))
            if magic != ZSTD:
                raise TarError("not packed by zstd" if magic else "empty file")
            stream = _Stream(path, Packed(file, CODECS[ZSTD]), min(most, room))
            for member in members(stream.read):
                count += 1
                if count > MOST_MEMBERS:
                    raise InputError(f"{path}: more than {MOST_MEMBERS:,} files")
                extract(member, target)
    except (TarError, DamagedError, OSError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        damage = InputError(f"{path}: cannot unpack{' all of it' if count else ''}: {reason}")
    if damage is not None and not count:
        raise damage
    inner = [one for one in target.iterdir() if one.is_dir() and one.name not in (HOST, BEFORE)]
    return inner[0] if len(inner) == 1 else target, damage


def extract(member: Member, target: Path) -> None:
    """Write a plain file below *target*; ways out of the folder, and names that no file can have, are left out."""
    path = PurePosixPath(member.name)
    parts = path.parts
    if not parts or ".." in parts or path.is_absolute() or "\0" in member.name or max(map(len, parts)) > LONGEST_NAME:
        return
    place = target.joinpath(*parts)
    try:
        (place if member.is_folder else place.parent).mkdir(parents=True, exist_ok=True)
        out = None if member.is_folder else place.open("wb")
    except OSError as error:
        if error.errno in NO_SUCH_PLACE:
            return
        raise
    if out is not None:
        with out:
            out.writelines(member.content)
