"""Keeps a recording's manifest: on disk from the start, brought up to date as things happen, also on a full disk."""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from msgspec.structs import replace

from analyzer.errors import OutputError
from analyzer.read.manifest import NAME, Manifest, RecordedPoint, write_manifest

ROOM = 16 << 20
"""Bytes of disk that a recording keeps for its end: the manifest, and the host's state."""


class Ledger:
    """A manifest and its file. That the file cannot be brought up to date is told at the end, and ends nothing."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """
        Write the first manifest into *folder*, and keep room for the last one, in a file without a name.

        Raises:
            OutputError: it cannot be written, so nothing can be recorded there.
        """
        self._folder = folder
        self.manifest = manifest
        self.failed: str | None = None
        """Why the file is not as the manifest is."""
        try:
            write_manifest(folder, manifest)
        except OSError as error:
            raise OutputError(f"{folder / NAME}: {error.strerror}") from None
        self._room = ExitStack()
        with suppress(
            OSError, AttributeError
        ):  # a file system or an operating system without such files, or hardly any room left: captures will say so
            file = self._room.enter_context(TemporaryFile(dir=folder, buffering=0))  # noqa: SIM115 - it is in one
            os.posix_fallocate(file.fileno(), 0, ROOM)

    def give_room(self) -> None:
        """Give the disk's room back: now is the end that it was kept for."""
        self._room.close()

    def update(self, **changes: Any) -> None:
        """Change the manifest, and its file if that is possible."""
        self.manifest = replace(self.manifest, **changes)
        try:
            write_manifest(self._folder, self.manifest)
            self.failed = None
        except OSError as error:
            self.failed = f"{self._folder / NAME}: {error.strerror}: its end is not told there"

    def update_point(self, number: int, change: Callable[[RecordedPoint], RecordedPoint]) -> None:
        """Change one point."""
        points = self.manifest.points
        self.update(points=(*points[:number], change(points[number]), *points[number + 1 :]))

    def problems(self, found: Iterable[str]) -> None:
        """Add what could not be recorded."""
        self.update(problems=(*self.manifest.problems, *found))
