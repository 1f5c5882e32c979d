"""A manifest that is kept while things happen, also where the disk takes nothing any more."""

import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.errors import OutputError
from analyzer.model import Role
from analyzer.read.manifest import Manifest, RecordedPoint, read_manifest
from analyzer.record import ledger as module
from analyzer.record.ledger import Ledger

POINTS = tuple(RecordedPoint(name, f"{name}.pcap", name, Role.VETH) for name in ("veth1", "veth2", "veth3"))
MANIFEST = Manifest(1, None, "host", 256, points=POINTS, problems=("first",))


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_manifest_is_there_from_the_start(tmp_path: Path) -> None:
    """A recording that is killed later has one, without an end."""
    Ledger(tmp_path, MANIFEST)

    assert read_manifest(tmp_path) == MANIFEST


def test_where_it_cannot_be_written_nothing_is_recorded(tmp_path: Path) -> None:
    """It is told at once, with the file and why."""
    with pytest.raises(OutputError, match=r"nowhere/manifest\.json: No such file or directory"):
        Ledger(tmp_path / "nowhere", MANIFEST)


def test_what_happens_is_written_down(tmp_path: Path) -> None:
    """One point changes and the others stay; problems are added to those that are there."""
    ledger = Ledger(tmp_path, MANIFEST)
    ledger.update_point(1, lambda point: replace(point, ended="vanished"))
    ledger.problems(["second", "third"])
    ledger.update(stopped_ns=9)
    found = read_manifest(tmp_path)

    assert found == ledger.manifest
    assert found is not None
    assert [point.ended for point in found.points] == [None, "vanished", None]
    assert [point.name for point in found.points] == ["veth1", "veth2", "veth3"]
    assert (found.problems, found.stopped_ns) == (("first", "second", "third"), 9)


def test_a_full_disk_ends_nothing_and_is_told_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened is known all the same, and is in the file as soon as that can be written."""
    ledger = Ledger(tmp_path, MANIFEST)
    with monkeypatch.context() as disk:
        disk.setattr(module, "write_manifest", _full)
        ledger.update(exit_code=3)
        told = ledger.failed
    assert told == f"{tmp_path}/manifest.json: No space left on device: its end is not told there"
    assert read_manifest(tmp_path) == MANIFEST

    ledger.update(stopped_ns=9)
    assert ledger.failed is None
    assert read_manifest(tmp_path) == replace(MANIFEST, exit_code=3, stopped_ns=9)


def _kept(folder: Path) -> int:
    """Bytes of files in a folder that have no name, and are open here."""
    found = [one for one in Path("/proc/self/fd").iterdir() if _leads(one).startswith(str(folder))]
    return sum(one.stat().st_blocks * 512 for one in found)


def _leads(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_room_is_kept_until_the_end(tmp_path: Path) -> None:
    """In a file without a name, so that nothing of it stays whatever happens."""
    ledger = Ledger(tmp_path, MANIFEST)

    assert [one.name for one in tmp_path.iterdir()] == ["manifest.json"]
    assert _kept(tmp_path) >= module.ROOM
    ledger.give_room()
    assert _kept(tmp_path) == 0


def test_a_disk_without_room_to_keep_is_recorded_on_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captures will say so when nothing fits any more."""
    monkeypatch.setattr(os, "posix_fallocate", _full)
    ledger = Ledger(tmp_path, MANIFEST)
    ledger.give_room()

    assert ledger.failed is None
    assert read_manifest(tmp_path) == MANIFEST
