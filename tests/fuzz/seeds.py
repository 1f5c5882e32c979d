"""What is changed: real captures in every format, dumps, manifests and packed bundles."""

import bz2
import gzip
import lzma
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from analyzer.read.zstandard import zstd
from analyzer.record.pack import pack
from analyzer.state.dumps import NAMES
from tests.build import T0, enhanced, interface, section
from tests.fuzz.mutate import mutate, pcap_records
from tests.rewrite import records_of

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
BUNDLE = SAMPLES / "bundle"
CAPTURES = tuple(
    SAMPLES / name
    for name in (
        "seed/docker0.pcap", "any/any.pcap", "same-bridge/docker0.pcap", "overlay/host1/wlan0.pcap",
        "fragments/veth-c1.pcap", "icmp-errors/wlan0.pcap", "segments/wlan0.pcap", "published-port/docker0.pcap",
        "bundle/wlan0.pcap", "hairpin/docker0.pcap",
    )
)  # fmt: skip
MOST_RECORDS = 40
Make = Callable[[Path, Random], Path]
"""Writes one input into a folder, and gives what is to be analysed."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A kind of input."""

    name: str
    make: Make


def _captures() -> list[Path]:
    there = [path for path in CAPTURES if path.is_file()]
    return there or sorted(SAMPLES.rglob("*.pcap"))[:10]


def _small(path: Path) -> bytes:
    return b"".join(pcap_records(path.read_bytes())[: MOST_RECORDS + 1])


def _pcap(folder: Path, random: Random) -> Path:
    """Change one record of a capture, or all of it."""
    data = _small(random.choice(_captures()))
    if random.random() < 0.6:
        pieces = pcap_records(data)
        place = random.randrange(len(pieces))
        pieces[place] = pieces[place][:16] + mutate(pieces[place][16:], random) if place else mutate(pieces[0], random)
        data = b"".join(pieces)
    else:
        data = mutate(data, random)
    (path := folder / "x.pcap").write_bytes(data)
    return path


def _pcapng(folder: Path, random: Random) -> Path:
    frames = records_of(random.choice(_captures()))[:MOST_RECORDS]
    blocks = [enhanced(0, time // 1000, packet) for time, packet in frames]
    data = section() + interface() + b"".join(blocks)
    (path := folder / "x.pcapng").write_bytes(mutate(data, random))
    return path


def _snoop(folder: Path, random: Random) -> Path:
    data = b"snoop\0\0\0\0\0\0\2\0\0\0\4"
    for number, (_, packet) in enumerate(records_of(random.choice(_captures()))[:MOST_RECORDS]):
        padded = packet + bytes(-len(packet) % 4)
        words = (len(packet), len(packet), 24 + len(padded), 0, T0 // 10**9 + number, 0)
        data += b"".join(word.to_bytes(4, "big") for word in words) + padded
    (path := folder / "x.snoop").write_bytes(mutate(data, random))
    return path


COMPRESS: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, bz2.compress, lzma.compress, zstd.compress)


def _compressed(folder: Path, random: Random) -> Path:
    packed = random.choice(COMPRESS)(_small(random.choice(_captures())))
    (path := folder / "x.pcap").write_bytes(mutate(packed, random))
    return path


def _bundle(folder: Path) -> Path:
    copy = folder / "b"
    shutil.copytree(BUNDLE, copy, ignore=shutil.ignore_patterns("expected.json", "README.md", "lo.pcap"))
    return copy


def _dump(folder: Path, random: Random) -> Path:
    """Change one file of a host's state, before or after, or conntrack's events."""
    copy = _bundle(folder)
    places = [copy / name / file for name in ("host", "host-before") for file in NAMES]
    there = [path for path in (*places, copy / "conntrack-events.txt") if path.is_file()]
    path = random.choice(there)
    path.write_bytes(mutate(path.read_bytes(), random))
    return copy


def _manifest(folder: Path, random: Random) -> Path:
    copy = _bundle(folder)
    path = copy / "manifest.json"
    path.write_bytes(mutate(path.read_bytes(), random))
    return copy


_PACKED: list[bytes] = []


def _archive(folder: Path, random: Random) -> Path:
    """Change a packed bundle, its archive or what is around it."""
    if not _PACKED:
        pack(SAMPLES / "seed", "seed", folder / "whole")
        _PACKED.append((folder / "whole").read_bytes())
    data = _PACKED[0]
    if random.random() < 0.7:
        plain = zstd.ZstdDecompressor().decompress(data)
        data = zstd.compress(mutate(plain, random))
    else:
        data = mutate(data, random)
    (path := folder / "x.tar.zst").write_bytes(data)
    return path


SEEDS = (
    *[Seed("pcap", _pcap)] * 4, *[Seed("pcapng", _pcapng)] * 3, Seed("snoop", _snoop),
    *[Seed("compressed", _compressed)] * 2, *[Seed("dump", _dump)] * 3, Seed("manifest", _manifest),
    *[Seed("archive", _archive)] * 2,
)  # fmt: skip
"""As often as they are tried."""
