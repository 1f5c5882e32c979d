"""All frames of an analysis: spans of points, pieces of a capture that become one point, and rows that are dropped."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from analyzer.decode.frames import read_frames
from analyzer.decode.reader import Opener
from analyzer.decode.tables import FrameTables, Span
from analyzer.link.keys import make_keys
from analyzer.read.file import CaptureFile
from analyzer.schema import FRAMES, KEYS
from tests.build import BRIDGE, C1, arp, enhanced, ether, interface, ipv4, section, udp

ASKED = ether(C1, BRIDGE, arp(1, C1, "172.17.0.2", "00:00:00:00:00:00", "172.17.0.1"), 0x0806)
Seen = tuple[int, int]
"""Interface, and time in µs."""


def _capture(interfaces: int, *seen: Seen) -> bytes:
    """Return a pcapng; its datagrams tell their time by their port, and what comes at 0 is a question of ARP."""
    data = section() + interface() * interfaces
    for of, us in seen:
        packet = ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, udp(us, 53, b"x"))) if us else ASKED
        data += enhanced(of, us, packet)
    return data


def _read(folder: Path, *captures: bytes, stretches: int = 1) -> FrameTables:
    openers: list[Opener] = []
    for number, data in enumerate(captures):
        path = folder / f"{number}.pcapng"
        path.write_bytes(data)
        openers.append(partial(CaptureFile, str(path), path.name))
    return read_frames(openers, make_keys, stretches=stretches)


def _joined(
    folder: Path, *captures: bytes, groups: list[list[int]], alike: Collection[int] = ()
) -> tuple[list[int], list[int], list[list[int]]]:
    """Return points, frame numbers and pieces."""
    tables = _read(folder, *captures, stretches=2)
    tables.join_pieces(groups, alike)
    frames = tables.frames
    return frames["point"].tolist(), frames["frame"].tolist(), tables.pieces


def test_a_span_is_of_what_a_file_has_of_a_point(tmp_path: Path) -> None:
    """Also if it goes over several stretches, and if frames do not stand in the order of their times."""
    tables = _read(tmp_path, _capture(2, (0, 5), (1, 9), (0, 3)), _capture(1, (0, 20)), stretches=3)

    assert tables.spans() == {(0, 0): Span(2, 3000, 5000), (0, 1): Span(1, 9000, 9000), (1, 2): Span(1, 20000, 20000)}
    tables.join_pieces([[0, 1]])
    assert tables.spans_of_points() == {0: Span(3, 3000, 20000), 1: Span(1, 9000, 9000)}


@pytest.mark.parametrize(
    ("second", "alike", "one"),
    [(6, (), True), (5, (), True), (4, (), False), (4, (0,), True), (4, (1,), False)],
    ids=str,
)
def test_pieces_that_follow_each_other_are_one_point(
    tmp_path: Path, second: int, alike: tuple[int, ...], one: bool
) -> None:
    """Unless they overlap in time, but for those that somebody called alike; frames of one are numbered on."""
    captures = _capture(1, (0, 3), (0, 5)), _capture(1, (0, second), (0, 9))
    points, numbers, pieces = _joined(tmp_path, *captures, groups=[[0, 1]], alike=alike)

    assert (points, numbers) == (([0, 0, 0, 0], [1, 2, 3, 4]) if one else ([0, 0, 1, 1], [1, 2, 1, 2]))
    assert pieces == ([[0, 1]] if one else [[0], [1]])


def test_files_of_no_group_stay_by_themselves(tmp_path: Path) -> None:
    """Also one that stands between those of a group."""
    captures = _capture(1, (0, 1), (0, 2)), _capture(1, (0, 8)), _capture(1, (0, 7))
    points, numbers, pieces = _joined(tmp_path, *captures, groups=[[0, 2]])

    assert (points, numbers) == ([0, 0, 1, 0], [1, 2, 1, 3])
    assert pieces == [[0, 2], [1]]


def test_an_interface_is_joined_with_its_like(tmp_path: Path) -> None:
    """Interface with interface; where a piece has nothing of one, that of the others is its point."""
    captures = _capture(2, (0, 1), (1, 2)), _capture(2, (1, 4)), _capture(2, (0, 6))
    points, numbers, pieces = _joined(tmp_path, *captures, groups=[[0, 1, 2]])

    assert points == [0, 1, 1, 0]
    assert numbers == [1, 2, 3, 4]
    assert pieces == [[0, 1, 2], [0, 1, 2]]


def test_one_capture_that_overlaps_is_numbered_from_one(tmp_path: Path) -> None:
    """The next that follows it goes on from there."""
    captures = _capture(1, (0, 1), (0, 9)), _capture(1, (0, 5), (0, 10)), _capture(1, (0, 11))
    points, numbers, _ = _joined(tmp_path, *captures, groups=[[0, 1, 2]])

    assert (points, numbers) == ([0, 0, 1, 1, 1], [1, 2, 1, 2, 3])


def test_side_rows_count_all_frames(tmp_path: Path) -> None:
    """However they are cut; and rows that are dropped are dropped everywhere."""
    captures = _capture(1, (0, 0), (0, 1), (0, 2)), _capture(1, (0, 3), (0, 0), (0, 0))
    tables = _read(tmp_path, *captures, stretches=3)

    assert tables.first_rows == [0, 2, 4]
    assert tables.side("neighbours")["row"].tolist() == [0, 4, 5]
    tables.drop(np.array([False, True, False, False, True, False]))
    assert tables.frames["sport"].tolist() == [0, 2, 3, 0]
    assert tables.side("neighbours")["row"].tolist() == [0, 3]
    assert tables.rows == 4


def test_dropping_none_changes_nothing(tmp_path: Path) -> None:
    """Not even the stretches."""
    tables = _read(tmp_path, _capture(1, (0, 1), (0, 2)))
    before = list(tables.stretches)
    tables.drop(np.zeros(2, bool))

    assert all(one is other for one, other in zip(tables.stretches, before, strict=True))


def test_points_without_rows_can_be_forgotten(tmp_path: Path) -> None:
    """Those behind them move up; keys can be let go of, and frames stay."""
    tables = _read(tmp_path, _capture(3, (0, 1), (2, 2)), _capture(1, (0, 3)))
    assert [source.interface for source in tables.sources] == [0, 2, 1, 0]
    tables.forget([2])
    tables.forget_keys()

    assert tables.frames["point"].tolist() == [0, 1, 2]
    assert [(source.file, source.interface) for source in tables.sources] == [(0, 0), (0, 2), (1, 0)]
    assert tables.pieces == [[0], [0], [1]]
    assert set(tables.columns()) & set(KEYS.dtypes) == set()


def test_tables_in_memory_are_of_their_files(tmp_path: Path) -> None:
    """By how many frames each has."""
    read = _read(tmp_path, _capture(1, (0, 1), (0, 2)), _capture(1), _capture(1, (0, 3)))
    sides = {name: read.side(name) for name in ("quotes", "neighbours", "tunnels")}
    table = read.columns(*FRAMES.dtypes, *KEYS.dtypes, "at")
    tables = FrameTables.of(table, sides, read.files, read.sources, read.keep, read.pieces)

    assert tables.stretches[0].file_of_rows().tolist() == [0, 0, 2]
