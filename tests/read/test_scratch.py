"""Temporary folders: gone afterwards, and those of dead runs are gone when the next one begins."""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from analyzer.read.scratch import GRACE_S, LOCK, scratch


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _old(path: Path) -> None:
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 2 * GRACE_S))


def test_a_folder_is_there_for_a_while(place: Path) -> None:
    """Only its user sees what is in it."""
    with scratch() as folder:
        (folder / "x").write_bytes(b"x")
        mode = folder.stat().st_mode & 0o777

    assert (folder.parent, mode, list(place.iterdir())) == (place, 0o700, [])


def test_what_a_killed_run_left_is_removed(place: Path) -> None:
    """By the next one; a folder that somebody uses is not touched, nor one that is new."""
    code = (
        f"import os, tempfile; tempfile.tempdir = {str(place)!r}\n"
        "from analyzer.read.scratch import scratch\n"
        "with scratch() as folder:\n    (folder / 'x').write_bytes(b'x'); os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    (dead,) = place.iterdir()
    with scratch():
        new = dead.exists()
    _old(dead)
    with scratch() as mine:
        _old(mine)
        with scratch():
            used = mine.exists()

    assert (new, used, dead.exists()) == (True, True, False)


@pytest.mark.parametrize("name", ["hoptrace-lab-abcdefgh", "hoptrace-abcdefg", "other-abcdefgh", "hoptrace-ABCDEFGH"])
def test_what_is_not_its_own_is_left_alone(place: Path, name: str) -> None:
    """Whatever it is called, and though nobody holds a lock there."""
    (place / name).mkdir()
    (place / name / LOCK).touch()
    _old(place / name)
    with scratch():
        pass

    assert (place / name).is_dir()


def test_links_are_not_followed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither one in the place of a folder, nor one in the place of a lock."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / LOCK).touch()
    (place / "hoptrace-abcdefgh").symlink_to(elsewhere)
    (place / "hoptrace-ijklmnop").mkdir()
    (place / "hoptrace-ijklmnop" / LOCK).symlink_to(elsewhere / LOCK)
    _old(place / "hoptrace-ijklmnop")
    _old(elsewhere)
    with scratch():
        pass

    assert (elsewhere / LOCK).is_file()
    assert (place / "hoptrace-ijklmnop").is_dir()


def test_a_lock_that_somebody_holds(place: Path) -> None:
    """Its folder stays, whoever that is."""
    (place / "hoptrace-abcdefgh").mkdir()
    with (place / "hoptrace-abcdefgh" / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _old(place / "hoptrace-abcdefgh")
        with scratch():
            pass

        assert (place / "hoptrace-abcdefgh").is_dir()
