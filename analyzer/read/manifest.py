"""``manifest.json`` of a bundle: what was captured where, from when to when, and how each capture ended."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.model import Role

NAME = "manifest.json"
PACKED = ".tar.zst"
"""Ending of a bundle that is one file."""
LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class RecordedPoint:
    """One capture of a bundle."""

    name: str
    file: str
    interface: str
    role: Role
    container: str | None = None
    network: str | None = None
    ended: str | None = None
    """Why it ended early: ``vanished`` with its interface, ``disk reserve reached``, ...; None if it was stopped."""
    ended_ns: int | None = None
    """When that was."""
    dropped: int | None = None
    """Frames that the kernel dropped; None if tcpdump did not say."""
    unseen: str | None = None
    """What passes there and cannot be seen, e.g. what a bridge forwards from port to port; None if all can."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A recording."""

    started_ns: int
    """All captures were running."""
    stopped_ns: int
    """All captures were still running, those that did not end early."""
    host: str
    snap_len: int
    filter: str = ""
    command: tuple[str, ...] = ()
    exit_code: int | None = None
    """Of the command."""
    versions: dict[str, str] = field(default_factory=dict)
    points: tuple[RecordedPoint, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be recorded."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it into *folder*; absent values are left out."""

    def present(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in pairs if value is not None}

    text = json.dumps({"manifest": 1, **asdict(manifest, dict_factory=present)}, indent=1)
    (folder / NAME).write_text(text + "\n")


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
        found = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        points = tuple(_point(point) for point in found.pop("points", ()))
        known = {f.name: found[f.name] for f in fields(Manifest) if f.name in found}
        lists = {name: tuple(map(str, found.get(name, ()))) for name in ("command", "problems")}
        manifest = Manifest(**{**known, **lists, "points": points})
        counts = [found.get(name, 0) for name in ("started_ns", "stopped_ns", "snap_len", "exit_code")]
        counts += [value or 0 for p in points for value in (p.dropped, p.ended_ns)]
        if not all(isinstance(value, int | None) and abs(value or 0) < 1 << 63 for value in counts):
            raise ValueError("times and counts must be integers")
        if not all(isinstance(found.get(name, ""), str) for name in ("host", "filter")):
            raise ValueError("names and filters must be text")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: not a manifest: {str(error)[:120]}") from None
    return manifest


def _point(found: dict[str, Any]) -> RecordedPoint:
    values = {f.name: found[f.name] for f in fields(RecordedPoint) if f.name in found}
    texts = [values.get(name) for name in ("name", "file", "interface", "container", "network", "ended", "unseen")]
    if not all(text is None or isinstance(text, str) for text in texts) or "/" in str(values.get("file")):
        raise ValueError("names must be text, files without a folder")
    return RecordedPoint(**{**values, "role": Role(values["role"])})
