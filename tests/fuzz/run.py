"""Analyses inputs that were changed at random: ``make fuzz``, or ``python -m tests.fuzz.run [COUNT [FIRST]]``.

Each input is told by its number, and is the same whenever it is tried.
"""

import io
import multiprocessing
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from random import Random
from typing import NoReturn

from analyzer import analyze
from analyzer.errors import HoptraceError
from analyzer.report import json_report, terminal
from tests.fuzz.seeds import CAPTURES, SEEDS

ALL = 100_000
MOST_SECONDS = 10
MOST_MEMORY = 512 << 20
TOGETHER = 200
"""Inputs that a worker tries before it says something."""
CHECK_FAILED = "the check "
Wrong = tuple[str, str]
"""Which input, and what must not be."""


def _hangs(*_: object) -> NoReturn:
    raise TimeoutError(f"more than {MOST_SECONDS} s")


def report(path: Path) -> None:
    """Analyse an input and tell all of it, as JSON and on a terminal that nobody reads."""
    trace = analyze(path, memory=MOST_MEMORY)
    for _ in json_report.json_lines(trace.content()):
        pass
    with redirect_stdout(io.StringIO()):
        terminal.print_report(terminal.console(), trace.content(journeys=30, connections=50))
    for finding in trace.findings:
        if finding.title.startswith(CHECK_FAILED) and " failed: " in finding.title:
            raise AssertionError(finding.title)


def attempt(path: Path) -> str | None:
    """Try an input; return what must not be."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(MOST_SECONDS)
    try:
        report(path)
    except HoptraceError:
        pass  # as documented: one line for a person
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} at {Path(place.filename).name}:{place.lineno}"
    finally:
        signal.alarm(0)
    return None


def one(number: int) -> str | None:
    """Make and try the input of a number."""
    random = Random(number)
    seed = SEEDS[random.randrange(len(SEEDS))]
    with tempfile.TemporaryDirectory() as folder:
        wrong = attempt(seed.make(Path(folder), random))
    return None if wrong is None else f"{seed.name}: {wrong}"


def several(numbers: Iterable[int]) -> tuple[list[Wrong], int]:
    """Try several; return what is wrong, and the most memory that this process took."""
    found = [(str(number), wrong) for number in numbers if (wrong := one(number)) is not None]
    # Not ru_maxrss: a process counts the memory of whoever started it as its own.
    status = Path("/proc/self/status").read_text()
    return found, int(status.partition("VmHWM:")[2].split()[0]) << 10


def prefixes(path: Path, step: int = 1) -> list[Wrong]:
    """Try every beginning of a capture, or every *step*-th."""
    data, found = path.read_bytes(), []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "x.pcap"
        for size in range(0, min(len(data), 6000), step):
            place.write_bytes(data[:size])
            if (wrong := attempt(place)) is not None:
                found.append((f"{path.parent.name}/{path.name} cut to {size}", wrong))
    return found


def sweep(count: int, first: int, step: int) -> tuple[list[Wrong], int]:
    """Try *count* inputs, and every *step*-th beginning of ten captures; return what is wrong, and the most memory."""
    wrong: list[Wrong] = []
    memory = 0
    with multiprocessing.get_context("spawn").Pool(maxtasksperchild=20) as pool:
        batches = [range(n, min(n + TOGETHER, first + count)) for n in range(first, first + count, TOGETHER)]
        for found, most in pool.imap(several, batches):
            wrong += found
            memory = max(memory, most)
        for found in pool.imap(partial(prefixes, step=step), CAPTURES):
            wrong += found
    return wrong, memory


def main(count: int = ALL, first: int = 0) -> int:
    """Try *count* inputs, and the beginnings of captures; print what is wrong, return how many are."""
    begin = time.monotonic()
    wrong, memory = sweep(count, first, max(ALL // max(count, 1), 1))
    for name, what in wrong[:50]:
        print(f"{name}: {what}")
    kinds = Counter(what.split(":")[0] for _, what in wrong)
    took = time.monotonic() - begin
    print(f"{count:,} inputs and the beginnings of {len(CAPTURES)} captures in {took:.0f} s, at most "
          f"{memory >> 20} MiB: {len(wrong)} not as they should be {dict(kinds) or ''}")  # fmt: skip
    return len(wrong) + (memory > MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
