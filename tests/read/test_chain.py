"""Records one after the other, in windows that are smaller than the file."""

import io

import pytest

from analyzer.read.pcap import read_pcap
from analyzer.read.records import Damage, FileInfo
from analyzer.read.source import Window, buffer
from tests.build import T0, pcap

SIZE = 2000
"""Bytes of the window."""


def _read(data: bytes) -> tuple[list[tuple[bool, int, int]], FileInfo]:
    """Return whether each batch is in the memory that was there at first, its first frame, and how many it has."""
    info, memory = FileInfo("a.pcap"), buffer(SIZE)
    window = Window(io.BytesIO(data), memory)
    window.fill()
    return [(b.buffer is memory, b.first_frame, len(b)) for b in read_pcap(window, info)], info


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([1500] * 4, [(True, 1, 1), (True, 2, 1), (True, 3, 1), (True, 4, 1)]),
        ([500, 1800, 500], [(True, 1, 1), (True, 2, 1), (True, 3, 1)]),
        ([984] * 4, [(True, 1, 2), (True, 3, 2)]),
        ([SIZE - 16] * 2, [(True, 1, 1), (True, 2, 1)]),
        ([5, SIZE - 15, 6, 7], [(True, 1, 1), (False, 2, 3)]),
        ([SIZE * 5], [(False, 1, 1)]),
        ([], []),
    ],
    ids=[
        "small records",
        "one that is cut by a window",
        "whole windows",
        "as large as a window",
        "larger by one",
        "much larger",
        "none",
    ],
)
def test_a_window_grows_only_for_a_record_that_is_larger(
    sizes: list[int], batches: list[tuple[bool, int, int]]
) -> None:
    """Its memory is somebody else's, who reads it in place; frames are numbered through all of them."""
    found, info = _read(pcap([(T0, bytes(size)) for size in sizes]))

    assert found == batches
    assert (info.frames, info.damage) == (len(sizes), None)


@pytest.mark.parametrize(("kept", "left"), [(1, 1), (15, 15), (16, 16), (1515, 1515)])
def test_a_record_that_is_cut_in_a_later_window(kept: int, left: int) -> None:
    """Its place is the file's, and what is left of it is told."""
    whole = 24 + 5 * 1516
    found, info = _read(pcap([(T0, bytes(1500))] * 6)[: whole + kept])

    assert sum(count for _, _, count in found) == 5
    assert info.damage == Damage(whole, f"record cut: {left} bytes left of it")


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_unbelievable_length_in_a_later_window(order: str) -> None:
    """Likewise; the length is read in the file's byte order."""
    whole = pcap([(T0, bytes(1500))] * 5, order=order)
    found, info = _read(whole + pcap([(T0, b"abc")], order=order)[24:32] + b"\x01\x02\x03\x04" + bytes(4000))

    assert sum(count for _, _, count in found) == 5
    length = 0x01020304 if order == ">" else 0x04030201
    assert info.damage == Damage(len(whole), f"record of {length} bytes, at most 262144 are believable")
