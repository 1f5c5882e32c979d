"""Records that follow each other: found by what is compiled, and without it."""

import struct

import numpy as np
import pytest

from analyzer.read.records import FRONT
from analyzer.read.walk import Shape, unaligned, walk
from analyzer.schema import Bytes

pytestmark = pytest.mark.usefixtures("either_way")
WORDS = Shape(header=8, length_at=4, base=2, minimum=10, maximum=30, multiple=4, signature_at=0)
"""Records whose total length is two more than they say, and divisible by four."""


def _chain(*totals: int, order: str = "<", rest: bytes = b"") -> tuple[Bytes, int]:
    """Return a buffer of records of these lengths, and where it ends."""
    body = b"".join(struct.pack(f"{order}II", 7, total - 2) + bytes(max(total - 8, 0)) for total in totals) + rest
    buffer = np.full(FRONT + len(body) + 512, 0xFF, np.uint8)
    buffer[FRONT : FRONT + len(body)] = np.frombuffer(body, np.uint8)
    return buffer, FRONT + len(body)


@pytest.mark.parametrize(
    ("totals", "rest", "starts", "stop", "broken"),
    [
        ((12, 28, 12), b"", [0, 12, 40], 52, False),
        ((12,), bytes(7), [0], 12, False),
        ((12,), struct.pack("<II", 7, 10) + bytes(3), [0], 12, False),
        ((12,), struct.pack("<II", 7, 10), [0], 12, False),
        ((12, 8), b"", [0], 12, True),
        ((12, 32), b"", [0], 12, True),
        ((12, 14), b"", [0], 12, True),
        ((12,), struct.pack("<II", 7, 30), [0], 12, True),
        ((12,), struct.pack("<II", 7, 0xFFFF_FFFE), [0], 12, True),
        ((), b"", [], 0, False),
        ((), bytes(7), [], 0, False),
        ((32,), b"", [], 0, True),
    ],
    ids=[
        "whole", "cut header", "cut by a byte", "only a header", "too short", "too long", "not a multiple",
        "too long and cut", "far too long", "nothing", "less than a header", "broken at once",
    ],
)  # fmt: skip
def test_where_a_walk_ends(totals: tuple[int, ...], rest: bytes, starts: list[int], stop: int, broken: bool) -> None:
    """At the end, or before a record that is not all there, or before one whose length cannot be."""
    buffer, end = _chain(*totals, rest=rest)
    found = walk(buffer, FRONT, end, WORDS, "<")

    assert found.start.tolist() == [FRONT + start for start in starts]
    assert found.start.dtype == np.int64
    assert (found.stop, found.broken) == (FRONT + stop, broken)


@pytest.mark.parametrize(
    ("minimum", "maximum", "multiple", "count"),
    [(12, 12, 4, 3), (13, 30, 1, 0), (10, 11, 1, 0), (10, 30, 5, 0), (12, 30, 12, 3)],
)
def test_the_bounds_of_a_length(minimum: int, maximum: int, multiple: int, count: int) -> None:
    """Both are believable themselves."""
    buffer, end = _chain(12, 12, 12)
    shape = Shape(8, 4, 2, minimum, maximum, multiple, 0)

    assert len(walk(buffer, FRONT, end, shape, "<").start) == count


def test_the_byte_order_of_lengths() -> None:
    """The caller knows it."""
    buffer, end = _chain(12, 16, order=">")

    assert walk(buffer, FRONT, end, WORDS, ">").start.tolist() == [FRONT, FRONT + 12]
    assert walk(buffer, FRONT, end, WORDS, "<").broken


def test_items_at_every_byte() -> None:
    """Each is read from its own byte on, the last one ends at the buffer's end."""
    found = unaligned(np.array([1, 2, 3, 4, 5, 6], np.uint8), ">u4")

    assert found.tolist() == [0x01020304, 0x02030405, 0x03040506]


@pytest.mark.parametrize("order", ["<", ">"])
def test_words_of_records(order: str) -> None:
    """At the offsets that somebody names, of every record that was found; also where there is none."""
    buffer, end = _chain(12, 28, 12, order=order)
    found = walk(buffer, FRONT, end, WORDS, order, (4, 0, -8, -12))

    assert found.words.tolist() == [[10, 26, 10], [7, 7, 7], [10, 0, 10], [7, 0, 7]]
    assert walk(buffer, FRONT, end, WORDS, order).words.shape == (0, 3)
    assert walk(buffer, FRONT, FRONT, WORDS, order, (4, 0)).words.shape == (2, 0)
