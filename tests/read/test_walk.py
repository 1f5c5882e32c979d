"""Walking records in lockstep gives the same as walking them one by one."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.read import walk as module
from analyzer.read.records import FRONT, MAX_RECORD
from analyzer.read.walk import Shape, Walk, unaligned, walk
from analyzer.schema import Array, Bytes, Int64
from tests.build import T0, pcap

SHAPE = Shape(16, 8, 16, 16, 16 + MAX_RECORD, 1, 2)


def _buffer(sizes: list[int], cut: int, flips: list[int]) -> np.ndarray:  # type: ignore[type-arg]
    data = bytearray(pcap([(T0 + i, bytes([i % 251]) * size) for i, size in enumerate(sizes)])[24:])
    for flip in flips:
        data[flip % len(data)] ^= 0x55
    body = bytes(data[: len(data) - cut])
    buffer = np.zeros(FRONT + len(body) + 512, np.uint8)
    buffer[FRONT : FRONT + len(body)] = np.frombuffer(body, np.uint8)
    return buffer


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3000), min_size=200, max_size=400),
    st.integers(0, 40),
    st.lists(st.integers(0, 1 << 20), max_size=2),
)
def test_lockstep_equals_serial(sizes: list[int], cut: int, flips: list[int]) -> None:
    """On whole, cut and corrupt chunks alike; a wrong guess must never change the result."""
    buffer = _buffer(sizes, cut, flips)
    end = len(buffer) - 512
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL", 4096)
        fast = walk(buffer, FRONT, end, SHAPE, "<")
        patch.setattr(module, "SMALL", 1 << 60)
        plain = walk(buffer, FRONT, end, SHAPE, "<")

    assert fast.start.tolist() == plain.start.tolist()
    assert (fast.stop, fast.broken) == (plain.stop, plain.broken)


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


CHUNK = _buffer([(n * 37) % 200 for n in range(4000)], 0, [])
"""4000 records, some 460 kB."""


@pytest.fixture
def serial(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Chunks of any size are walked in lockstep; returns where serial walks begin."""
    begins: list[int] = []
    plain = module._serial

    def told(lengths: Array, begin: int, end: int, shape: Shape) -> Walk:
        begins.append(begin)
        return plain(lengths, begin, end, shape)

    monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(module, "_serial", told)
    return begins


def test_starts_are_guessed_all_over_a_chunk(serial: list[int]) -> None:
    """Records that look alike are found by nearly every walker, and only the end is walked one by one."""
    end = len(CHUNK) - 512
    starts = module._guess(CHUNK, unaligned(CHUNK, "<u4"), FRONT, end, SHAPE)
    found = walk(CHUNK, FRONT, end, SHAPE, "<")
    stride = (end - FRONT) // 320

    assert starts[0] == FRONT
    assert np.isin(starts, found.start).all()
    assert 300 <= len(starts) <= 320
    assert (np.diff(starts) > 0).all()
    assert np.diff(starts).max() < 2 * stride + 400
    assert serial == [starts[-1]]
    assert len(found.start) == 4000


def test_a_wrong_guess_is_found_out(serial: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunk is then walked one by one from its beginning."""
    end = len(CHUNK) - 512
    right = walk(CHUNK, FRONT, end, SHAPE, "<")
    wrong = np.array([FRONT, int(right.start[10]) + 1, int(right.start[20])])
    monkeypatch.setattr(module, "_guess", lambda *_: wrong)
    serial.clear()
    found = walk(CHUNK, FRONT, end, SHAPE, "<")

    assert serial == [FRONT]
    assert found.start.tolist() == right.start.tolist()


@pytest.mark.parametrize("size", [3000, 2999])
def test_only_large_chunks_are_walked_in_lockstep(
    serial: list[int], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Guessing costs more than it saves on small ones."""
    guessed: list[int] = []

    def guess(*_: object) -> Int64:
        guessed.append(1)
        return np.array([FRONT])

    monkeypatch.setattr(module, "SMALL", 3000)
    monkeypatch.setattr(module, "_guess", guess)
    walk(CHUNK, FRONT, FRONT + size, SHAPE, "<")

    assert len(guessed) == (1 if size == 3000 else 0)
    assert serial == [FRONT]
