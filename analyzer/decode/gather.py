"""Copies a few bytes of many frames into rows, the one slow thing of decoding, done once per header."""

import numpy as np

from analyzer.schema import Array, Bytes, Int64

NEAR = 96
"""Bytes from a frame's start that are copied once for all: Ethernet, IPv4 or IPv6, and TCP with its usual options."""

MANY = 4
"""One of so many frames elsewhere, and all are copied."""


class Gather:
    """Rows of bytes at given places of a buffer; places past its end read its last bytes."""

    def __init__(self, buffer: Bytes, start: Int64) -> None:
        """Look at n frames that begin at *start*."""
        self._buffer = buffer
        self._start = start
        self._near = self._copy(start, NEAR)

    def at(self, start: Int64) -> "Gather":
        """Look at other frames in the same buffer."""
        return Gather(self._buffer, start)

    def rows(self, at: Int64, width: int) -> Bytes:
        """Return the (n, width) bytes at *at*; the bytes of a row lie side by side."""
        # Mostly the same header is at the same place in every frame, or in all but a few.
        if len(at) == len(self._start) and len(at):
            offsets = at - self._start
            offset = int(offsets[len(at) // 2])
            if 0 <= offset <= NEAR - width:
                others = np.flatnonzero(offsets != offset)
                same = self._near[:, offset : offset + width]
                if not len(others):
                    return same
                if len(others) < len(at) // MANY:
                    same = same.copy()
                    same[others] = self._copy(at[others], width)
                    return same
        return self._copy(at, width)

    def _copy(self, at: Int64, width: int) -> Bytes:
        last = len(self._buffer) - width
        overlapping = np.lib.stride_tricks.as_strided(self._buffer, (last + 1, width), (1, 1), writeable=False)
        return overlapping[np.minimum(at, last)]


def u16(rows: Bytes, at: int) -> Array:
    """Return the big-endian 16-bit field at column *at* as (n,) uint16."""
    return rows[:, at : at + 2].view(">u2")[:, 0].astype(np.uint16)


def u32(rows: Bytes, at: int) -> Array:
    """Return the big-endian 32-bit field at column *at* as (n,) uint32."""
    return rows[:, at : at + 4].view(">u4")[:, 0].astype(np.uint32)


def u64(rows: Bytes, at: int) -> Array:
    """Return the big-endian 64-bit field at column *at* as (n,) uint64."""
    return rows[:, at : at + 8].view(">u8")[:, 0].astype(np.uint64)


def u48(rows: Bytes, at: int) -> Int64:
    """Return the big-endian 48-bit field at column *at* as (n,) int64; of rows of eight columns and more."""
    first = min(at, rows.shape[1] - 8)
    behind = 8 * (first + 2 - at)
    found: Int64 = rows[:, first : first + 8].view(">i8")[:, 0].astype(np.int64) >> behind & 0xFFFF_FFFF_FFFF
    return found
