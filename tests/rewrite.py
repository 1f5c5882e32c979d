"""Recordings changed as ``editcap -t`` and capture filters change them: other clocks, frames left out."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.build import Record, write_pcap

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D


def records_of(path: Path) -> list[Record]:
    """Return the records of a classic pcap of this machine's byte order."""
    data = path.read_bytes()
    unit = {MICROSECONDS: 1000, NANOSECONDS: 1}[int(struct.unpack("<I", data[:4])[0])]
    records: list[Record] = []
    place = 24
    while place < len(data):
        seconds, fraction, kept, _ = struct.unpack("<IIII", data[place : place + 16])
        records.append((seconds * 10**9 + fraction * unit, data[place + 16 : place + 16 + kept]))
        place += 16 + kept
    return records


def on_another_clock(
    path: Path, into: Path, *, ahead_ns: int, drift: float = 0.0, keep: Callable[[int], bool] = lambda number: True
) -> str:
    """
    Write a recording as a machine whose clock is *ahead_ns* ahead would have made it.

    Args:
        path: A classic pcap.
        into: The file to write.
        ahead_ns: Negative if the clock is behind.
        drift: What the clock gains, in seconds a second.
        keep: Told each frame's number, whether the machine saw it.
    """
    records = records_of(path)
    began = records[0][0]
    moved = [(time + ahead_ns + round((time - began) * drift), data) for time, data in records]
    return write_pcap(into, [record for number, record in enumerate(moved, 1) if keep(number)])
