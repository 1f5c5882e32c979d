"""Measures hoptrace and its peers on the same captures, in one run: ``python -m tests.bench.run [--frames N]``.

Prints seconds (the best of three runs), frames per second, and each peer's time in units of hoptrace's. Slow peers see
a part of one file, and their time is scaled; that is said. Only ratios of one run mean anything.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dpkt

from tests.bench.generate import POINTS, write_captures

TSHARK_PART, DPKT_PART = 50_000, 100_000
SAMPLE_S = 0.02
MEMORY = 600
"""MiB, where memory is bounded."""
REPEATS, QUICK_S = 3, 10.0
"""Whatever takes less time runs so often, and its best time counts: other things go on in every machine."""
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.ttl", "ip.id",
    "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "udp.srcport", "udp.dstport", "icmp.seq",
)  # fmt: skip

Timed = tuple[str, float, str]
"""Name, seconds for all frames, and what was scaled."""


def timed(name: str, act: Callable[[], object], *, scale: float = 1.0, note: str = "") -> Timed:
    """Run *act*, more than once if that takes little time, and keep the best."""
    best, left = math.inf, REPEATS
    while left:
        start = time.perf_counter()
        act()
        took = time.perf_counter() - start
        best, left = min(best, took), left - 1 if took < QUICK_S else 0
    return name, best * scale, note


def program(*command: str) -> Callable[[], object]:
    """Return a function that runs a program and throws its output away."""
    return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def dpkt_loop(path: Path, frames: int) -> None:
    """Decode with dpkt as its users do, and take the fields that hoptrace compares frames by."""
    with path.open("rb") as stream:
        for number, (seconds, data) in enumerate(dpkt.pcap.Reader(stream)):
            if number == frames:
                break
            dpkt_fields(seconds, dpkt.ethernet.Ethernet(data))


def dpkt_fields(seconds: float, eth: dpkt.ethernet.Ethernet) -> list[object]:
    """Take the FIELDS of a frame, and its time stamps (RFC 7323)."""
    ip = eth.data
    found = [seconds, eth.src, eth.dst]
    if not isinstance(ip, dpkt.ip.IP):
        return found
    found += [ip.src, ip.dst, ip.ttl, ip.id, ip.len]
    segment = ip.data
    if isinstance(segment, dpkt.tcp.TCP):
        found += [segment.sport, segment.dport, segment.seq, segment.ack, segment.flags]
        found += [value for kind, value in dpkt.tcp.parse_opts(segment.opts) if kind == dpkt.tcp.TCP_OPT_TIMESTAMP]
    elif isinstance(segment, dpkt.udp.UDP):
        found += [segment.sport, segment.dport]
    elif isinstance(segment, dpkt.icmp.ICMP) and isinstance(segment.data, dpkt.icmp.ICMP.Echo):
        found += [segment.type, segment.data.id, segment.data.seq]
    return found


def pcapy_batches(paths: list[Path]) -> None:
    """Only touch each record, with pcapy-ng."""
    import pcapy

    for path in paths:
        reader = pcapy.open_offline(str(path))
        reader.loop(0, lambda header, data: None)


def measure(paths: list[Path], frames: int) -> list[Timed]:
    """Run everybody."""
    total, files = frames * len(paths), [str(path) for path in paths]
    first = files[0]
    # The same interpreter, start included, as a user would run it.
    hoptrace = program(sys.executable, "-m", "tests.bench.analyze", *files)
    fields = [word for field in FIELDS for word in ("-e", field)]
    found = [
        timed("hoptrace, HOPS and CONNECTIONS", hoptrace),
        timed("hoptrace analyze, terminal report", program(sys.executable, "-m", "analyzer", "analyze", *files)),
        timed("capinfos -c", program("capinfos", "-c", *files)),
        timed("mergecap -w /dev/null", program("mergecap", "-w", "/dev/null", *files)),
        timed("tcpdump -w /dev/null", lambda: [program("tcpdump", "-r", f, "-w", "/dev/null")() for f in files]),
        timed(
            "tshark -T fields",
            program("tshark", "-c", str(TSHARK_PART), "-r", first, "-T", "fields", *fields),
            scale=total / min(TSHARK_PART, frames),
            note=f"{min(TSHARK_PART, frames):,} frames, scaled",
        ),
        timed(
            "dpkt loop",
            lambda: dpkt_loop(paths[0], DPKT_PART),
            scale=total / min(DPKT_PART, frames),
            note=f"{min(DPKT_PART, frames):,} frames, scaled",
        ),
    ]
    try:
        found.append(timed("pcapy-ng, no decoding", lambda: pcapy_batches(paths)))
    except ImportError:
        print("pcapy-ng is not installed: left out", file=sys.stderr)
    return found


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


def growth(folder: Path, counts: list[int]) -> None:
    """Print what a frame costs in captures of several sizes."""
    print(f"{'frames':>12}{'seconds':>10}{'µs a frame':>12}{'bytes a frame':>15}")
    for count in counts:
        paths = [str(path) for path in write_captures(folder, count)]
        for path in paths:
            _into_cache(path)
        command = [sys.executable, "-m", "tests.bench.analyze", *paths]
        _, seconds, _ = timed("", program(*command))
        _, peak = peak_memory(command)
        total = count * len(paths)
        print(f"{total:12,}{seconds:10.2f}{seconds / total * 1e6:12.2f}{peak / total:15.0f}", flush=True)


def bounded(folder: Path, counts: list[int]) -> None:
    """Print what captures of several sizes take, with findings, where memory is bounded: the rest lies in files."""
    print(f"--memory {MEMORY}")
    print(f"{'frames':>12}{'seconds':>10}{'µs a frame':>12}{'peak memory, MB':>17}")
    for count in counts:
        paths = [str(path) for path in write_captures(folder, count)]
        for path in paths:
            _into_cache(path)
        start = time.perf_counter()
        _, peak = peak_memory([sys.executable, "-m", "tests.bench.analyze", "--memory", str(MEMORY), *paths])
        seconds, total = time.perf_counter() - start, count * len(paths)
        print(f"{total:12,}{seconds:10.2f}{seconds / total * 1e6:12.2f}{peak / 1e6:17.0f}", flush=True)


def _into_cache(path: str) -> None:
    with Path(path).open("rb") as stream:
        while stream.read(1 << 24):
            pass


def main() -> int:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.run", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="per point")
    parser.add_argument("--growth", action="store_true", help="only hoptrace, on 1, 3 and 10 million frames")
    arguments = parser.parse_args()
    if arguments.growth:
        with tempfile.TemporaryDirectory(prefix="hoptrace-bench-") as folder:
            growth(Path(folder), [333_333, 1_000_000, 3_333_333])
            bounded(Path(folder), [1_000_000, 3_333_333])
        return 0
    with tempfile.TemporaryDirectory(prefix="hoptrace-bench-") as folder:
        paths = write_captures(Path(folder), arguments.frames)
        total = arguments.frames * len(POINTS)
        size = sum(path.stat().st_size for path in paths)
        print(f"{len(paths)} captures of {arguments.frames:,} frames, {size / 1e6:,.0f} MB")
        for path in paths:
            _into_cache(str(path))
        rows = measure(paths, arguments.frames)
        mine = rows[0][1]
        print(f"{'':36}{'seconds':>9}{'frames/s':>13}{'x hoptrace':>12}")
        for name, seconds, note in rows:
            print(f"{name:36}{seconds:9.2f}{total / seconds:13,.0f}{seconds / mine:12.2f}  {note}")
        command = [sys.executable, "-m", "tests.bench.analyze"]
        output, _ = peak_memory([*command, "--check", *map(str, paths)])
        _, peak = peak_memory([*command, *map(str, paths)])
        result = json.loads(output)
        print(f"the terminal report takes {rows[1][1] - rows[0][1]:.2f} s more")
        print(f"peak memory: {peak / total:.0f} bytes a frame")
        print(f"frames grouped wrong: {result['wrong']} of {total:,}; {result['connections']:,} connections")
        return 1 if result["wrong"] else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
