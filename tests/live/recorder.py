"""A running ``hoptrace capture`` on the lab's host."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.lab.commands import inside, run
from tests.lab.engine import Lab

TIMEOUT_S = 120
READY = "Ctrl-C ends it"
ROUNDS = 8
"""Looks at what captures have grown to, before one kills what records."""


class Recorder:
    """One process, and what it says."""

    def __init__(self, lab: Lab, *arguments: str, path: str | None = None, within: tuple[str, ...] = ()):
        """Start it; *within* is what runs it."""
        environment = {**os.environ, "DOCKER_HOST": lab.socket, "NO_COLOR": "1", "COLUMNS": "160"}
        if path is not None:
            environment["PATH"] = path
        self.process = subprocess.Popen(
            [*inside(lab.namespace), *within, sys.executable, "-m", "analyzer", "capture", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def wait_for(self, word: str = READY) -> "Recorder":
        """Wait until it says something."""
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if word in line:
                return self
        raise AssertionError(f"{word!r} was never said, but {said}")

    def send(self, number: signal.Signals) -> "Recorder":
        """Send a signal."""
        self.process.send_signal(number)
        return self

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return exit code, stdout and stderr."""
        out, err = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, out, err

    def kill(self) -> None:
        """Kill it, so that it cannot do anything more."""
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close what it writes to, as a terminal that is gone."""
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def wait_for_frames(folder: Path) -> None:
    """
    Wait until captures grow no more: what is killed leaves what it has not read from the kernel yet.

    Nodes of a swarm never stop talking: what was sent before has been read by the last round.
    """
    sizes: list[int] = []
    for _ in range(ROUNDS):
        if sizes == (sizes := [path.stat().st_size for path in sorted(folder.glob("*.pcap"))]):
            return
        time.sleep(1.5)


def programs(namespace: str) -> set[str]:
    """Return the numbers of all processes in a network namespace."""
    return set(run("ip", "netns", "pids", namespace).split())


def called(numbers: Iterable[str]) -> dict[str, str]:
    """Return the command lines of processes by their numbers, as far as they are there."""
    found = {}
    for number in numbers:
        with suppress(OSError):
            found[number] = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found
