"""Frames are counted in whatever pieces a capture comes."""

import struct

import pytest

from analyzer.record.counted import Counted

LENGTHS = (60, 0, 1500, 17, 256)


def _capture(order: str) -> bytes:
    """Write a capture as a machine of that byte order does."""
    head = struct.pack(f"{order}IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(struct.pack(f"{order}IIII", 1, 2, size, size) + bytes(size) for size in LENGTHS)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [1, 2, 7, 16, 40, 1000, 10_000])
def test_pieces_of_any_size(order: str, size: int) -> None:
    """Headers and data may be cut anywhere."""
    data, counted = _capture(order), Counted()
    for begin in range(0, len(data), size):
        counted.take(data[begin : begin + size])

    assert counted.frames == len(LENGTHS)


def test_a_record_that_began_counts() -> None:
    """Its header is there; its data is on its way."""
    counted = Counted()
    counted.take(_capture("<")[: 24 + 16 + 10])

    assert counted.frames == 1
