"""Finds where the records of a chunk start: each tells where the next begins.

In the middle of a file a start is guessed by records that follow each other; it is proved when the extent before ends
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.kernel import compiled
from analyzer.schema import Array, Bytes, Int64

STEPS = 4
"""Records that have to follow each other from a place that is taken for a start."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a record tells its length: ``total = base + length field``."""

    header: int
    """Bytes that must be there before the length can be read."""
    length_at: int
    base: int
    minimum: int
    """Of the total length, bytes."""
    maximum: int
    multiple: int
    """The total length is divisible by this."""
    signature_at: int
    """Offset of two bytes that plausible record headers share."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The whole records between begin and end."""

    start: Int64
    """(n,) Places of the record headers, ascending."""
    stop: int
    """Place after the last whole record."""
    broken: bool
    """The record at *stop* cannot be: its length is out of bounds. Else it is merely not all there."""
    words: Int64
    """(offsets, n) 32-bit words of each."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the records of one file look like."""

    shape: Shape
    byte_order: str
    signature: int
    """Of one of them, as ``<u2``."""
    spread: int
    """By so much that of others may be larger."""


def unaligned(buffer: Bytes, dtype: str) -> Array:
    """View *buffer* as overlapping items that start at every byte."""
    itemsize = np.dtype(dtype).itemsize
    return np.ndarray((len(buffer) - itemsize + 1,), dtype, buffer.data, strides=(1,))


def walk(buffer: Bytes, begin: int, end: int, shape: Shape, byte_order: str, offsets: Sequence[int] = ()) -> Walk:
    """Find every whole record between *begin* and *end*, and words of each; *begin* is a record's start.

    *offsets* tell which 32-bit words; negative ones count from a record's end.
    """
    if compiled is None:
        return _walk(unaligned(buffer, f"{byte_order}u4"), begin, end, shape, offsets)
    most = max(end - begin, 0) // max(shape.minimum, 1) + 1
    starts, words = np.empty(most, np.int64), np.empty((len(offsets), most), np.int64)
    places = np.array(offsets, np.int64)
    count, stop, broken = compiled.walk(buffer, begin, end, shape, byte_order == ">", places, starts, words)
    return Walk(starts[:count].copy(), stop, broken, words[:, :count].copy())


def likely_start(buffer: Bytes, like: Likeness) -> int | None:
    """Return the first place in *buffer* from where record follows record; None if no place looks like that."""
    shape, end = like.shape, len(buffer)
    if end < shape.header + 4:
        return None
    lengths, signatures = unaligned(buffer, f"{like.byte_order}u4"), unaligned(buffer, "<u2")
    last = end - shape.header
    near = signatures[shape.signature_at : last + shape.signature_at] - np.uint16(like.signature) <= like.spread
    candidate = np.flatnonzero(near)
    alive = np.ones(len(candidate), bool)
    at = candidate
    for _ in range(STEPS):
        at = np.where(alive, at, 0)
        alive &= signatures[at + shape.signature_at] - np.uint16(like.signature) <= like.spread
        at, believable = _next(lengths, at, shape)
        alive &= believable & (at <= last)
    return int(candidate[alive][0]) if alive.any() else None


def _next(lengths: Array, at: Int64, shape: Shape) -> tuple[Int64, Array]:
    """Return where the records behind those *at* some places begin, and whether that can be."""
    total = lengths[at + shape.length_at].astype(np.int64) + shape.base
    return at + total, _believable(total, shape)


def _walk(lengths: Array, begin: int, end: int, shape: Shape, offsets: Sequence[int]) -> Walk:
    starts: list[int] = []
    place, broken = begin, False
    while place + shape.header <= end:
        total = int(lengths[place + shape.length_at]) + shape.base
        if not shape.minimum <= total <= shape.maximum or total % shape.multiple:
            broken = True
            break
        if place + total > end:
            break
        starts.append(place)
        place += total
    start = np.array(starts, np.int64)
    length = lengths[start + shape.length_at].astype(np.int64) + shape.base
    words = [lengths[start + offset + length * (offset < 0)] for offset in offsets]
    return Walk(start, place, broken, np.array(words, np.int64).reshape(len(offsets), len(start)))


def _believable(total: Int64, shape: Shape) -> Array:
    found: Array = (total >= shape.minimum) & (total <= shape.maximum)
    return found & (total % shape.multiple == 0) if shape.multiple > 1 else found
