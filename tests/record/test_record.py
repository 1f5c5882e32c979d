"""A recording, on a machine whose tcpdump only says that it listens: how it ends, and what its manifest says of it."""

import subprocess
from pathlib import Path

import pytest

from analyzer.model import Role
from analyzer.read.manifest import Manifest, RecordedPoint, read_manifest
from analyzer.record.machine import Deadline, Done, Machine
from analyzer.record.record import Until, record
from analyzer.record.stop import Stop
from analyzer.record.targets import Found
from analyzer.record.tcpdump import Options, Target

LISTENS = (
    "trap 'echo 0 packets dropped by kernel >&2; exit 0' TERM; echo listening on docker0 >&2; "
    "while :; do sleep 0.01; done"
)


class _Quiet(Machine):
    """A machine without Docker and conntrack, on which every capture begins at once and records nothing."""

    def has(self, program: str) -> bool:
        return False

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        return Done(0, "", "")

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        return super().start("sh", "-c", LISTENS)


def _recorded(folder: Path, until: Until) -> tuple[Manifest, list[str]]:
    """Record at one point; return the manifest and what was told."""
    told: list[str] = []
    point = RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE)
    found = [Found(Target("docker0", "docker0"), point)]
    return record(_Quiet(), found, Options(reserve=0), folder, until, told.append, Stop()), told


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 3", 3),
        ("kill -HUP $$", 129),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
    ],
)
def test_the_exit_code_of_the_command(tmp_path: Path, script: str, code: int) -> None:
    """That of a command which a signal ended is 128 and the signal's number, as shells have it."""
    manifest, _ = _recorded(tmp_path / "bundle", Until(("sh", "-c", script)))

    assert manifest.exit_code == code
    assert read_manifest(tmp_path / "bundle") == manifest


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    """127, as shells have it, and it is told why."""
    manifest, told = _recorded(tmp_path / "bundle", Until(("no-such-program",)))

    assert manifest.exit_code == 127
    assert told[-1] == "no-such-program: No such file or directory"


def test_a_command_that_takes_longer_than_the_recording(tmp_path: Path) -> None:
    """It is ended by SIGTERM, and the recording is whole."""
    manifest, _ = _recorded(tmp_path / "bundle", Until(("sleep", "60"), 0.1))

    assert manifest.exit_code == 143
    assert manifest.points[0].ended is None


def test_without_a_command_there_is_no_exit_code(tmp_path: Path) -> None:
    """The time alone ends the recording."""
    manifest, _ = _recorded(tmp_path / "bundle", Until(duration_s=0.1))

    assert manifest.exit_code is None
