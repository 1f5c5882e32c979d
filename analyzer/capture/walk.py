"""Finds where the records of a chunk start, many at a time.

A chunk is one long chain: each record tells where the next begins. To walk it with few Python steps, likely record
starts are guessed all over the chunk and walked in lockstep. A guess proves itself: the walk before it must end
exactly on it, and that chain begins at a record that is known. Otherwise the chunk is walked serially.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.schema import Array, Bytes, Int64

WALKERS = 128
SEARCH = 2048
"""Bytes searched for a start; more than one full Ethernet frame with its record header."""
SMALL = 1 << 17
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


def unaligned(buffer: Bytes, dtype: str) -> Array:
    """View *buffer* as overlapping items that start at every byte."""
    itemsize = np.dtype(dtype).itemsize
    return np.ndarray((len(buffer) - itemsize + 1,), dtype, buffer.data, strides=(1,))


def walk(buffer: Bytes, begin: int, end: int, shape: Shape, byte_order: str) -> Walk:
    """Find every whole record between *begin* and *end*; *begin* is a record's start."""
    lengths = unaligned(buffer, f"{byte_order}u4")
    if end - begin >= SMALL:
        starts = _guess(buffer, lengths, begin, end, shape)
        found = _lockstep(lengths, starts, end, shape)
        if found is not None:
            return found
    return _serial(lengths, begin, end, shape)


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
    targets = np.linspace(begin, end - SEARCH - shape.header, WALKERS, dtype=np.int64)[1:]
    window = targets[:, None] + np.arange(SEARCH)
    walker, place = np.nonzero(signatures[window + shape.signature_at] == wanted)
    candidate = targets[walker] + place
    alive = np.ones(len(candidate), bool)
    at = candidate.copy()
    for _ in range(4):
        at[~alive] = begin
        total = lengths[at + shape.length_at].astype(np.int64) + shape.base
        alive &= (total >= shape.minimum) & (total <= shape.maximum) & (total % shape.multiple == 0)
        alive &= signatures[at + shape.signature_at] == wanted
        at = at + total
        alive &= at + shape.header <= end
    _, first = np.unique(walker[alive], return_index=True)
    return np.unique(np.concatenate(([begin], candidate[alive][first])))


def _lockstep(lengths: Array, starts: Int64, end: int, shape: Shape) -> Walk | None:
    """Walk from every start to the next; None if one of them was not a record's start."""
    goals = np.append(starts[1:], end)
    at = starts.copy()
    last = len(starts) - 1
    walker = np.arange(len(starts))
    pieces: list[Int64] = []
    stop, broken = end, False
    while len(walker):
        if walker[-1] == last and at[-1] + shape.header > end:
            stop, walker, at = int(at[-1]), walker[:-1], at[:-1]
            continue
        total = lengths[at + shape.length_at].astype(np.int64) + shape.base
        after = at + total
        bad = (total < shape.minimum) | (total > shape.maximum) | (total % shape.multiple != 0)
        if walker[-1] == last and (bad[-1] or after[-1] > end):
            stop, broken = int(at[-1]), bool(bad[-1])
            walker, at = walker[:-1], at[:-1]
            bad, after = bad[:-1], after[:-1]
        if bad.any() or (after > goals[walker]).any():
            return None
        pieces.append(at)
        going = after < goals[walker]
        if len(walker) and walker[-1] == last:
            if after[-1] == end:
                stop = end
            going[-1] = after[-1] < end
        walker, at = walker[going], after[going]
    return Walk(np.sort(np.concatenate(pieces)) if pieces else np.zeros(0, np.int64), stop, broken)
