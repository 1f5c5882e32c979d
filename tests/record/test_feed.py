"""A program that tells of events: its lines are in the file, and what is wrong with it is told."""

import subprocess
import time
from pathlib import Path

import pytest

from analyzer.record import feed as module
from analyzer.record.feed import Feed
from analyzer.record.machine import Machine, announcing

TALKS = "head -c 200000 /dev/zero | tr '\\0' '\\n' >&2"
"""More on stderr than a pipe holds: where it goes on, its process number was read."""
WAITS = f"trap 'echo stopped; exit 0' INT; {TALKS}; echo begun; while :; do sleep 0.01; done"


class _Here(Machine):
    """This machine; remembers what it started, and whom it interrupted."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        """It does not announce process numbers."""
        self.command: tuple[str, ...] = ()
        self.interrupted: list[int] = []

    def start(self, *command: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        self.command = command
        self.process = super().start(*(command[4:] if self.silent else command), stderr=stderr)
        return self.process

    def interrupt(self, process: "subprocess.Popen[bytes]", pid: int) -> None:
        self.interrupted.append(pid)
        super().interrupt(process, pid)


def _wait_for(path: Path, data: bytes) -> None:
    """Wait until a file holds nothing but *data*."""
    end = time.monotonic() + 30
    while not path.is_file() or path.read_bytes() != data:
        assert time.monotonic() < end
        time.sleep(0.002)


def test_the_command() -> None:
    """It gives each line at once, and its process number first."""
    machine = _Here()
    feed = Feed(machine, Path("/nowhere/events.txt"), "sh", "-c", "exit 0")
    machine.process.wait()
    feed.stop()

    assert machine.command == tuple(announcing("stdbuf", "-oL", "sh", "-c", "exit 0"))


def test_lines_are_in_the_file_while_it_runs(tmp_path: Path) -> None:
    """It is interrupted, and what it says then is kept, too; what else it says does not matter."""
    path, machine = tmp_path / "events.txt", _Here()
    feed = Feed(machine, path, "sh", "-c", WAITS)
    _wait_for(path, b"begun\n")
    feed.stop()

    assert path.read_bytes() == b"begun\nstopped\n"
    assert (feed.problem, machine.process.returncode) == (None, 0)
    assert machine.interrupted == [machine.process.pid]


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    """It is a problem, and no file is made; it can be stopped nevertheless."""
    feed = Feed(Machine(), tmp_path / "events.txt", "no-such-program", "-E")
    feed.stop()

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
    """What sounds like a failure on stderr is the problem, else a bad exit code; it is not interrupted any more."""
    machine = _Here()
    feed = Feed(machine, tmp_path / "events.txt", "sh", "-c", script)
    machine.process.wait()
    feed.stop()

    assert feed.problem == problem
    assert machine.interrupted == []
    assert (tmp_path / "events.txt").read_bytes() == b"event\n"


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """It is a problem, and stays what it is."""
    (tmp_path / "events.txt").write_text("kept")
    machine = _Here()
    feed = Feed(machine, tmp_path / "events.txt", "echo", "event")
    machine.process.wait()
    feed.stop()

    assert feed.problem == "events.txt: File exists"
    assert (tmp_path / "events.txt").read_text() == "kept"


@pytest.mark.parametrize("silent", [False, True], ids=["it ignores being interrupted", "its number is not known"])
def test_a_program_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: bool) -> None:
    """It is killed after a while, and that is no problem of the recording."""
    monkeypatch.setattr(module, "STOP_TIMEOUT_S", 0.01)
    machine = _Here(silent=silent)
    feed = Feed(machine, tmp_path / "events.txt", "sh", "-c", f"trap '' INT; {TALKS}; echo begun; exec sleep 60")
    _wait_for(tmp_path / "events.txt", b"begun\n")
    feed.stop()

    assert machine.process.returncode == -9
    assert len(machine.interrupted) == (0 if silent else 1)
    assert feed.problem is None
