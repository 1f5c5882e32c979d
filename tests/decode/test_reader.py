"""Captures one after the other: which points there are, what is read no further and why, and what memory holds."""

import struct
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from analyzer.decode import reader
from analyzer.decode.batch import KEEP_ALL
from analyzer.decode.cut_lengths import CutLengths
from analyzer.decode.reader import Given, Limit, Opener, Reader, Room, silent
from analyzer.decode.tables import FrameTables
from analyzer.errors import InputError
from analyzer.link.keys import make_keys
from analyzer.read.file import CaptureFile
from analyzer.read.records import LINKTYPE_NONE, FileInfo, Interface, Source
from analyzer.read.source import WHOLE, Extent, buffer
from analyzer.read.work import Work
from analyzer.schema import Bytes
from tests.build import T0, enhanced, interface, ipv4, pcap, section, udp

RAW, SLL2 = 101, 276
PACKETS = [ipv4("172.17.0.2", "8.8.8.8", 17, udp(5000 + n, 53, b"question")) for n in range(9)]
RECORDS = [(T0 + n, packet) for n, packet in enumerate(PACKETS)]


def _capture(*numbers: int) -> bytes:
    return pcap([RECORDS[number] for number in numbers], link_type=RAW)


def _of_interfaces(count: int, *used: int) -> bytes:
    """Return a pcapng whose frames are of some of its interfaces."""
    data = section() + interface(RAW) * count
    return data + b"".join(enhanced(of, n, PACKETS[n]) for n, of in enumerate(used))


def _of_devices(*devices: int) -> bytes:
    heads = (struct.pack("!HHIHBB8s", 0x0800, 0, device, 1, 4, 0, bytes(8)) for device in devices)
    return pcap([(T0 + n, head + PACKETS[n]) for n, head in enumerate(heads)], link_type=SLL2)


def _in_batches(path: Path, data: bytes) -> Opener:
    """Return what reads a capture in batches of a few frames, as if it were long."""
    path.write_bytes(data)

    def opened(memory: Bytes, extent: Extent = WHOLE, /) -> CaptureFile:
        return CaptureFile(str(path), path.name, buffer(180), extent)

    return opened


def _read(
    folder: Path,
    *captures: bytes | Opener,
    limit: Limit | None = None,
    room: Room | None = None,
    told: list[tuple[int, int]] | None = None,
    extent: Extent = WHOLE,
    stretches: int = 1,
) -> FrameTables:
    openers: list[Opener] = []
    for number, capture in enumerate(captures):
        if isinstance(capture, bytes):
            path = folder / f"{number}.pcap"
            path.write_bytes(capture)
            openers.append(partial(CaptureFile, str(path), path.name))
        else:
            openers.append(capture)
    given = Given(openers, make_keys, KEEP_ALL, 4, limit, room)
    note = None if told is None else lambda frames, done: told.append((frames, done))
    return Reader(given).read([(file, extent) for file in range(len(openers))], note, stretches, CutLengths())


def _points(tables: FrameTables) -> list[int]:
    return [int(point) for point in tables.frames["point"]]


def test_a_point_is_an_interface_of_a_file(tmp_path: Path) -> None:
    """In the order in which they are heard of; an interface that recorded nothing is one, too."""
    tables = _read(tmp_path, _of_interfaces(3, 0, 2, 0), _capture(3))

    assert tables.sources == [Source(0, 0, 0), Source(0, 2, 0), Source(0, 1, 0), Source(1, 0, 0)]
    assert _points(tables) == [0, 1, 0, 3]
    assert tables.pieces == [[0], [0], [0], [1]]


def test_each_interface_index_of_cooked_frames_is_a_point(tmp_path: Path) -> None:
    """Then the file's own interface is not silent."""
    tables = _read(tmp_path, _of_devices(12, 3, 12))

    assert sorted(tables.sources, key=lambda one: one.device) == [Source(0, 0, 3), Source(0, 0, 12)]
    assert [tables.sources[point].device for point in _points(tables)] == [12, 3, 12]


def test_only_of_a_whole_file_it_is_known_who_was_silent(tmp_path: Path) -> None:
    """An extent may have nothing of an interface that others have something of."""
    data = _of_interfaces(2, 0)

    assert _read(tmp_path, data, extent=Extent(0, len(data))).sources == [Source(0, 0, 0)]


def test_what_is_no_packet_has_no_silent_point() -> None:
    """And points of other files do not make an interface heard."""
    info = FileInfo("a", [Interface(1, 0), Interface(LINKTYPE_NONE, 0), Interface(1, 0)])
    known = {Source(0, 2, 0): 0, Source(1, 0, 0): 1}

    assert silent(1, info, known) == [Source(1, 2, 0)]


