"""What a capture tells of itself before it is read, and what is read of it otherwise than in order."""

import gc
import gzip
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read import file as module
from analyzer.read.file import CaptureFile
from analyzer.read.records import LINKTYPE_NONE, MAX_RECORD, Interface
from analyzer.read.source import buffer
from analyzer.schema import Array, Int64
from tests.build import T0, block, enhanced, interface, option, pcap, section

RECORDS = [(T0 + n * 1000, bytes([n]) * (n * 5)) for n in range(1, 21)]


def _open(path: Path, data: bytes) -> CaptureFile:
    path.write_bytes(data)
    return CaptureFile(str(path))


def _statistics(number: int, dropped: int, order: str = "<") -> bytes:
    body = struct.pack(f"{order}III", number, 0, 0) + option(5, struct.pack(f"{order}Q", dropped), order)
    return block(5, body, order)


def test_how_a_file_is_called(tmp_path: Path) -> None:
    """By its base name; a copy of stdin has the name that stands for it."""
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([]))
    names = []
    for shown in (None, "folder/b.pcap", "-"):
        capture = CaptureFile(str(path), shown)
        names.append(capture.info.name)
        capture.close()

    assert names == ["a.pcap", "b.pcap", "stdin"]


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (b"", InputError, "shown: empty file"),
        (gzip.compress(b""), InputError, "shown: empty file"),
        (b"\x01\x02\x03\x04\x05", UnknownFormatError, "shown: neither pcap nor pcapng: begins with 01020304"),
        (b"\x01\x02", UnknownFormatError, "shown: neither pcap nor pcapng: begins with 0102"),
        (
            gzip.compress(b"")[:12],
            InputError,
            "shown: cannot read on: Compressed file ended before the end-of-stream marker was reached",
        ),
    ],
    ids=["empty", "empty when unpacked", "other bytes", "two bytes", "cut"],
)
def test_what_is_no_capture(tmp_path: Path, data: bytes, kind: type[InputError], problem: str) -> None:
    """It is told why, and what it is called."""
    (tmp_path / "a.pcap").write_bytes(data)
    with pytest.raises(InputError) as error:
        CaptureFile(str(tmp_path / "a.pcap"), "shown")

    assert (type(error.value), str(error.value)) == (kind, problem)


@pytest.mark.parametrize(
    ("data", "declared", "link_type", "snap_len"),
    [
        (pcap([], snap=96, link_type=113), [Interface(113, 96, units_per_second=1_000_000_000)], 113, 96),
        (pcap([], snap=0), [Interface(1, 0, units_per_second=1_000_000_000)], 1, 0),
        (pcap([], snap=MAX_RECORD), [Interface(1, MAX_RECORD, units_per_second=1_000_000_000)], 1, 0),
        (pcap([], snap=MAX_RECORD - 1), [Interface(1, MAX_RECORD - 1, units_per_second=1_000_000_000)], 1, 262_143),
        (pcap([])[:23], [], LINKTYPE_NONE, 0),
        (pcap([])[:24], [Interface(1, MAX_RECORD, units_per_second=1_000_000_000)], 1, 0),
        (
            section() + interface(113, 128) + interface(1, 1) + interface(1, 0) + enhanced(0, 1, b"abc"),
            [Interface(113, 128), Interface(1, 1), Interface(1, 0)],
            113,
            1,
        ),
        (section(">") + interface(276, 9, order=">"), [Interface(276, 9)], 276, 9),
        (section() + enhanced(0, 1, b"abc") + interface(1), [], LINKTYPE_NONE, 0),
        (section() + interface(1, 5) + section() + interface(1, 4), [Interface(1, 5), Interface(1, 4)], 1, 4),
        (section() + interface(1, 5) + interface(1, 4)[:-1], [Interface(1, 5), Interface(1, 4)], 1, 4),
        (section() + interface(1, 5) + interface(1, 4)[:15], [Interface(1, 5)], 1, 5),
        (section() + interface(1, 5) + block(1, b"\x01\0\0\0"), [Interface(1, 5)], 1, 5),
        (section() + interface(1, 5) + struct.pack("<3I", 0x0A0D0D0A, 0, 0) + interface(1, 4), [Interface(1, 5)], 1, 5),
    ],
)  # fmt: skip
def test_what_its_beginning_declares(
    tmp_path: Path, data: bytes, declared: list[Interface], link_type: int, snap_len: int
) -> None:
    """Interfaces before the first packet; the smallest limit is the one that counts, and the first link type."""
    capture = _open(tmp_path / "a", data)

    assert (capture.declared(), capture.link_type, capture.snap_len) == (declared, link_type, snap_len)
    capture.close()


