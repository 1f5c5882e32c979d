"""Frames that were given twice: one capture under two names, or two captures of one point that overlap.

They are counted once, and that is told. Equal frames at points that nobody calls the same stay: a bridge and its port
show one packet at the very same time.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.decode.offsets import GROUP_BIT
from analyzer.decode.tables import FrameTables
from analyzer.link.sorting import group_rows
from analyzer.model import Point, Role
from analyzer.model.words import plural
from analyzer.schema import Array, Int64

ALIKE = ("identity", "time_ns", "orig_len", "eth_src", "eth_dst", "direction", "ttl", "digest")
"""Columns in which a frame that is there twice is equal; of its time, the µs."""

MOST_ALIKE = 16
"""Points of equal times that a further one is compared with."""


def drop_overlaps(tables: FrameTables) -> list[str]:
    """Drop what a piece of a point has again that one before it has; tell of each such point."""
    told: list[str] = []
    drop = np.zeros(tables.rows, bool)
    spans = tables.spans()
    for point, pieces in enumerate(tables.pieces):
        times = [span for file in pieces if (span := spans.get((file, point))) is not None]
        if not any(two.first_ns < one.last_ns for one, two in pairwise(times)):
            continue
        rows = np.flatnonzero(tables.columns("point")["point"] == point)
        ends = np.cumsum([tables.files[file].frames for file in pieces])
        piece = np.searchsorted(ends, _of_point(tables, "frame", point))
        group, first = group_rows(*(_of_point(tables, name, point) for name in ALIKE))
        again = piece > piece[first[group]]
        drop[rows[again]] = True
        names = " and ".join(tables.files[file].name for file in pieces)
        told.append(f"{names} overlap: {plural(int(again.sum()), 'frame')} of them counted once, not twice")
    tables.drop(drop)
    return told


def drop_copies(tables: FrameTables, points: Sequence[Point]) -> list[str]:
    """
    Drop points whose frames are those of another one, one by one; tell of each.

    A packet that comes in has one time at a port and at its bridge; one that goes out has a time at each. So equal
    times show a copy only where frames go both ways, and not at all where names tell two kinds of points.
    """
    count, times = np.zeros(len(points), np.int64), np.zeros(len(points), np.uint64)
    for one in tables.stretches:
        frames = one.table.open("point", "time_ns")
        number, micros = frames["point"], (frames["time_ns"] // 1000).astype(np.uint64)
        count += np.bincount(number, minlength=len(points))
        np.add.at(times, number, mix_rows(np.zeros(len(number), np.uint64), micros))
    seen: dict[tuple[object, ...], list[Point]] = {}
    told: list[str] = []
    copies: list[int] = []
    for point in points:
        same = seen.setdefault((point.host, int(count[point.id]), int(times[point.id])), [])
        original = next((one for one in same if count[point.id] and _is_copy(tables, one, point)), None)
        if original is not None:
            copies.append(point.id)
            told.append(f"{point.file} has the same frames as {original.file}: counted once")
        elif len(same) < MOST_ALIKE:
            same.append(point)
    if copies:
        tables.drop(np.isin(tables.columns("point")["point"], copies))
        tables.forget(copies)
    return told


def _is_copy(tables: FrameTables, one: Point, other: Point) -> bool:
    kinds = {one.role, other.role} - {Role.UNKNOWN}
    containers = {one.container, other.container} - {None}
    if len(kinds) > 1 or len(containers) > 1 or not _both_ways(tables, one):
        return False
    return all(np.array_equal(_of_point(tables, name, one.id), _of_point(tables, name, other.id)) for name in ALIKE)


def _both_ways(tables: FrameTables, point: Point) -> bool:
    """Tell whether some MAC both sends and is sent to at a point."""
    src, dst = (_of_point(tables, name, point.id) for name in ("eth_src", "eth_dst"))
    return bool(np.isin(src, dst[dst & GROUP_BIT == 0]).any())


def _of_point(tables: FrameTables, name: str, point: int) -> Array:
    """Return a column of what a point recorded."""

    def parts() -> Iterator[Array]:
        for one in tables.stretches:
            frames = one.table.open("point", name)
            yield frames[name][frames["point"] == point]

    found: Int64 = np.concatenate(list(parts()))
    return found // 1000 if name == "time_ns" else found