@pytest.mark.parametrize(
    ("limit", "taken"), [(4, [2, 2]), (5, [2, 2]), (8, [4, 3]), (1, [1, 1]), (100, [5, 3])], ids=str
)
def test_of_each_file_its_share_of_the_limit_is_read(tmp_path: Path, limit: int, taken: Sequence[int]) -> None:
    """At least one frame; the file says that it was not read on, and from where."""
    tables = _read(tmp_path, _capture(0, 1, 2, 3, 4), _capture(5, 6, 7), limit=Limit(limit))

    assert [_points(tables).count(point) for point in (0, 1)] == taken
    for info, read, whole in zip(tables.files, taken, (5, 3), strict=True):
        assert info.frames == read
        assert (info.damage is None) is (read == whole)
        if info.damage is not None:
            assert info.damage.limited
            assert info.damage.offset == 24 + (16 + len(PACKETS[0])) * read + 16
            assert "more memory" in info.damage.problem


def test_batches_of_a_file_go_on_where_the_one_before_ended(tmp_path: Path) -> None:
    """Its share of a limit is that of all, and its frames are numbered on from stretch to stretch."""
    work = Work(tmp_path / "work")
    (tmp_path / "work").mkdir()
    opened = _in_batches(tmp_path / "a.pcap", _capture(*range(9)))
    told: list[tuple[int, int]] = []
    limited = _read(tmp_path, opened, limit=Limit(5), told=told)
    spilt = _read(tmp_path, opened, room=Room(0, 1, lambda: work))

    assert len(told) > 1
    assert limited.rows == limited.files[0].frames == 5
    assert len(spilt.stretches) > 1
    assert [of.number for one in spilt.stretches for of in one.files] == [1 + first for first in spilt.first_rows]
    assert spilt.frames["sport"].tolist() == list(range(5000, 5009))


def test_more_points_than_there_may_be_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands before the first frame of one too many is kept, and other files are read."""
    monkeypatch.setattr(reader, "MOST_POINTS", 1)
    tables = _read(tmp_path, _of_devices(7, 8, 7, 9, 7), _of_devices(4))

    assert [tables.sources[point].device for point in _points(tables)] == [7, 8, 7]
    assert [info.frames for info in tables.files] == [3, 0]
    assert [info.damage.problem for info in tables.files if info.damage] == ["not read on: more than 2 points"] * 2


def test_a_file_that_fails_does_not_concern_the_others(tmp_path: Path) -> None:
    """What was read of it stays."""

    def failing(memory: Bytes, extent: Extent = WHOLE, /) -> CaptureFile:
        capture = CaptureFile(str(tmp_path / "bad"), "bad", memory, extent)
        batches = capture.batches()

        def broken() -> object:
            yield next(batches)
            raise InputError("it is gone")

        monkeypatch.setattr(capture, "batches", broken)
        return capture

    (tmp_path / "bad").write_bytes(_capture(0, 1))
    with pytest.MonkeyPatch.context() as monkeypatch:
        tables = _read(tmp_path, failing, _capture(2))

    assert tables.frames["sport"].tolist() == [5000, 5001, 5002]
    assert [info.damage.problem if info.damage else None for info in tables.files] == ["it is gone", None]


def test_progress_counts_frames_and_bytes_of_all_files(tmp_path: Path) -> None:
    """Those of the files before are added."""
    first, second, told = _capture(0, 1, 2), _capture(3, 4), list[tuple[int, int]]()
    _read(tmp_path, first, second, told=told)

    assert told == [(3, len(first)), (5, len(first) + len(second))]


def test_what_fits_is_one_stretch_or_as_many_as_are_asked_for(tmp_path: Path) -> None:
    """Never more than there are frames, but one where there are none."""
    data = _capture(0, 1, 2)

    assert [one.rows for one in _read(tmp_path, data).stretches] == [3]
    assert [one.rows for one in _read(tmp_path, data, stretches=2).stretches] == [1, 2]
    assert [one.rows for one in _read(tmp_path, data, stretches=9).stretches] == [1, 1, 1]
    assert [one.rows for one in _read(tmp_path, _capture()).stretches] == [0]


@pytest.mark.parametrize(
    ("most", "rows", "on_disk"), [(6, [6], False), (5, [2, 2, 2], True), (2, [1, 2, 3], True)], ids=str
)
def test_what_does_not_fit_is_kept_elsewhere(tmp_path: Path, most: int, rows: list[int], on_disk: bool) -> None:
    """In stretches of about the length that is given; rows, numbers and files are those of reading all at once."""
    work = Work(tmp_path / "work")
    (tmp_path / "work").mkdir()
    captures = _capture(0, 1), _capture(2), _capture(3, 4, 5)
    tables = _read(tmp_path, *captures, room=Room(most, 2, lambda: work))

    assert [one.rows for one in tables.stretches] == rows
    assert (tables.work.folder is not None) is on_disk
    assert tables.frames["sport"].tolist() == list(range(5000, 5006))
    assert tables.frames["frame"].tolist() == [1, 2, 1, 1, 2, 3]
    assert [file for one in tables.stretches for file in one.file_of_rows().tolist()] == [0, 0, 1, 2, 2, 2]
