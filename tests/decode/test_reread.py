"""Chosen frames are read from captures once more: at their places in pcap files, by reading on in all others."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.run import Trace
from tests.build import T0, enhanced, ether, interface, ipv4, pcap, section, udp

FRAMES = [
    ether("02:00:00:00:00:01", "02:00:00:00:00:02", ipv4("10.0.0.1", "10.0.0.2", 17, udp(1000 + n, 9, b"x" * (n % 50))))
    for n in range(40)
]
RECORDS = [(T0 + n * 1000, frame) for n, frame in enumerate(FRAMES)]


def _modified() -> bytes:
    """Kuznetzov's records, with eight more bytes before each packet."""
    head = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    records = (struct.pack("<IIII", 5, n, len(f), len(f)) + bytes(8) + f for n, f in enumerate(FRAMES))
    return head + b"".join(records)


FORMATS = {
    "little.pcap": pcap(RECORDS),
    "big.pcap": pcap(RECORDS, order=">", nano=True),
    "modified.pcap": _modified(),
    "cut.pcap": pcap(RECORDS) + b"\1\2\3",
    "packed.pcap.gz": gzip.compress(pcap(RECORDS)),
    "next.pcapng": section() + interface() + b"".join(enhanced(0, *record) for record in RECORDS),
}


def _again(trace: Trace, rows: list[int]) -> dict[int, bytes]:
    return {row: data for row, data, _, _ in trace.read_again(np.array(rows, np.int64))}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_bytes_come_again(tmp_path: Path, name: str) -> None:
    """Whatever rows are asked for, in whatever order, twice or not at all."""
    (tmp_path / name).write_bytes(FORMATS[name])
    trace = analyze([tmp_path / name])

    for rows in ([], [0], [39, 0, 17, 17], list(range(40))):
        assert _again(trace, rows) == {row: FRAMES[row] for row in rows}


@pytest.mark.parametrize("packed", [False, True])
def test_rows_of_several_files_come_from_their_files(tmp_path: Path, packed: bool) -> None:
    """One of them is empty; the pieces of a rotated capture are one point."""
    pieces = {"a.pcap0": RECORDS[:10], "a.pcap1": RECORDS[10:25], "b.pcap": [], "c.pcap": RECORDS[25:]}
    for name, records in pieces.items():
        (tmp_path / name).write_bytes(gzip.compress(pcap(records)) if packed else pcap(records))
    trace = analyze([tmp_path / name for name in pieces])

    assert [point.frames for point in trace.points] == [25, 0, 15]
    for rows in ([0, 12, 30], list(range(40))):
        assert _again(trace, rows) == {row: FRAMES[row] for row in rows}


def test_lengths_on_the_wire_are_told(tmp_path: Path) -> None:
    """Also of frames that were cut."""
    (tmp_path / "a.pcap").write_bytes(pcap(RECORDS, snap=60))
    trace = analyze([tmp_path / "a.pcap"])

    found = [(len(data), length) for _, data, length, _ in trace.read_again(np.array([3, 39]))]
    assert found == [(min(len(FRAMES[n]), 60), len(FRAMES[n])) for n in (3, 39)]


def test_what_is_not_there_any_more_is_left_out(tmp_path: Path) -> None:
    """The file was shortened meanwhile, or taken away."""
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(RECORDS))
    trace = analyze([path])

    path.write_bytes(pcap(RECORDS)[:1000])
    kept = _again(trace, list(range(40)))
    assert kept == dict(enumerate(FRAMES[: len(kept)]))
    assert 0 < len(kept) < 40
    path.unlink()
    assert _again(trace, [0, 1]) == {}
