"""Bundles as one file, ``trouble.tar.zst``: packed for sending, opened into a temporary folder to be read."""

import shutil
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import zstandard

from analyzer.errors import InputError
from analyzer.read.source import DECOMPRESSION_ERRORS, HARMLESS, MOST_EXPANSION

MOST_MEMBERS = 10_000


def unpack(path: str, stack: ExitStack) -> Path:
    """
    Open a packed bundle; the folder lives as long as *stack*.

    Raises:
        InputError: it cannot be opened, or is none.
    """
    target = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hoptrace-"))) / "bundle"
    target.mkdir()
    try:
        room = max(Path(path).stat().st_size * MOST_EXPANSION, HARMLESS)
        with (
            Path(path).open("rb") as raw,
            zstandard.ZstdDecompressor().stream_reader(raw) as source,
            tarfile.open(fileobj=source, mode="r|") as archive,
        ):
            for count, member in enumerate(archive):
                room -= member.size
                if room < 0 or count >= MOST_MEMBERS:
                    raise InputError(f"{path}: expands too far to be a bundle")
                _extract(archive, member, target)
    except (tarfile.TarError, *DECOMPRESSION_ERRORS) as error:
        raise InputError(f"{path}: cannot unpack: {str(error) or type(error).__name__}") from None
    inner = [one for one in target.iterdir() if one.is_dir()]
    return inner[0] if len(inner) == 1 else target


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write a plain file below *target*; links, devices and ways out of the folder are left out."""
    parts = PurePosixPath(member.name).parts
    content = archive.extractfile(member) if member.isfile() else None
    if content is None or ".." in parts or "/" in parts:
        return
    place = target.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as out:
        shutil.copyfileobj(content, out, 1 << 20)
