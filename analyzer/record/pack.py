"""A recorded folder as one file for sending: packed, and read again."""

import tarfile
from collections.abc import Mapping
from pathlib import Path

from analyzer.errors import OutputError
from analyzer.read.zstandard import zstd

OPTIONS: Mapping[int, int] = {
    zstd.CompressionParameter.compression_level: 6,
    zstd.CompressionParameter.checksum_flag: 1,
}
CHUNK = 1 << 20


def pack(folder: Path, name: str, path: Path) -> None:
    """
    Pack *folder* into *path*, where it is called *name*.

    Raises:
        OutputError: it cannot be written, or what was written is not what is in the folder.
    """
    files = sorted(one for one in folder.rglob("*") if not one.is_symlink())
    names = [f"{name}/{one.relative_to(folder)}" for one in files]
    try:
        with (
            zstd.open(path, "wb", options=OPTIONS) as out,
            tarfile.open(fileobj=out, mode="w|") as archive,
        ):
            for one, inside in zip(files, names, strict=True):
                archive.add(one, inside, recursive=False)
        missing = dict(zip(names, files, strict=True))
        with (
            zstd.open(path, "rb") as source,
            tarfile.open(fileobj=source, mode="r|") as archive,
        ):
            for member in archive:
                if not _same(archive, member, missing.pop(member.name)):
                    raise OutputError(f"{path}: {member.name} is not as it was recorded")
    except (OSError, tarfile.TarError, zstd.ZstdError, KeyError) as error:
        raise OutputError(f"{path}: cannot be packed: {getattr(error, 'strerror', None) or error}") from None
    if missing:
        raise OutputError(f"{path}: {next(iter(missing))} is not in it")


def _same(archive: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> bool:
    """Tell whether a member is the file that was packed."""
    content = archive.extractfile(member)
    if content is None:
        return member.isdir() and file.is_dir()
    with file.open("rb") as original:
        while data := content.read(CHUNK):
            if original.read(len(data)) != data:
                return False
        return not original.read(1)
