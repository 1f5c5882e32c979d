"""Chosen frames, read from the captures once more: FRAMES holds no bytes."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from analyzer.decode.frames import FrameTables, Opener
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.records import Interface
from analyzer.read.source import Buffers
from analyzer.schema import Int64

Frame = tuple[int, bytes, int, Interface]
"""Row of FRAMES, what was captured, length on the wire, and the interface."""


def read_again(captures: Sequence[Opener], tables: FrameTables, rows: Int64) -> Iterator[Frame]:
    """
    Give chosen frames, in the order of FRAMES; what cannot be read any more is left out.

    Args:
        captures: what opens each file.
        tables: what reading them told.
        rows: those that are wanted.
    """
    buffers = Buffers(1, np.zeros)
    begin = np.cumsum([0, *(info.frames for info in tables.files)])
    rows = np.unique(rows)
    known = tables.as_read
    all_lengths = tables.frames["cap_len"] if known is None else known.cap_len
    place = rows if known is None else known.rows[rows]
    bounds = np.searchsorted(place, begin)
    for file in np.flatnonzero(np.diff(bounds)).tolist():
        mine = slice(bounds[file], bounds[file + 1])
        numbers = place[mine] - begin[file] + 1
        lengths = all_lengths[begin[file] : begin[file + 1]]
        try:
            with closing(captures[file](buffers)) as capture:
                found = capture.frames_at(lengths, numbers)
                interface = tables.files[file].interfaces[0]
                read = _among_all(capture, numbers.tolist()) if found is None else ((data, interface) for data in found)
                for row, (data, kind) in zip(rows[mine].tolist(), read, strict=False):
                    yield row, data, int(tables.frames["orig_len"][row]), kind
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
