"""What the benchmark compares hoptrace with, and what it takes: wall time, and processors' time of all its threads.

Everybody runs once in each round, so that what else goes on in the machine meets all alike; the medians count.
"""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dpkt

TSHARK_PART, DPKT_PART = 50_000, 100_000
ROUNDS = 3
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.ttl", "ip.id",
    "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "udp.srcport",
)  # fmt: skip
ANALYZE = "tests.bench.analyze"


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who is measured."""

    name: str
    act: Callable[[], object]
    part: int | None = None
    """Frames that it sees, where it is too slow for all of them; its time is scaled."""


@dataclass(frozen=True, slots=True)
class Took:
    """Medians, in seconds, for all frames."""

    wall: float
    cpu: float
    note: str = ""


def program(*command: str) -> Callable[[], object]:
    """Return a function that runs a program and throws its output away."""
    return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def peers(paths: Sequence[Path], frames: int) -> list[Peer]:
    """Return everybody, hoptrace first; *frames* are those of the first capture."""
    files = [str(path) for path in paths]
    fields = [word for field in FIELDS for word in ("-e", field)]
    tshark, by_dpkt = min(TSHARK_PART, frames), min(DPKT_PART, frames)
    # The same interpreter, start included, as a user would run it.
    return [
        Peer("hoptrace, packets and connections", program(sys.executable, "-m", ANALYZE, *files)),
        Peer("hoptrace analyze, terminal report", program(sys.executable, "-m", "analyzer", "analyze", *files)),
        Peer("cat", program("cat", *files)),
        Peer("capinfos -c", program("capinfos", "-c", *files)),
        Peer("mergecap -w /dev/null", program("mergecap", "-w", "/dev/null", *files)),
        Peer("tcpdump -w /dev/null", lambda: [program("tcpdump", "-r", f, "-w", "/dev/null")() for f in files]),
        Peer(
            f"tshark -T fields, {len(FIELDS)} fields",
            program("tshark", "-c", str(tshark), "-r", files[0], "-T", "fields", *fields),
            tshark,
        ),
        Peer("dpkt loop", lambda: dpkt_loop(paths[0], by_dpkt), by_dpkt),
    ]


def measure(those: Sequence[Peer], total: int) -> dict[str, Took]:
    """Let everybody work, round by round; *total* frames are what times are scaled to."""
    times: dict[str, list[tuple[float, float]]] = {one.name: [] for one in those}
    for _ in range(ROUNDS):
        for one in those:
            times[one.name].append(spent(one.act))
    found = {}
    for one in those:
        wall, cpu = (statistics.median(column) for column in zip(*times[one.name], strict=True))
        scale, note = (1.0, "") if one.part is None else (total / one.part, f"{one.part:,} frames, scaled")
        found[one.name] = Took(wall * scale, cpu * scale, note)
    return found


def spent(act: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processors' seconds that *act* takes, with all processes that it starts and waits for."""
    start, before = time.perf_counter(), _processors()
    act()
    return time.perf_counter() - start, _processors() - before


def _processors() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
