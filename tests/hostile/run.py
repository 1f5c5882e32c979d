"""Analyses every hostile input as a user would, and tells how much memory and time it took: ``make hostile``."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.cases import CASES

MOST_MEMORY = 512 << 20
MOST_SECONDS = 60
"""Of an input of 60 MiB on a slow machine; what takes longer hangs."""
CODES = (0, 3, 4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    code: int
    memory: int
    """Bytes at the most."""
    seconds: float
    said: str

    @property
    def wrong(self) -> str:
        """Say what must not be, nothing if all is well."""
        if self.code not in CODES:
            return f"exit {self.code}"
        if "Traceback" in self.said:
            return "traceback"
        if self.memory > MOST_MEMORY:
            return "memory"
        return "time" if self.seconds > MOST_SECONDS else ""


def made(name: str, folder: Path, size: float) -> Path:
    """Make an input in a process of its own: what starts from here on would count this one's memory as its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        return pool.submit(_make, name, folder, size).result()


def _make(name: str, folder: Path, size: float) -> Path:
    return CASES[name](folder, size)


def analyse(path: Path) -> Outcome:
    """Analyse an input in a process of its own."""
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        command = [sys.executable, "-m", "analyzer", "analyze", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        guard = threading.Timer(2 * MOST_SECONDS, process.kill)
        guard.start()
        _, status, used = os.wait4(process.pid, 0)
        guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Outcome(process.returncode, used.ru_maxrss << 10, time.monotonic() - begin, text)


def main(names: list[str]) -> int:
    """Print a line for each of *names*, or of all; return how many are not as they should be."""
    wrong = 0
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            done = analyse(made(name, Path(folder), 1.0))
        wrong += bool(done.wrong)
        last = (done.said.strip().splitlines() or [""])[-1].replace(folder, "")
        figures = f"exit {done.code}  {done.memory >> 20:5} MiB  {done.seconds:5.1f} s"
        print(f"{name:28} {figures}  {done.wrong:9} {last[:110]}", flush=True)
    print(f"{len(names or CASES)} inputs, {wrong} not as they should be")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
