"""Finds where the records of a chunk start, many at a time.

A chunk is one long chain: each record tells where the next begins. To walk it with few Python steps, likely record
starts are guessed all over the chunk and walked in lockstep. A guess proves itself: the walk before it must end
exactly on it, and that chain begins at a record that is known. Otherwise the chunk is walked serially.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.schema import Array, Bytes, Int64

WALKERS = 320
SEARCH = 2048
"""Bytes searched for a start; more than one full Ethernet frame with its record header."""
STEPS = 4
"""Records that have to follow each other from a place that is taken for a start."""
SMALL = 1 << 21
"""Chunks of fewer bytes are walked serially: starting many walks would cost more."""


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


def walk(buffer: Bytes, begin: int, end: int, shape: Shape, byte_order: str) -> Walk:
    """Find every whole record between *begin* and *end*; *begin* is a record's start."""
    lengths = unaligned(buffer, f"{byte_order}u4")
    starts = _guess(buffer, lengths, begin, end, shape) if end - begin >= SMALL else np.array([begin])
    found = _lockstep(lengths, starts, end, shape)
    if found is None:
        return _serial(lengths, begin, end, shape)
    rest = _serial(lengths, int(starts[-1]), end, shape)
    return Walk(np.concatenate((found, rest.start)), rest.stop, rest.broken)


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


def _serial(lengths: Array, begin: int, end: int, shape: Shape) -> Walk:
    starts: list[int] = []
    place = begin
    while place + shape.header <= end:
        total = int(lengths[place + shape.length_at]) + shape.base
        if not shape.minimum <= total <= shape.maximum or total % shape.multiple:
            return Walk(np.array(starts, np.int64), place, broken=True)
        if place + total > end:
            break
        starts.append(place)
        place += total
    return Walk(np.array(starts, np.int64), place, broken=False)


def _guess(buffer: Bytes, lengths: Array, begin: int, end: int, shape: Shape) -> Int64:
    """Return *begin* and likely record starts after it, about evenly spread."""
    signatures = unaligned(buffer, "<u2")
    wanted = signatures[begin + shape.signature_at]
    stride = (end - begin) // WALKERS
    targets = np.arange(begin + stride, end - SEARCH - shape.header, stride)
    # NumPy compares bytes many at a time, but pairs at odd places one by one: so first the bytes, then the pairs.
    first = buffer[begin + stride + shape.signature_at :]
    windows = np.lib.stride_tricks.as_strided(first, (len(targets), SEARCH), (stride, 1), writeable=False)
    walker, place = np.divmod(np.flatnonzero(windows == buffer[begin + shape.signature_at]), SEARCH)
    at = candidate = targets[walker] + place
    alive = signatures[at + shape.signature_at] == wanted
    walker, at, candidate, alive = walker[alive], at[alive], candidate[alive], alive[alive]
    for _ in range(STEPS):
        at = np.where(alive, at, begin)
        alive &= signatures[at + shape.signature_at] == wanted
        at, believable = _next(lengths, at, shape)
        alive &= believable & (at + shape.header <= end)
    _, best = np.unique(walker[alive], return_index=True)
    return np.concatenate(([begin], candidate[alive][best]))


def _lockstep(lengths: Array, starts: Int64, end: int, shape: Shape) -> Int64 | None:
    """Walk from every start but the last to the next one; None if one of them was not a record's start."""
    at, goals = starts[:-1], starts[1:]
    steps = [at]
    last = end - shape.header
    while (at < goals).any():
        # Whoever has arrived goes on, which does not count; whoever went astray stops at the end.
        at = np.minimum(at + shape.base + lengths[at + shape.length_at], last)
        steps.append(at)
    places = np.stack(steps, axis=1)
    before = places < goals[:, None]
    arrived = places[np.arange(len(goals)), before.sum(axis=1)]
    if (arrived != goals).any():
        return None
    found: Int64 = places[before]
    total = lengths[found + shape.length_at].astype(np.int64) + shape.base
    return found if _believable(total, shape).all() else None


def _believable(total: Int64, shape: Shape) -> Array:
    found: Array = (total >= shape.minimum) & (total <= shape.maximum)
    return found & (total % shape.multiple == 0) if shape.multiple > 1 else found
