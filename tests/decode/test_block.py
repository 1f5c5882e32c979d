"""A few frames in one piece of memory, given one by one."""

import numpy as np

from analyzer.decode.block import Block
from analyzer.read.records import LINKTYPE_ETHERNET, LINKTYPE_RAW, Interface


def test_frames_one_by_one() -> None:
    """Each with its row, its bytes and no others, its length on the wire, and its interface."""
    kinds = [Interface(LINKTYPE_ETHERNET, 0), Interface(LINKTYPE_RAW, 0)]
    buffer = np.frombuffer(b"..abcdefgh", np.uint8)
    block = Block(
        np.array([7, 9]), buffer, np.array([2, 5]), np.array([3, 2]), np.array([3, 90]), np.array([1, 0]), kinds
    )

    assert list(block.frames()) == [(7, b"abc", 3, kinds[1]), (9, b"de", 90, kinds[0])]


def test_none() -> None:
    """An empty block gives nothing."""
    none = np.zeros(0, np.int64)
    assert list(Block(none, np.zeros(512, np.uint8), none, none, none, none, []).frames()) == []
