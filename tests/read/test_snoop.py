"""The snoop reader: records, link types, and damage."""

import struct
from pathlib import Path

import pytest

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read.file import CaptureFile
from analyzer.read.records import LINKTYPE_ETHERNET, LINKTYPE_NONE, Interface

Row = tuple[int, int, int, bytes]


def _header(version: int = 2, datalink: int = 4) -> bytes:
    return b"snoop\0\0\0" + struct.pack(">II", version, datalink)


def _record(packet: bytes, orig: int, seconds: int, micros: int, pad: int = 0, cap: int | None = None) -> bytes:
    cap_len = len(packet) if cap is None else cap
    head = struct.pack(">IIIIII", orig, cap_len, 24 + len(packet) + pad, 99, seconds, micros)
    return head + packet + b"\xee" * pad


def _read(path: Path, data: bytes) -> tuple[list[Row], CaptureFile]:
    path.write_bytes(data)
    capture = CaptureFile(str(path))
    found: list[Row] = []
    for batch in capture.batches():
        for i in range(len(batch)):
            start, size = int(batch.start[i]), int(batch.cap_len[i])
            packet = batch.buffer[start : start + size].tobytes()
            found.append((batch.first_frame + i, int(batch.time_ns[i]), int(batch.orig_len[i]), packet))
    return found, capture


def test_records(tmp_path: Path) -> None:
    """Times have microseconds, padding is no part of a packet, and what was cut tells how long it was."""
    data = _header() + _record(b"abc", 3, 5, 6, pad=1) + _record(b"", 0, 5, 7) + _record(b"defgh", 1500, 2, 999_999, 3)
    found, capture = _read(tmp_path / "a.snoop", data)

    assert found == [(1, 5_000_006_000, 3, b"abc"), (2, 5_000_007_000, 0, b""), (3, 2_999_999_000, 1500, b"defgh")]
    assert capture.info.interfaces == [Interface(LINKTYPE_ETHERNET, 0)]
    assert (capture.info.big_endian, capture.info.frames, capture.info.damage) == (True, 3, None)


def test_a_packet_does_not_reach_beyond_its_record(tmp_path: Path) -> None:
    """A record that says to hold more than it has room for, holds what it has."""
    found, _ = _read(tmp_path / "a.snoop", _header() + _record(b"abcd", 2, 0, 0, cap=100) + _record(b"e", 1, 0, 0))

    assert found == [(1, 0, 4, b"abcd"), (2, 0, 1, b"e")]


@pytest.mark.parametrize("datalink", [0, 3, 5, 8])
def test_other_links_are_not_ethernet(tmp_path: Path, datalink: int) -> None:
    """Their records are counted, and not decoded."""
    found, capture = _read(tmp_path / "a.snoop", _header(datalink=datalink) + _record(b"abc", 3, 0, 0))

    assert len(found) == 1
    assert capture.info.interfaces == [Interface(LINKTYPE_NONE, 0)]


@pytest.mark.parametrize("version", [1, 3])
def test_only_version_2_is_known(tmp_path: Path, version: int) -> None:
    """Others are refused, with their version."""
    with pytest.raises(UnknownFormatError, match=rf"^a\.snoop: snoop version {version} at byte 8, known is 2$"):
        _read(tmp_path / "a.snoop", _header(version=version))


@pytest.mark.parametrize("size", [8, 15])
def test_a_cut_file_header(tmp_path: Path, size: int) -> None:
    """It is told how much of it there is."""
    with pytest.raises(InputError, match=rf"^a\.snoop: snoop file header cut: needed 16 bytes, found {size}$"):
        _read(tmp_path / "a.snoop", _header()[:size])


def test_a_header_alone_is_a_capture_of_nothing(tmp_path: Path) -> None:
    """It has no frames and no damage."""
    found, capture = _read(tmp_path / "a.snoop", _header())

    assert (found, capture.info.damage) == ([], None)


@pytest.mark.parametrize("magic", [b"snoop\0\0\1", b"snoop\0\0", b"Snoop\0\0\0"])
def test_another_magic_is_no_snoop(tmp_path: Path, magic: bytes) -> None:
    """All eight bytes count."""
    with pytest.raises(UnknownFormatError, match="neither pcap nor pcapng"):
        _read(tmp_path / "a.snoop", magic)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (_record(b"abc", 3, 0, 0)[:-1], "record cut: 26 bytes left of it"),
        (_record(b"abc", 3, 0, 0)[:23], "record cut: 23 bytes left of it"),
        (struct.pack(">IIIIII", 9, 7, 23, 0, 0, 0), "record of 7 bytes, at most 262144 are believable"),
        (struct.pack(">IIIIII", 9, 8, 24 + 262_144 + 65, 0, 0, 0), "record of 8 bytes, at most 262144 are believable"),
    ],
    ids=["cut packet", "cut header", "shorter than its header", "too long"],
)
def test_damage_ends_the_file_and_keeps_what_was_before(tmp_path: Path, bad: bytes, problem: str) -> None:
    """It has its place and its reason."""
    good = _header() + _record(b"abc", 3, 5, 6, pad=1)
    found, capture = _read(tmp_path / "a.snoop", good + bad)

    assert found == [(1, 5_000_006_000, 3, b"abc")]
    assert capture.info.damage is not None
    assert (capture.info.damage.offset, capture.info.damage.problem) == (len(good), problem)


def test_the_longest_record(tmp_path: Path) -> None:
    """A packet of libpcap's largest snap length, and 64 bytes of padding."""
    found, capture = _read(tmp_path / "a.snoop", _header() + _record(b"x" * 262_144, 262_144, 0, 0, pad=64))

    assert [len(packet) for _, _, _, packet in found] == [262_144]
    assert capture.info.damage is None


def test_what_its_beginning_declares(tmp_path: Path) -> None:
    """Nothing but the link type, which is known when it is read."""
    path = tmp_path / "a.snoop"
    path.write_bytes(_header())
    capture = CaptureFile(str(path))

    assert (capture.declared(), capture.link_type, capture.snap_len) == ([], LINKTYPE_NONE, 0)
    capture.close()
