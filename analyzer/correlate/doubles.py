"""Frames that were given twice: one capture under two names, or two captures of one point that overlap.

They are counted once, and that is told. Equal frames at points that nobody calls the same stay: a bridge and its port
show one packet at the very same time.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.decode.digest import mix_rows
from analyzer.decode.frames import FrameTables
from analyzer.decode.offsets import GROUP_BIT
from analyzer.model import Point, Role
from analyzer.model.words import plural
from analyzer.schema import Array, Int64

ALIKE = ("orig_len", "eth_src", "eth_dst", "direction", "ttl", "digest")
"""Columns in which a frame that is there twice is equal, beside its identity and its time in µs."""

MOST_ALIKE = 16
"""Points of equal times that a further one is compared with."""


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
    """
    Drop points whose frames are those of another one, one by one; tell of each.

    A packet that comes in has one time at a port and at its bridge; one that goes out has a time at each. So equal
    times show a copy only where frames go both ways, and not at all where names tell two kinds of points.
    """
    number = tables.frames["point"]
    count = np.bincount(number, minlength=len(points))
    end = np.cumsum(count)
    order = np.argsort(number, kind="stable")
    times = np.zeros(len(points), np.uint64)
    np.add.at(times, number, mix_rows(np.zeros(len(number), np.uint64), _micros(tables, slice(None)).astype(np.uint64)))
    seen: dict[tuple[object, ...], list[Point]] = {}
    told: list[str] = []
    copies: list[int] = []

    def rows_of(point: Point) -> Int64:
        return order[end[point.id] - count[point.id] : end[point.id]]

    for point in points:
        same = seen.setdefault((point.host, int(count[point.id]), int(times[point.id])), [])
        rows = rows_of(point)
        original = next((one for one in same if _is_copy(tables, (one, point), (rows_of(one), rows))), None)
        if original is not None and len(rows):
            copies.append(point.id)
            told.append(f"{point.file} has the same frames as {original.file}: counted once")
        elif len(same) < MOST_ALIKE:
            same.append(point)
    if copies:
        tables.drop(np.isin(tables.frames["point"], copies))
        tables.forget(copies)
    return told


def _is_copy(tables: FrameTables, points: tuple[Point, Point], rows: tuple[Int64, Int64]) -> bool:
    kinds = {point.role for point in points} - {Role.UNKNOWN}
    containers = {point.container for point in points} - {None}
    if len(kinds) > 1 or len(containers) > 1 or not _both_ways(tables, rows[0]):
        return False
    both = zip(_columns(tables, rows[0]), _columns(tables, rows[1]), strict=True)
    return all(np.array_equal(left, right) for left, right in both)


def _both_ways(tables: FrameTables, rows: Int64) -> bool:
    """Tell whether some MAC both sends and is sent to in *rows*, those of a point."""
    src, dst = (tables.frames[name][rows] for name in ("eth_src", "eth_dst"))
    return bool(np.isin(src, dst[dst & GROUP_BIT == 0]).any())


def _micros(tables: FrameTables, rows: Int64 | slice) -> Int64:
    found: Int64 = tables.frames["time_ns"][rows] // 1000
    return found


def _columns(tables: FrameTables, rows: Int64) -> Iterator[Array]:
    yield tables.keys["identity"][rows]
    yield _micros(tables, rows)
    yield from (tables.frames[name][rows] for name in ALIKE)
