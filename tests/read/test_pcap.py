"""The pcap reader: every variant of the format, and damage."""

import struct
from pathlib import Path

import pytest

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read.file import CaptureFile
from tests.build import T0, pcap


def _read(path: Path, data: bytes) -> tuple[list[tuple[int, int, int, bytes]], CaptureFile]:
    path.write_bytes(data)
    capture = CaptureFile(str(path))
    found = []
    for batch in capture.batches():
        for i in range(len(batch)):
            start, size = int(batch.start[i]), int(batch.cap_len[i])
            packet = batch.buffer[start : start + size].tobytes()
            found.append((int(batch.time_ns[i]), size, int(batch.orig_len[i]), packet))
    return found, capture


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [True, False])
def test_both_byte_orders_and_time_units(tmp_path: Path, order: str, nano: bool) -> None:
    """Times are exact integers in ns, whatever the file's unit and byte order."""
    found, _ = _read(tmp_path / "a.pcap", pcap([(T0 + 1_234_567_000, b"abc")], order=order, nano=nano))

    assert found == [(T0 + 1_234_567_000, 3, 3, b"abc")]


def test_original_length_is_kept(tmp_path: Path) -> None:
    """A frame cut by the snap length still tells how long it was."""
    found, _ = _read(tmp_path / "a.pcap", pcap([(T0, b"x" * 100)], snap=60))

    assert found == [(T0, 60, 100, b"x" * 60)]


def test_modified_records_have_longer_headers(tmp_path: Path) -> None:
    """Kuznetzov's patched libpcap puts eight more bytes before each packet."""
    head = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    record = struct.pack("<IIII", 5, 6, 3, 3) + bytes(8) + b"abc"
    found, _ = _read(tmp_path / "a.pcap", head + record * 2)

    assert found == [(5_000_006_000, 3, 3, b"abc")] * 2


def test_lengths_stood_the_other_way_round_before_version_2_3(tmp_path: Path) -> None:
    """libpcap's sf-pcap.c swaps them for files of minor version 2."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 2, 0, 0, 65535, 1)
    found, _ = _read(tmp_path / "a.pcap", head + struct.pack("<IIII", 5, 6, 100, 3) + b"abc")

    assert found == [(5_000_006_000, 3, 100, b"abc")]


def test_fcs_length_is_not_part_of_the_link_type(tmp_path: Path) -> None:
    """The link type field's upper bits say that frames end in four bytes of checksum."""
    _, capture = _read(tmp_path / "a.pcap", pcap([(T0, b"abc")], link_type=1 | 0x0400_0000 | 2 << 28))

    assert (capture.info.interfaces[0].link_type, capture.info.interfaces[0].fcs_len) == (1, 4)


@pytest.mark.parametrize("cut", [1, 8, 15, 16, 20])
def test_a_cut_record_ends_the_file_and_keeps_what_was_before(tmp_path: Path, cut: int) -> None:
    """Damage is data: where, and what."""
    whole = pcap([(T0, b"first"), (T0, b"second")])
    found, capture = _read(tmp_path / "a.pcap", whole[:-cut])

    assert len(found) == 1
    assert capture.info.damage is not None
    assert capture.info.damage.offset == 24 + 16 + 5
    assert "cut" in capture.info.damage.problem


def test_an_unbelievable_length_ends_the_file(tmp_path: Path) -> None:
    """No record is longer than libpcap's largest snap length."""
    data = pcap([(T0, b"first")]) + struct.pack("<IIII", 1, 2, 0x7FFFFFFF, 0x7FFFFFFF)
    found, capture = _read(tmp_path / "a.pcap", data)

    assert len(found) == 1
    assert capture.info.damage is not None
    assert "2147483647" in capture.info.damage.problem


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1", b"hello world, this is no capture"])
def test_what_is_no_capture_is_an_error(tmp_path: Path, data: bytes) -> None:
    """A file that gives nothing raises, with its name."""
    with pytest.raises(InputError, match=r"a\.pcap"):
        _read(tmp_path / "a.pcap", data)


def test_an_unknown_version_is_an_error(tmp_path: Path) -> None:
    """Only version 2 is known."""
    with pytest.raises(UnknownFormatError, match=r"version 3\.4"):
        _read(tmp_path / "a.pcap", struct.pack("<IHHiIII", 0xA1B2C3D4, 3, 4, 0, 0, 0, 1))
