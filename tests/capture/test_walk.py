"""Walking records in lockstep gives the same as walking them one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture import walk as module
from analyzer.capture.records import FRONT, MAX_RECORD
from analyzer.capture.walk import Shape, walk
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
