"""Compressed captures, whole and cut, and windows smaller than a record."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from analyzer.capture.read import CaptureFile
from analyzer.capture.source import Buffers
from analyzer.errors import InputError
from tests.build import T0, pcap

RECORDS = [(T0 + i, bytes([i % 256]) * (i * 7 % 1500)) for i in range(300)]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_compression_is_told_by_the_bytes(tmp_path: Path, name: str) -> None:
    """The file's name does not matter."""
    path = tmp_path / "capture"
    path.write_bytes(COMPRESSORS[name](pcap(RECORDS)))
    capture = CaptureFile(str(path))

    assert sum(len(batch) for batch in capture.batches()) == len(RECORDS)
    assert capture.info.damage is None


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_cut_compressed_file_keeps_what_can_be_read(tmp_path: Path, name: str) -> None:
    """It ends with damage, not with an exception."""
    path = tmp_path / "capture"
    whole = COMPRESSORS[name](pcap(RECORDS))
    path.write_bytes(whole[: len(whole) * 2 // 3])
    try:
        capture = CaptureFile(str(path))
        count = sum(len(batch) for batch in capture.batches())
    except InputError:
        count = 0  # one compressed block held everything

    assert count < len(RECORDS)
    assert count == 0 or capture.info.damage is not None


def test_a_small_window_gives_the_same(tmp_path: Path) -> None:
    """Records that straddle windows, and records larger than one, are read whole."""
    path = tmp_path / "capture"
    path.write_bytes(pcap(RECORDS))
    capture = CaptureFile(str(path), buffers=Buffers(1, np.zeros, 4096))
    sizes = [int(size) for batch in capture.batches() for size in batch.cap_len]

    assert sizes == [len(packet) for _, packet in RECORDS]


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """A missing file and a folder."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError):
            CaptureFile(str(path))


def test_what_expands_without_end_is_stopped(tmp_path: Path) -> None:
    """Every 16 zero bytes are an empty record; a few hundred compressed bytes hold millions."""
    path = tmp_path / "capture"
    path.write_bytes(zstandard.compress(pcap([]) + bytes(64 << 20)))
    capture = CaptureFile(str(path), buffers=Buffers(1, np.zeros, 1 << 20))
    count = sum(len(batch) for batch in capture.batches())

    assert count < 1 << 18
    assert capture.info.damage is not None
    assert "1000-fold" in capture.info.damage.problem
