"""Measures hoptrace and its peers on the same captures, in one run: ``python -m tests.bench.run [--frames N]``.

Prints medians of three rounds, each peer's time in units of hoptrace's, what is to be reached, and where the time goes.
Slow peers see a part of one file, and their time is scaled; that is said. Only ratios of one run mean anything.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.generate import POINTS, write_captures
from tests.bench.peers import ANALYZE, ROUNDS, measure, peers, program, spent
from tests.bench.record import record_busy
from tests.bench.targets import MINE, MOST_BYTES, MOST_GROWTH, MOST_PCAPNG, TARGETS
from tests.needs import why_not

SAMPLE_S = 0.02
MEMORY = 600
"""MiB, where memory is bounded."""


def peak_memory(command: list[str]) -> tuple[str, int]:
    """Run *command*; return its output and its peak memory in bytes, its helper's too, shared pages counted once."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            family = [process.pid, *_children(process.pid)]
            peak = max(peak, sum(_proportional(pid) for pid in family))
            time.sleep(SAMPLE_S)
        output = process.stdout.read() if process.stdout else ""
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
    return output, peak


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _proportional(pid: int) -> int:
    """Return the proportional set size (proc(5), smaps_rollup) without mapped files."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:] if line.endswith("kB")}
    return (sizes.get("Pss_Anon", 0) + sizes.get("Pss_Shmem", 0)) * 1024


def compare(paths: Sequence[Path], total: int, first: int) -> None:
    """Print what everybody takes for *total* frames, of which the first capture has *first*, and what is reached."""
    for path in paths:
        _into_cache(path)
    took = measure(peers(paths, first), total)
    mine = took[MINE]
    print(f"{'':36}{'wall, s':>9}{'CPU, s':>9}{'frames/s':>13}{'x hoptrace':>12}")
    for name, one in took.items():
        ratio = one.wall / mine.wall
        print(f"{name:36}{one.wall:9.2f}{one.cpu:9.2f}{total / one.wall:13,.0f}{ratio:12.2f}  {one.note}")
    files = [str(path) for path in paths]
    _, peak = peak_memory([sys.executable, "-m", ANALYZE, *files])
    for target in TARGETS:
        print(target.told(took))
    _tell("bytes of memory a frame", peak / total, MOST_BYTES)
    print(f"frames a second and core: {total / mine.cpu:,.0f}\n", flush=True)
    subprocess.run([sys.executable, "-m", "tests.bench.stages", *files], check=True)
    print(flush=True)


def growth(folder: Path, counts: list[int]) -> None:
    """Print what a frame costs in captures of several sizes, and in pcapng."""
    print(f"{'frames':>12}{'seconds':>10}{'µs a frame':>12}{'bytes a frame':>15}")
    times = []
    for count in counts:
        paths = write_captures(folder, count)
        total, files = count * len(paths), [str(path) for path in paths]
        command = [sys.executable, "-m", ANALYZE, *files]
        seconds = _quickest(paths)
        _, peak = peak_memory(command)
        times.append(seconds / total)
        print(f"{total:12,}{seconds:10.2f}{times[-1] * 1e6:12.2f}{peak / total:15.0f}", flush=True)
        if count == counts[1]:
            pcapng = [path.with_suffix(".pcapng") for path in paths]
            for path, other in zip(paths, pcapng, strict=True):
                subprocess.run(["editcap", "-F", "pcapng", path, other], check=True)
            ratio = _quickest(pcapng) / seconds
            for path in pcapng:
                path.unlink()
    _tell("time a frame, most beside least frames", times[-1] / times[0], MOST_GROWTH)
    _tell("pcapng beside pcap", ratio, MOST_PCAPNG)


def _quickest(paths: Sequence[Path]) -> float:
    for path in paths:
        _into_cache(path)
    return min(spent(program(sys.executable, "-m", ANALYZE, *map(str, paths)))[0] for _ in range(ROUNDS))


def _tell(name: str, found: float, bound: float) -> None:
    print(f"{name:44}{found:8.2f}   <= {bound:<6g}{'reached' if found <= bound else 'missed'}")


def bounded(folder: Path, counts: list[int]) -> None:
    """Print what captures of several sizes take, with findings, where memory is bounded: the rest lies in files."""
    print(f"--memory {MEMORY}")
    print(f"{'frames':>12}{'seconds':>10}{'µs a frame':>12}{'peak memory, MB':>17}")
    for count in counts:
        paths = write_captures(folder, count)
        for path in paths:
            _into_cache(path)
        start = time.perf_counter()
        _, peak = peak_memory([sys.executable, "-m", ANALYZE, "--memory", str(MEMORY), *map(str, paths)])
        seconds, total = time.perf_counter() - start, count * len(paths)
        print(f"{total:12,}{seconds:10.2f}{seconds / total * 1e6:12.2f}{peak / 1e6:17.0f}", flush=True)


def _into_cache(path: Path) -> None:
    with path.open("rb") as stream:
        while stream.read(1 << 24):
            pass


def generated(folder: Path, frames: int) -> int:
    """Compare on what was generated; return how many frames were grouped wrong."""
    paths = write_captures(folder, frames)
    total, size = frames * len(POINTS), sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} generated captures of {frames:,} frames, {size / 1e6:,.0f} MB")
    compare(paths, total, frames)
    checked, _ = peak_memory([sys.executable, "-m", ANALYZE, "--check", *map(str, paths)])
    result = json.loads(checked)
    print(f"frames grouped wrong: {result['wrong']} of {total:,}; {result['connections']:,} connections\n")
    return int(result["wrong"])


def recorded(folder: Path) -> None:
    """Compare on what a Docker host did, if one can run here."""
    if reason := why_not("live"):
        print(f"recorded captures: left out, for {reason}")
        return
    paths = record_busy(folder)
    frames = [_frames(path) for path in paths]
    size = sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} recorded captures of {sum(frames):,} frames, {size / 1e6:,.0f} MB")
    compare(paths, sum(frames), frames[0])


def _frames(path: Path) -> int:
    """Count frames."""
    counted = subprocess.run(["capinfos", "-Mcr", path], capture_output=True, text=True, check=True)
    return int(counted.stdout.split()[-1])


def main() -> int:
    """Generate, record, measure, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.run", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="per point")
    parser.add_argument("--growth", action="store_true", help="only hoptrace, on 1 to 30 million frames")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody has it who starts hoptrace more than once
    with tempfile.TemporaryDirectory(prefix="hoptrace-bench-") as scratch:
        folder = Path(scratch)
        if arguments.growth:
            growth(folder, [333_333, 1_000_000, 10_000_000])
            bounded(folder, [1_000_000, 2_000_000])
            return 0
        wrong = generated(folder, arguments.frames)
        recorded(folder / "recorded")
        return 1 if wrong else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
