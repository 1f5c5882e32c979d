"""Frames that were given twice: one capture under two names, or two captures of one point that overlap.

They are counted once, and that is told. Equal frames at points that nobody calls the same stay: a bridge and its port
show one packet at the very same time.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.decode.frames import FrameTables
from analyzer.model import Point
from analyzer.model.words import plural
from analyzer.schema import Array, Int64

ALIKE = ("orig_len", "eth_src", "eth_dst", "direction", "ttl", "digest")
"""Columns in which a frame that is there twice is equal, beside its identity and its time in µs."""


def drop_overlaps(tables: FrameTables) -> list[str]:
    """Drop what a piece of a point has again that one before it has; tell of each such point."""
    told: list[str] = []
    drop = np.zeros(len(tables.frames["frame"]), bool)
    for point, pieces in enumerate(tables.pieces):
        rows = np.flatnonzero(tables.frames["point"] == point) if len(pieces) > 1 else drop[:0]
        ends = np.cumsum([tables.files[file].frames for file in pieces])
        piece = np.searchsorted(ends, tables.frames["frame"][rows])
        if not len(rows) or not _overlap(tables.frames["time_ns"][rows], piece, len(pieces)):
            continue
        group, first = group_rows(*_columns(tables, rows))
        again = piece > piece[first[group]]
        drop[rows[again]] = True
        names = " and ".join(tables.files[file].name for file in pieces)
        told.append(f"{names} overlap: {plural(int(again.sum()), 'frame')} of them counted once, not twice")
    tables.drop(drop)
    return told


def _overlap(time_ns: Int64, piece: Int64, count: int) -> bool:
    spans = [(times.min(), times.max()) for number in range(count) if len(times := time_ns[piece == number])]
    return any(two[0] < one[1] for one, two in pairwise(spans))


def drop_copies(tables: FrameTables, points: Sequence[Point]) -> list[str]:
    """Drop points whose frames are those of another point of the same kind, one by one; tell of each."""
    count = np.bincount(tables.frames["point"], minlength=len(points))
    seen: dict[tuple[object, ...], list[Point]] = {}
    told: list[str] = []
    copies: list[int] = []
    for point in points:
        same = seen.setdefault((point.role, point.container, point.host, int(count[point.id])), [])
        original = next((one for one in same if _equal(tables, one, point)), None) if count[point.id] else None
        if original is None:
            same.append(point)
        else:
            copies.append(point.id)
            told.append(f"{point.file} has the same frames as {original.file}: counted once")
    if copies:
        tables.drop(np.isin(tables.frames["point"], copies))
        tables.forget(copies)
    return told


def _equal(tables: FrameTables, one: Point, other: Point) -> bool:
    rows = [np.flatnonzero(tables.frames["point"] == point.id) for point in (one, other)]
    both = zip(_columns(tables, rows[0]), _columns(tables, rows[1]), strict=True)
    return all(np.array_equal(left, right) for left, right in both)


def _columns(tables: FrameTables, rows: Int64) -> Iterator[Array]:
    yield tables.keys["identity"][rows]
    yield tables.frames["time_ns"][rows] // 1000
    yield from (tables.frames[name][rows] for name in ALIKE)