def test_interfaces_far_from_the_beginning(tmp_path: Path) -> None:
    """64 KiB are looked at; an interface that begins behind them is not declared there."""
    long = interface(1, options=option(3, b"x" * 32_720))
    capture = _open(tmp_path / "a", section() + interface(113, options=option(2, b"eth0")) + long * 2 + interface(1))

    assert [i.name for i in capture.declared()] == ["eth0", None, None]
    capture.close()


@pytest.mark.parametrize("order", ["<", ">"])
def test_drops_that_a_files_end_tells(tmp_path: Path, order: str) -> None:
    """By interface, the last ones of each; what is before the last packet is not looked at."""
    data = section(order) + interface(1, order=order) + interface(1, order=order) + interface(1, order=order)
    data += _statistics(2, 99, order) + enhanced(0, 1, b"abc", order=order)
    data += _statistics(0, 1, order) + _statistics(0, 7, order) + block(4, b"", order) + _statistics(1, 0, order)
    capture = _open(tmp_path / "a", data)

    assert capture.final_drops() == {0: 7, 1: 0}
    capture.close()


@pytest.mark.parametrize(
    "tail",
    [
        enhanced(0, 1, b"abc"),
        block(3, struct.pack("<I", 3) + b"abc"),
        block(2, bytes(20)),
        _statistics(0, 5)[:-4] + struct.pack("<I", 8),
        _statistics(0, 5)[:-4] + struct.pack("<I", 1 << 30),
        block(5, bytes(12)),
        b"\0\0\0\0",
    ],
    ids=["packet", "simple packet", "obsolete packet", "short block", "long block", "says nothing", "no block"],
)
def test_an_end_that_tells_nothing_of_drops(tmp_path: Path, tail: bytes) -> None:
    """Packets, and whatever is no block, end the search."""
    capture = _open(tmp_path / "a", section() + interface(1) + block(4, b"") + tail)

    assert capture.final_drops() == {}
    capture.close()


@pytest.mark.parametrize(("before", "drops"), [(0, {0: 4, 1: 6}), (4, {1: 6})])
def test_only_the_end_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, drops: dict[int, int]
) -> None:
    """Blocks that are all within it."""
    end = _statistics(0, 4) + _statistics(1, 6)
    monkeypatch.setattr(module, "TAIL", len(end) - before)
    capture = _open(tmp_path / "a", section() + interface(1) + enhanced(0, 1, b"abc") + end)

    assert capture.final_drops() == drops
    capture.close()


def test_which_files_end_without_drops(tmp_path: Path) -> None:
    """Compressed ones cannot be read from their end, pcap does not have them, and one may be gone."""
    data = section() + interface(1) + _statistics(0, 4)
    gone = _open(tmp_path / "gone", data)
    (tmp_path / "gone").unlink()
    captures = [_open(tmp_path / "packed", gzip.compress(data)), _open(tmp_path / "pcap", pcap(RECORDS)), gone]

    assert [capture.final_drops() for capture in captures] == [{}, {}, {}]
    for capture in captures:
        capture.close()


