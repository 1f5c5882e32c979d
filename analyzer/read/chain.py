"""Reads the records of formats that are one chain of header and packet: pcap and snoop.

Takes a window behind the file header, gives batches. Whole records before any damage are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.read.records import MAX_RECORD, Damage, FileInfo, Records
from analyzer.read.source import Window
from analyzer.read.walk import Shape, Walk, walk


@dataclass(frozen=True, slots=True)
class Layout:
    """Which 32-bit word of a record header holds what."""

    shape: Shape
    seconds: int
    fraction: int
    cap_len: int
    orig_len: int


def read_chain(window: Window, info: FileInfo, layout: Layout) -> Iterator[Records]:
    """Give the records in batches, and set ``info.damage`` where they end early."""
    order = ">" if info.big_endian else "<"
    unit_ns = 1_000_000_000 // info.interfaces[0].units_per_second
    words = (
        layout.shape.length_at,
        *(4 * at for at in (layout.cap_len, layout.orig_len, layout.seconds, layout.fraction)),
    )
    needed = 0
    while window.fill(needed):
        found = walk(window.buffer, window.begin, window.end, layout.shape, order, words)
        if len(found.start):
            first = info.frames + 1
            info.frames += len(found.start)
            yield _records(window, found, layout.shape, unit_ns, first)
        window.take(found.stop - window.begin)
        left = window.end - window.begin
        if found.broken:
            data = window.bytes(4, skip=4 * layout.cap_len)
            length = int.from_bytes(data, "big" if info.big_endian else "little")
            info.damage = Damage(window.offset, f"record of {length} bytes, at most {MAX_RECORD} are believable")
            return
        # A window that holds no whole record must grow.
        needed = 0 if len(found.start) or window.eof else 2 * left
        if window.eof and left:
            info.damage = Damage(window.offset, f"record cut: {left} bytes left of it")
            break
    if window.problem:
        cut = f"{info.damage.problem}; " if info.damage else ""
        info.damage = Damage(window.offset, cut + window.problem)


def _records(window: Window, found: Walk, shape: Shape, unit_ns: int, first: int) -> Records:
    length, cap_len, orig_len, seconds, fraction = found.words
    cap_len = np.minimum(cap_len, length + shape.base - shape.header)
    return Records(
        buffer=window.buffer,
        start=found.start + shape.header,
        cap_len=cap_len,
        orig_len=np.maximum(orig_len, cap_len),
        time_ns=seconds * 1_000_000_000 + fraction * unit_ns,
        interface=np.zeros(len(found.start), np.int32),
        first_frame=first,
    )
