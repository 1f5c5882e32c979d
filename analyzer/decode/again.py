"""Chosen frames, read from the captures once more: FRAMES holds no bytes."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from analyzer.decode.frames import FrameTables, Opener
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.records import Interface
from analyzer.read.source import buffer
from analyzer.schema import Array, Int64

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
    memory = buffer()
    wanted: dict[int, list[_Wanted]] = {}
    for file, some in _by_file(tables, np.unique(rows)):
        wanted.setdefault(file, []).append(some)
    for file, parts in wanted.items():
        interface = tables.files[file].interfaces[0]
        try:
            with closing(captures[file](memory)) as capture:
                if capture.finds_frames:
                    for some in parts:
                        found = capture.frames_at(some.numbers, some.lengths, some.before)
                        for row, length, data in zip(some.rows.tolist(), some.on_wire.tolist(), found, strict=False):
                            yield row, data, length, interface
                    continue
                row, length, number = (np.concatenate([getattr(some, name) for some in parts])
                                       for name in ("rows", "on_wire", "numbers"))  # fmt: skip
                read = _among_all(capture, number.tolist())
                for one, size, (data, kind) in zip(row.tolist(), length.tolist(), read, strict=False):
                    yield one, data, size, kind
        except (InputError, OSError):
            continue  # it was read before: somebody took it away


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Frames of one file that are wanted of a stretch; all (w,)."""

    rows: Int64
    numbers: Int64
    """What each is called in its file, from 1."""
    on_wire: Array
    """Its length."""
    lengths: Array
    """Its captured bytes."""
    before: Int64
    """Captured bytes of all before it in its file."""


def _by_file(tables: FrameTables, rows: Int64) -> Iterator[tuple[int, _Wanted]]:
    """Give what is wanted of each file, stretch by stretch."""
    firsts = tables.first_rows
    bounds = np.searchsorted(rows, [*firsts, tables.rows]).tolist()
    for place, one in enumerate(tables.stretches):
        mine = rows[bounds[place] : bounds[place + 1]] - firsts[place]
        if not len(mine):
            continue
        as_read, lengths, on_wire = one.as_read()[mine], one.lengths(), one.table.open("orig_len")["orig_len"][mine]
        ends = [*(of.begin for of in one.files[1:]), one.read]
        for of, end in zip(one.files, ends, strict=True):
            first, last = np.searchsorted(as_read, (of.begin, end)).tolist()
            if last > first:
                numbers = as_read[first:last] - of.begin + of.number
                before = np.cumsum(lengths[of.begin : end], dtype=np.int64) - lengths[of.begin : end]
                at = as_read[first:last] - of.begin
                yield of.file, _Wanted(mine[first:last] + firsts[place], numbers, on_wire[first:last],
                                       lengths[of.begin + at], before[at] + of.before)  # fmt: skip


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
