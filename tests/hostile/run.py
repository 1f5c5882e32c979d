"""Analyses every hostile input as a user would, and tells how much memory and time it took: ``make hostile``."""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.cases import CASES

MOST_MEMORY = 512 << 20
MOST_SECONDS = 60
"""Of an input of 60 MiB on a slow machine; what takes longer hangs."""
CODES = (0, 3, 4)
MEASURED = """
import resource, subprocess, sys
limit, *command = sys.argv[1:]
try:
    code = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=float(limit)).returncode
except subprocess.TimeoutExpired:
    code = -9
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a program from a small process: one counts the memory of whoever started it as its own (fs/exec.c)."""


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


def analyse(path: Path) -> Outcome:
    """Analyse an input in a process of its own."""
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        command = [sys.executable, "-c", MEASURED, str(2 * MOST_SECONDS), sys.executable, "-m", "analyzer", "analyze"]
        done = subprocess.run([*command, str(path)], stdout=subprocess.PIPE, stderr=said, check=True)
        seconds = time.monotonic() - begin
        said.seek(0)
        text = said.read().decode(errors="replace")
    code, kibibytes = map(int, done.stdout.split())
    return Outcome(code, kibibytes << 10, seconds, text)


def main(names: list[str]) -> int:
    """Print a line for each of *names*, or of all; return how many are not as they should be."""
    wrong = 0
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            done = analyse(CASES[name](Path(folder), 1.0))
        wrong += bool(done.wrong)
        last = (done.said.strip().splitlines() or [""])[-1].replace(folder, "")
        figures = f"exit {done.code}  {done.memory >> 20:5} MiB  {done.seconds:5.1f} s"
        print(f"{name:28} {figures}  {done.wrong:9} {last[:110]}", flush=True)
    print(f"{len(names or CASES)} inputs, {wrong} not as they should be")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
