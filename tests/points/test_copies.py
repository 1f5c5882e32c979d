"""Frames that were given twice: what is dropped, and what only looks alike."""

from dataclasses import replace
from typing import Any

import pytest

from analyzer.decode.tables import FrameTables
from analyzer.model import Point, Role
from analyzer.points.doubles import drop_copies, drop_overlaps
from analyzer.read.records import FileInfo, Source
from analyzer.schema import FRAMES, KEYS
from tests.packet.tables import at, table

Row = tuple[int, int, int]
"""Point, time, identity."""
Piece = list[tuple[int, int]]
"""Times and identities of one piece's frames."""


def _tables(rows: list[Row], pieces: list[list[int]], files: list[FileInfo], **columns: list[int]) -> FrameTables:
    counted = dict.fromkeys({point for point, _, _ in rows}, 0)
    frames = []
    for place, (point, time_ns, _) in enumerate(rows):
        counted[point] += 1
        frames.append(
            {"point": point, "frame": counted[point], "time_ns": time_ns} | {n: v[place] for n, v in columns.items()}
        )
    keys = table(KEYS, [{"identity": identity} for _, _, identity in rows])
    return FrameTables.of(table(FRAMES, frames) | keys, {}, files, [], 100, pieces)


def _overlapping(
    first: list[tuple[int, int]], second: list[tuple[int, int]], **columns: list[int]
) -> tuple[list[str], list[int]]:
    """Two pieces of one point, each of times and identities; return what is told, and which frames stay."""
    rows = [(0, 5, 99)] + [(1, time, identity) for time, identity in first + second]
    files = [
        FileInfo("other.pcap", frames=1),
        FileInfo("a.pcap0", frames=len(first)),
        FileInfo("a.pcap1", frames=len(second)),
    ]
    told = {name: [0, *values] for name, values in columns.items()}
    tables = _tables(rows, [[0], [1, 2]], files, **told)
    return drop_overlaps(tables), tables.frames["frame"][tables.frames["point"] == 1].tolist()


@pytest.mark.parametrize(
    ("first", "second", "kept", "dropped"),
    [
        ([(1000, 1), (2000, 2)], [(2000, 2), (3000, 3)], None, None),
        ([(1000, 1), (2000, 2), (2500, 4)], [(2000, 2), (3000, 3)], [1, 2, 3, 5], "1 frame"),
        ([(1000, 1), (2000, 2)], [(1000, 1), (2000, 2)], [1, 2], "2 frames"),
        ([(1000, 1), (3000, 3)], [(2000, 2), (4000, 4)], [1, 2, 3, 4], "0 frames"),
        ([(1000, 1), (2000, 2)], [(2001, 2), (3000, 3)], None, None),
        ([(1000, 1), (9000, 2)], [(1999, 1), (2000, 3)], [1, 2, 4], "1 frame"),
        ([(1000, 1), (1000, 1), (9000, 2)], [(1000, 1), (2000, 3)], [1, 2, 3, 5], "1 frame"),
        ([(1000, 1), (9000, 2)], [(2000, 1), (3000, 1)], [1, 2, 3, 4], "0 frames"),
    ],
    ids=["touch", "overlap", "all", "interleave", "follow", "same microsecond", "twice in one", "other time"],
)
def test_pieces_that_overlap(first: Piece, second: Piece, kept: list[int] | None, dropped: str | None) -> None:
    """What a later piece has again is dropped: equal identity, in the same microsecond."""
    told, stay = _overlapping(first, second)

    assert told == ([f"a.pcap0 and a.pcap1 overlap: {dropped} of them counted once, not twice"] if dropped else [])
    assert stay == (kept or list(range(1, len(first) + len(second) + 1)))


@pytest.mark.parametrize("name", ["orig_len", "eth_src", "eth_dst", "direction", "ttl", "digest"])
def test_frames_that_differ_in_anything_are_two(name: str) -> None:
    """Though they are the same packet, at the same time."""
    told, stay = _overlapping([(1000, 1), (9000, 2)], [(1000, 1), (2000, 3)], **{name: [7, 7, 8, 7]})

    assert stay == [1, 2, 3, 4]
    assert len(told) == 1


def test_pieces_of_which_one_is_empty() -> None:
    """They do not overlap."""
    assert _overlapping([(1000, 1), (2000, 2)], []) == ([], [1, 2])


def _files(rows: list[Row], points: tuple[Point, ...]) -> list[FileInfo]:
    return [FileInfo(one.file, frames=sum(point == one.id for point, _, _ in rows)) for one in points]


def _copied(rows: list[Row], *points: Point, **columns: list[int]) -> tuple[list[str], list[int]]:
    """Return what is told, and the point of each frame that stays."""
    tables = _tables(rows, [[n] for n in range(len(points))], _files(rows, points), **columns)
    tables.sources = [Source(n, 0, 0) for n in range(len(points))]
    return drop_copies(tables, points), tables.frames["point"].tolist()


A, B = at(0, "a", Role.VETH, container="c1"), at(1, "b", Role.VETH, container="c1")
SAME = [(0, 1000, 1), (0, 2000, 2), (1, 1000, 1), (1, 2000, 2)]


@pytest.mark.parametrize(
    ("rows", "change", "columns", "copy"),
    [
        (SAME, {}, {}, True),
        (SAME[:3], {}, {}, False),
        ([*SAME[:3], (1, 2999, 2)], {}, {}, True),
        ([*SAME[:3], (1, 3000, 2)], {}, {}, False),
        ([*SAME[:3], (1, 2000, 3)], {}, {}, False),
        (SAME, {"role": Role.BRIDGE}, {}, False),
        (SAME, {"container": "c2"}, {}, False),
        (SAME, {"host": "h"}, {}, False),
        (SAME, {}, {"ttl": [1, 1, 1, 2]}, False),
        (SAME, {}, {"ttl": [1, 2, 1, 2]}, True),
    ],
)
def test_one_capture_under_two_names(
    rows: list[Row], change: dict[str, Any], columns: dict[str, list[int]], copy: bool
) -> None:
    """All frames are those of another point of the same kind, one by one."""
    told, left = _copied(rows, A, replace(B, **change), **columns)

    assert told == (["b.pcap has the same frames as a.pcap: counted once"] if copy else [])
    assert left == ([0, 0] if copy else [point for point, _, _ in rows])


def test_empty_captures_are_no_copies() -> None:
    """Nothing says that they are."""
    assert _copied([], A, B)[0] == []


def test_the_first_of_several_is_the_original() -> None:
    """Also where a third one differs; points are numbered anew."""
    rows = [(point, 1000, 9 if point == 1 else 1) for point in range(4)]
    points = [replace(A, id=n, name=str(n), file=f"{n}.pcap") for n in range(4)]

    told, left = _copied(rows, *points)

    assert told == [
        "2.pcap has the same frames as 0.pcap: counted once",
        "3.pcap has the same frames as 0.pcap: counted once",
    ]
    assert left == [0, 1]
