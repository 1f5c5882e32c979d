"""Whole captures to tables: read once, and once more where frames turn out to be cut shorter than files declare."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from analyzer.decode.batch import KEEP_ALL
from analyzer.decode.frames import declared, read_frames
from analyzer.decode.reader import Limit, Opener, Room
from analyzer.link.keys import make_keys
from analyzer.read.file import CaptureFile
from analyzer.read.work import Work
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, T0, enhanced, ether, interface, ipv4, pcap, section, udp

PACKETS = [ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, udp(5000 + n, 53, b"q" * 40))) for n in range(6)]
RECORDS = [(T0 + n, packet) for n, packet in enumerate(PACKETS)]


def _cut_undeclared(size: int) -> bytes:
    """Return a capture whose frames are cut, though it declares no snap length."""
    blocks = (enhanced(0, time_ns // 1000, data[:size], orig=len(data)) for time_ns, data in RECORDS)
    return section() + interface() + b"".join(blocks)


def _openers(folder: Path, *captures: bytes) -> list[Opener]:
    found: list[Opener] = []
    for number, data in enumerate(captures):
        path = folder / f"{number}.pcap"
        path.write_bytes(data)
        found.append(partial(CaptureFile, str(path), path.name))
    return found


def test_the_shortest_of_all_that_is_declared_counts(tmp_path: Path) -> None:
    """From the network header on; files that declare nothing do not shorten it, and all sizes are added."""
    files = [pcap(RECORDS), pcap(RECORDS, snap=96), pcap(RECORDS, snap=90, link_type=101)]
    keep, likely, total = declared(_openers(tmp_path, *files))

    assert keep == 96 - 14
    assert total == sum(map(len, files))
    assert likely >= len(RECORDS)
    assert declared(_openers(tmp_path, _cut_undeclared(60)))[0] == KEEP_ALL


def test_frames_cut_shorter_than_declared_are_read_again(tmp_path: Path) -> None:
    """So that what was cut at one point has the digest of what is whole at another one."""
    tables = read_frames(_openers(tmp_path, _cut_undeclared(60), pcap(RECORDS)), make_keys)
    digests = tables.frames["digest"].tolist()

    assert tables.keep == 60 - 14
    assert tables.rows == 2 * len(RECORDS)
    assert digests[: len(RECORDS)] == digests[len(RECORDS) :]
    assert (tables.frames["layers"] & Layer.DIGEST).all()


@pytest.mark.parametrize(("capture", "times"), [(pcap(RECORDS, snap=60), 1), (_cut_undeclared(60), 2)])
def test_what_files_declare_is_believed_at_first(tmp_path: Path, capture: bytes, times: int) -> None:
    """One that says what it cut is read once; progress is told of every reading, up to all bytes."""
    told: list[tuple[int, int, int]] = []
    read_frames(_openers(tmp_path, capture), make_keys, lambda *progress: told.append(progress))

    assert told == [(len(RECORDS), len(capture), len(capture))] * times


def test_rows_stand_in_the_order_of_files(tmp_path: Path) -> None:
    """In each in its own order, whatever their times."""
    captures = _openers(tmp_path, pcap(RECORDS[3:]), pcap(RECORDS[2::-1]))
    frames = read_frames(captures, make_keys).frames

    assert frames["sport"].tolist() == [5003, 5004, 5005, 5002, 5001, 5000]
    assert frames["point"].tolist() == [0, 0, 0, 1, 1, 1]
    assert frames["frame"].tolist() == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("room", "limit", "used"),
    [(True, None, True), (True, Limit(100), False), (False, None, False)],
    ids=["room", "a limit", "no room"],
)
def test_files_are_read_side_by_side_only_without_a_limit(
    tmp_path: Path, room: bool, limit: Limit | None, used: bool
) -> None:
    """Shares of a limit are taken one after the other; either way gives the same rows."""
    asked: list[int] = []

    def each(stage: Callable[[Any, Any], Any], common: Any, items: Sequence[Any]) -> Iterator[Any]:
        asked.append(len(items))
        return (stage(common, item) for item in items)

    place = Room(1000, 1000, Work) if room else None
    captures = _openers(tmp_path, pcap(RECORDS), pcap(RECORDS[:2]))
    tables = read_frames(captures, make_keys, room=place, limit=limit, each=each)

    assert asked == ([2] if used else [])
    assert tables.frames["sport"].tolist() == [*range(5000, 5006), 5000, 5001]
