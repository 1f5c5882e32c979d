"""Chosen frames, read from the captures once more: FRAMES holds no bytes."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from analyzer.decode.frames import Opener
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.records import FileInfo, Interface
from analyzer.read.source import Buffers
from analyzer.schema import Columns, Int64

Frame = tuple[int, bytes, int, Interface]
"""Row of FRAMES, what was captured, length on the wire, and the interface."""


def read_again(captures: Sequence[Opener], files: Sequence[FileInfo], frames: Columns, rows: Int64) -> Iterator[Frame]:
    """
    Give chosen frames, in the order of FRAMES; what cannot be read any more is left out.

    Args:
        captures: what opens each file.
        files: what reading them told.
        frames: FRAMES, whose rows stand in the order of the files, and in a file in its order.
        rows: those that are wanted.
    """
    buffers = Buffers(1, np.zeros)
    begin = np.cumsum([0, *(info.frames for info in files)])
    rows = np.unique(rows)
    bounds = np.searchsorted(rows, begin)
    for file in np.flatnonzero(np.diff(bounds)).tolist():
        mine = rows[bounds[file] : bounds[file + 1]]
        numbers = mine - begin[file] + 1
        lengths = frames["cap_len"][begin[file] : begin[file + 1]]
        try:
            with closing(captures[file](buffers)) as capture:
                found = capture.frames_at(lengths, numbers)
                interface = files[file].interfaces[0]
                read = _among_all(capture, numbers.tolist()) if found is None else ((data, interface) for data in found)
                for row, (data, kind) in zip(mine.tolist(), read, strict=False):
                    yield row, data, int(frames["orig_len"][row]), kind
        except (InputError, OSError):
            continue  # it was read before: somebody took it away


def _among_all(capture: CaptureFile, numbers: list[int]) -> Iterator[tuple[bytes, Interface]]:
    """Read a capture up to the last of the frames *numbers*."""
    place = 0
    for records in capture.batches():
        while place < len(numbers) and numbers[place] < records.first_frame + len(records):
            index = numbers[place] - records.first_frame
            start, length = int(records.start[index]), int(records.cap_len[index])
            interface = capture.info.interfaces[int(records.interface[index])]
            yield records.buffer[start : start + length].tobytes(), interface
            place += 1
        if place == len(numbers):
            return
