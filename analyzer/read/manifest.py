"""``manifest.json`` of a bundle: what was captured where, from when to when, and how each capture ended."""

import os
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, MsgspecError, Struct, field, json, to_builtins

from analyzer.errors import InputError
from analyzer.model import Role

NAME = "manifest.json"
PACKED = ".tar.zst"
"""Ending of a bundle that is one file."""
LARGEST = 1 << 24

Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
FileName = Annotated[str, Meta(pattern=r"^[^/\x00]*\Z", max_length=255)]


class RecordedPoint(Struct, frozen=True):
    """One capture of a bundle."""

    name: str
    file: FileName
    interface: str
    role: Role
    container: str | None = None
    network: str | None = None
    ended: str | None = None
    """Why it ended early: ``vanished`` with its interface, ``disk reserve reached``, ...; None if it was stopped."""
    ended_ns: Count | None = None
    """When that was."""
    dropped: Count | None = None
    """Frames that the kernel dropped; None if tcpdump did not say, so that nothing proves that it saw all."""
    unseen: str | None = None
    """What passes there and cannot be seen, e.g. what a bridge forwards from port to port; None if all can."""


class Manifest(Struct, frozen=True):
    """A recording, as far as it has come."""

    started_ns: Count
    """All captures were running."""
    stopped_ns: Count | None
    """All captures were still running, those that did not end early; None while it goes on, or if it was killed."""
    host: str
    snap_len: Count
    filter: str = ""
    command: tuple[str, ...] = ()
    exit_code: int | None = None
    """Of the command."""
    versions: dict[str, str] = field(default_factory=dict)
    points: tuple[RecordedPoint, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be recorded."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """
    Write it into *folder*, in place of the one that is there, whole or not at all; absent values are left out.

    Raises:
        OSError: it cannot be written.
    """
    fields: dict[str, Any] = {"manifest": 1, **to_builtins(manifest)}
    fields["points"] = [_present(point) for point in fields["points"]]
    fields = _present(fields) | {"stopped_ns": manifest.stopped_ns}
    new = folder / f".{NAME}"
    with new.open("wb") as out:
        out.write(json.format(json.encode(fields), indent=1) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    new.replace(folder / NAME)


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def read_manifest(folder: Path) -> Manifest | None:
    """
    Read a bundle's manifest, None if it has none.

    Raises:
        InputError: it is not one; the captures can be used without.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        text = path.read_text(encoding="utf-8", errors="replace")
        return json.decode(text, type=Manifest)
    except (OSError, ValueError, MsgspecError, RecursionError) as error:
        raise InputError(f"{path}: not a manifest: {str(error)[:120]}") from None
