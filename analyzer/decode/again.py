"""Chosen frames, read from the captures once more: FRAMES holds no bytes."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from analyzer.capture.records import Interface
from analyzer.capture.source import Buffers
from analyzer.decode.frames import Opener
from analyzer.errors import InputError

Frame = tuple[int, int, bytes, int, Interface]
"""File, number in it, what was captured, length on the wire, and the interface."""


def read_again(captures: Sequence[Opener], wanted: Mapping[int, Sequence[int]]) -> Iterator[Frame]:
    """Give the frames *wanted*, by file; what cannot be read any more is left out."""
    buffers = Buffers(1, np.zeros)
    for file, numbers in wanted.items():
        try:
            yield from _read(file, captures[file], buffers, np.unique(np.array(numbers, np.int64)).tolist())
        except (InputError, OSError):
            continue  # it was read before: somebody took it away


def _read(file: int, opened: Opener, buffers: Buffers, numbers: list[int]) -> Iterator[Frame]:
    capture = opened(buffers)
    place = 0
    for records in capture.batches():
        while place < len(numbers) and numbers[place] < records.first_frame + len(records):
            index = numbers[place] - records.first_frame
            start, length = int(records.start[index]), int(records.cap_len[index])
            interface = capture.info.interfaces[int(records.interface[index])]
            data = records.buffer[start : start + length].tobytes()
            yield file, numbers[place], data, int(records.orig_len[index]), interface
            place += 1
        if place == len(numbers):
            capture.close()
            return