@pytest.mark.parametrize(
    ("size", "packed", "frames"),
    [
        (100, False, 1024),
        (128_000, False, 2000),
        (128_063, False, 2000),
        (64_000, True, 10_000),
        (64 * 10**8, False, 50_000_000),
    ],
)
def test_how_many_frames_are_likely(tmp_path: Path, size: int, packed: bool, frames: int) -> None:
    """One for 64 bytes, ten times as many where it is compressed; at least 1024, at most 50 million."""
    data = pcap(RECORDS)
    capture = _open(tmp_path / "a", gzip.compress(data) if packed else data)
    capture.size = size

    assert capture.likely_frames() == frames
    capture.close()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_how_many_frames_are_expected(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """As many as there are where all are alike, for a file of this size; a compressed one is ten times as large."""
    data = pcap([(T0, bytes(84))] * 1000)
    path = tmp_path / "a"
    path.write_bytes(pack(data))
    capture = CaptureFile(str(path), memory=buffer(20_000))
    size = len(pack(data)) * (1 if pack is bytes else 10)

    assert capture.size == len(pack(data))
    assert (
        capture.expected_frames() == size * 200 // 19_984
    )  # the first window holds 200 records, from packet to packet


@pytest.mark.parametrize("data", [pcap([]), struct.pack("<IHHiIII", 0xA1B2C3D4, 3, 4, 0, 0, 0, 1), pcap([])[:20]])
def test_a_file_without_frames(tmp_path: Path, data: bytes) -> None:
    """None are expected, and none has a time; damage is told later."""
    assert _open(tmp_path / "a", data).expected_frames() == 0
    assert _open(tmp_path / "a", data).first_ns() is None


def test_one_empty_frame(tmp_path: Path) -> None:
    """It takes no bytes, and is a frame."""
    assert _open(tmp_path / "a", pcap([(T0, b"")])).expected_frames() == 40


def test_the_time_of_the_first_record(tmp_path: Path) -> None:
    """The first in the file, not the earliest."""
    assert _open(tmp_path / "a", pcap([(T0 + 5, b"a"), (T0, b"b")])).first_ns() == T0 + 5


def test_how_much_was_read(tmp_path: Path) -> None:
    """Bytes of the file as it is stored, and as far as it was asked for."""
    data = pcap([(T0, bytes(84))] * 100)
    for name, packed in (("plain", data), ("packed", gzip.compress(data))):
        (tmp_path / name).write_bytes(packed)
        capture = CaptureFile(str(tmp_path / name), memory=buffer(1000))
        first = capture.position
        batches = capture.batches()
        next(batches)
        next(batches)
        second = capture.position
        capture.close()

        assert (first, second) == ((1000, 2024) if name == "plain" else (len(packed), len(packed)))


NUMBERS = [1, 3, 20, 7, 7]


def _asked(capture: CaptureFile, numbers: list[int]) -> tuple[Int64, Array]:
    """Return where some frames begin, and their lengths."""
    read = [(capture.places_of(records), records.cap_len) for records in capture.batches()]
    places, lengths = (np.concatenate(columns) for columns in zip(*read, strict=True))
    chosen = np.array(numbers, np.int64) - 1
    return places[chosen], lengths[chosen]


def _modified() -> bytes:
    data = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    return data + b"".join(struct.pack("<IIII", 5, 6, len(p), len(p)) + bytes(8) + p for _, p in RECORDS)


@pytest.mark.parametrize(
    "data",
    [pcap(RECORDS), _modified(), section() + interface(1) + b"".join(enhanced(0, 1, p) for _, p in RECORDS)],
    ids=["pcap", "modified", "pcapng"],
)
def test_chosen_frames(tmp_path: Path, data: bytes) -> None:
    """Where a frame was, it is again; in any order, as often as asked for."""
    capture = _open(tmp_path / "a", data)

    assert not capture.packed
    assert list(capture.frames_at(*_asked(capture, NUMBERS))) == [RECORDS[number - 1][1] for number in NUMBERS]


def test_chosen_frames_of_a_file_that_became_shorter(tmp_path: Path) -> None:
    """Those before the first that is not all there any more."""
    capture = _open(tmp_path / "a", pcap(RECORDS))
    asked = _asked(capture, [1, 20, 2])
    (tmp_path / "a").write_bytes(pcap(RECORDS)[:-1])

    assert list(capture.frames_at(*asked)) == [RECORDS[0][1]]


def test_no_frame_is_chosen(tmp_path: Path) -> None:
    """None is given."""
    capture = _open(tmp_path / "a", pcap(RECORDS))

    assert list(capture.frames_at(*_asked(capture, []))) == []


def test_a_compressed_file(tmp_path: Path) -> None:
    """It has to be read from the beginning."""
    capture = _open(tmp_path / "a", gzip.compress(pcap(RECORDS)))

    assert capture.packed
    capture.close()


def _is_open(path: Path) -> bool:
    gc.collect()
    return str(path) in {os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize(
    "read",
    [
        CaptureFile.close,
        CaptureFile.first_ns,
        CaptureFile.expected_frames,
        lambda capture: list(capture.batches()),
        lambda capture: next(capture.batches()),
    ],
    ids=["closed", "its first time", "how many frames", "all of it", "some of it"],
)
@pytest.mark.parametrize("data", [pcap(RECORDS), pcap([])], ids=["frames", "none"])
def test_a_capture_is_closed(tmp_path: Path, read: Callable[[CaptureFile], object], data: bytes) -> None:
    """However much of it was read."""
    path = tmp_path / "a"
    path.write_bytes(data)
    with suppress(StopIteration):
        read(CaptureFile(str(path)))

    assert not _is_open(path)


def test_what_is_no_capture_is_closed(tmp_path: Path) -> None:
    """Nobody will ask it for anything."""
    path = tmp_path / "a"
    path.write_bytes(b"no capture")
    with pytest.raises(UnknownFormatError):
        CaptureFile(str(path))

    assert not _is_open(path)


@pytest.mark.parametrize("size", [200, 1 << 16])
def test_where_a_frame_begins(tmp_path: Path, size: int) -> None:
    """In the file, however large the window is that it is seen in."""
    packets = [bytes([number]) * 50 for number in range(20)]
    data = pcap([(T0 + number, packet) for number, packet in enumerate(packets)])
    (tmp_path / "a.pcap").write_bytes(data)
    capture = CaptureFile(str(tmp_path / "a.pcap"), memory=buffer(size))
    places = [place for records in capture.batches() for place in capture.places_of(records).tolist()]

    assert [data[place : place + 50] for place in places] == packets
