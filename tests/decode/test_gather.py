"""Bytes of many frames come to rows as they lie in the buffer, wherever the frames have them."""

import numpy as np
import pytest

from analyzer.decode.gather import NEAR, Gather, u16, u32, u48, u64
from analyzer.schema import Int64

BUFFER = np.random.default_rng(3).integers(0, 256, 4000, np.uint8)
START = np.arange(8, dtype=np.int64) * 300


def _expected(at: Int64, width: int) -> list[bytes]:
    return [BUFFER[place : place + width].tobytes() for place in at.tolist()]


def _found(gather: Gather, at: Int64, width: int) -> list[bytes]:
    return [row.tobytes() for row in gather.rows(at, width)]


@pytest.mark.parametrize(
    "offsets",
    [
        [14] * 8,
        [14] * 7 + [18],
        [18] + [14] * 7,
        [14] * 6 + [18, 22],
        [0, 14, 18, 22, 34, 38, 42, 54],
        [NEAR - 20] * 8,
        [NEAR - 19] * 8,
        [NEAR - 19] * 7 + [200],
        [-4] * 8,
    ],
    ids=str,
)
def test_rows_are_the_bytes_at_their_places(offsets: list[int]) -> None:
    """Whether all frames have a header at one place, most of them, or each at its own; also far inside a frame."""
    at = START + 100 + np.array(offsets, np.int64)
    gather = Gather(BUFFER, START + 100)

    assert _found(gather, at, 20) == _expected(at, 20)


def test_what_one_frame_has_elsewhere_is_not_taken_for_others() -> None:
    """Rows that were given once do not change what is given later."""
    gather = Gather(BUFFER, START)
    elsewhere = START + 14
    elsewhere[-1] += 40
    gather.rows(elsewhere, 20)

    assert _found(gather, START + 14, 20) == _expected(START + 14, 20)


def test_fewer_frames_are_looked_at_by_their_own_places() -> None:
    """Some frames of all, and others in the same buffer."""
    gather, some = Gather(BUFFER, START), START[[6, 2]] + 14

    assert _found(gather, some, 8) == _expected(some, 8)
    assert _found(gather.at(some), some + 3, 8) == _expected(some + 3, 8)
    assert len(gather.rows(START[:0], 8)) == 0


def test_behind_the_buffer_its_last_bytes_are_read() -> None:
    """No place is outside of memory."""
    at = np.array([len(BUFFER) - 8, len(BUFFER) - 7, 10**9])

    assert _found(Gather(BUFFER, START), at, 8) == [BUFFER[-8:].tobytes()] * 3


def test_numbers_are_big_endian() -> None:
    """Of two, four, six and eight bytes, at any column; six also where no eight follow."""
    rows = np.arange(1, 25, dtype=np.uint8).reshape(2, 12)

    assert u16(rows, 3).tolist() == [0x0405, 0x1011]
    assert u32(rows, 1).tolist() == [0x02030405, 0x0E0F1011]
    assert u64(rows, 0).tolist() == [0x0102030405060708, 0x0D0E0F1011121314]
    for at in range(7):
        assert u48(rows, at).tolist() == [int.from_bytes(row[at : at + 6].tobytes(), "big") for row in rows]
    assert u48(np.full((1, 8), 255, np.uint8), 0).tolist() == [(1 << 48) - 1]
