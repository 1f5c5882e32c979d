"""A program that tells of events: its lines are in the file, and what is wrong with it is told."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from analyzer.record import machine as machine_module
from analyzer.record.feed import Feed
from analyzer.record.machine import Machine

WAITS = "trap 'echo stopped; exit 0' TERM; echo begun; while :; do sleep 0.01; done"


class _Here(Machine):
    """This machine; remembers what it started."""

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        self.command = command
        self.process = super().start(*command)
        return self.process


def _stop(feed: Feed) -> None:
    feed.end()
    feed.wait()


def _wait_for(path: Path, data: bytes) -> None:
    """Wait until a file holds nothing but *data*."""
    end = time.monotonic() + 30
    while not path.is_file() or path.read_bytes() != data:
        assert time.monotonic() < end
        time.sleep(0.002)


def test_the_command() -> None:
    """It gives each line at once."""
    machine = _Here()
    feed = Feed(machine, Path("/nowhere/events.txt"), "sh", "-c", "exit 0")
    machine.process.wait()
    _stop(feed)

    assert machine.command == ("stdbuf", "-oL", "sh", "-c", "exit 0")


def test_lines_are_in_the_file_while_it_runs(tmp_path: Path) -> None:
    """It is told to end, and what it says then is kept, too."""
    path, machine = tmp_path / "events.txt", _Here()
    feed = Feed(machine, path, "sh", "-c", WAITS)
    _wait_for(path, b"begun\n")
    _stop(feed)

    assert path.read_bytes() == b"begun\nstopped\n"
    assert (feed.problem, machine.process.returncode) == (None, 0)


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    """It is a problem, and no file is made; it can be stopped nevertheless."""
    feed = Feed(Machine(), tmp_path / "events.txt", "no-such-program", "-E")
    _stop(feed)

    assert feed.problem == "no-such-program is missing on this host: apt-get install no-such-program"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo event", None),
        ("echo event; exit 3", "events.txt: ended early, exit 3"),
        ("echo event; kill -KILL $$", "events.txt: ended early, exit -9"),
        ("echo event; echo 'conntrack v1.4.7' >&2", None),
        ("echo event; echo ' Operation failed: no ' >&2; exit 3", "events.txt: Operation failed: no"),
        ("echo event; echo 'ERROR: xyz' >&2; echo more >&2", "events.txt: ERROR: xyz"),
        ("echo event; echo 'Permission Denied' >&2", "events.txt: Permission Denied"),
        (r"echo event; printf 'error \377' >&2", "events.txt: error �"),
    ],
)
def test_a_program_that_ends_early(tmp_path: Path, script: str, problem: str | None) -> None:
    """What sounds like a failure on stderr is the problem, else a bad exit code."""
    machine = _Here()
    feed = Feed(machine, tmp_path / "events.txt", "sh", "-c", script)
    machine.process.wait()
    _stop(feed)

    assert feed.problem == problem
    assert (tmp_path / "events.txt").read_bytes() == b"event\n"


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """It is a problem, and stays what it is."""
    (tmp_path / "events.txt").write_text("kept")
    machine = _Here()
    feed = Feed(machine, tmp_path / "events.txt", "echo", "event")
    machine.process.wait()
    _stop(feed)

    assert feed.problem == "events.txt: File exists"
    assert (tmp_path / "events.txt").read_text() == "kept"


def test_a_program_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed after a while, and that is no problem of the recording."""
    monkeypatch.setattr(machine_module, "KILL_AFTER_S", 0.1)
    machine = _Here()
    feed = Feed(machine, tmp_path / "events.txt", "sh", "-c", "trap '' TERM; echo begun; exec sleep 60")
    _wait_for(tmp_path / "events.txt", b"begun\n")
    _stop(feed)

    assert machine.process.returncode == 137
    assert feed.problem is None


def test_a_program_that_is_ended_as_soon_as_it_is_started(tmp_path: Path) -> None:
    """Nobody waits for it."""
    begin = time.monotonic()
    _stop(Feed(_Here(), tmp_path / "events.txt", "sleep", "60"))

    assert time.monotonic() - begin < machine_module.KILL_AFTER_S


def test_a_full_disk_does_not_hold_the_program_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is read and lost, so that it can go on and end."""
    monkeypatch.setattr("analyzer.record.feed.open_new", lambda _: os.open("/dev/full", os.O_WRONLY))
    machine = _Here()
    feed = Feed(machine, tmp_path / "events.txt", "sh", "-c", "head -c 1000000 /dev/zero; exit 0")
    machine.process.wait(30)
    _stop(feed)

    assert feed.problem == "events.txt: No space left on device"
