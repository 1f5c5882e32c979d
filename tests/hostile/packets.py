"""Captures of many small packets, made a column at a time."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analyzer.schema import Bytes

ETHERNET, COOKED2 = 1, 276
HEADER = 16
Fill = Callable[[Bytes, "np.random.Generator"], None]
"""Fills (n, length) bytes of frames, which are all alike before."""


def pcap(path: Path, frame: bytes, count: int, fill: Fill | None = None, link_type: int = ETHERNET) -> None:
    """Write *count* frames like *frame*, a microsecond apart; *fill* makes them differ."""
    records = np.zeros((count, HEADER + len(frame)), np.uint8)
    head = records[:, :HEADER].view("<u4")
    head[:, 0], head[:, 1] = np.divmod(np.arange(count, dtype=np.uint64), 1_000_000)
    head[:, 0] += 1_790_000_000
    head[:, 2] = head[:, 3] = len(frame)
    records[:, HEADER:] = np.frombuffer(frame, np.uint8)
    if fill is not None:
        fill(records[:, HEADER:], np.random.default_rng(1))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link_type) + records.tobytes())


def numbered(*places: int) -> Fill:
    """Put each frame's number, four bytes, at these places."""

    def fill(frames: Bytes, _: "np.random.Generator") -> None:
        for place in places:
            frames[:, place : place + 4] = np.arange(len(frames), dtype=">u4").view(np.uint8).reshape(-1, 4)

    return fill


def random(begin: int, end: int) -> Fill:
    """Put chance between two places."""

    def fill(frames: Bytes, source: "np.random.Generator") -> None:
        frames[:, begin:end] = source.integers(0, 256, (len(frames), end - begin), np.uint8)

    return fill


def block(kind: int, body: bytes) -> bytes:
    """Return a block of pcapng."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def section() -> bytes:
    """Return a section's header."""
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(link_type: int = ETHERNET, options: bytes = b"") -> bytes:
    """Return an interface's description."""
    return block(1, struct.pack("<HHI", link_type, 0, 0) + options)


def packet(number: int, data: bytes, options: bytes = b"", time: int = 1 << 50) -> bytes:
    """Return an enhanced packet of an interface."""
    head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + bytes(-len(data) % 4) + options)


def option(code: int, value: bytes) -> bytes:
    """Return an option, padded."""
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
