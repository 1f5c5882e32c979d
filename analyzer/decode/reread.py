"""Chosen frames, read from the captures once more: FRAMES holds no bytes."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice

import numpy as np

from analyzer.decode.block import Block, Frame
from analyzer.decode.reader import Opener
from analyzer.decode.tables import FrameTables
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.records import BACK, Interface
from analyzer.read.source import buffer
from analyzer.schema import Columns, Int64

MOST_BYTES, MOST_FRAMES = 4 << 20, 1 << 14
"""Of a block."""


def read_again(captures: Sequence[Opener], tables: FrameTables, rows: Int64) -> Iterator[Frame]:
    """Give chosen frames one by one, as :func:`read_blocks` does."""
    for block in read_blocks(captures, tables, rows):
        yield from block.frames()


def read_blocks(captures: Sequence[Opener], tables: FrameTables, rows: Int64) -> Iterator[Block]:
    """
    Give chosen frames, in the order of FRAMES; what cannot be read any more is left out.

    Args:
        captures: what opens each file.
        tables: what reading them told.
        rows: those that are wanted.
    """
    memory = buffer()
    wanted: dict[int, list[Columns]] = {}
    for file, some in _by_file(tables, np.unique(rows)):
        wanted.setdefault(file, []).append(some)
    interface = np.array([source.interface for source in tables.sources], np.int64)
    for file, parts in wanted.items():
        of = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        of["interface"] = interface[of["point"]]
        try:
            with closing(captures[file](memory)) as capture:
                packed = capture.packed
                found = (
                    _among_all(capture, of["number"].tolist()) if packed else capture.frames_at(of["at"], of["cap_len"])
                )
                yield from _blocks(of, found, tables.files[file].interfaces)
        except (InputError, OSError):
            continue  # it was read before: somebody took it away


def _blocks(of: Columns, found: Iterator[bytes], interfaces: list[Interface]) -> Iterator[Block]:
    """Put frames that were *found* together, so many at a time."""
    before = np.cumsum(of["cap_len"], dtype=np.int64) - of["cap_len"]
    count = len(before)
    first = 0
    while first < count:
        last = int(np.searchsorted(before, before[first] + MOST_BYTES))
        last = min(max(last, first + 1), first + MOST_FRAMES)
        data = list(islice(found, last - first))
        if not data:
            return
        length = np.array([len(one) for one in data], np.int64)
        here = slice(first, first + len(data))
        yield Block(
            of["row"][here],
            np.frombuffer(b"".join([*data, bytes(BACK)]), np.uint8),
            np.cumsum(length) - length,
            length,
            of["orig_len"][here],
            of["interface"][here],
            interfaces,
        )
        if len(data) < last - first:
            return
        first = last


def _by_file(tables: FrameTables, rows: Int64) -> Iterator[tuple[int, Columns]]:
    """Give what is wanted of each file, stretch by stretch: rows, and what is known of them; ``number`` from 1."""
    firsts = tables.first_rows
    bounds = np.searchsorted(rows, [*firsts, tables.rows]).tolist()
    for place, one in enumerate(tables.stretches):
        mine = rows[bounds[place] : bounds[place + 1]] - firsts[place]
        if not len(mine):
            continue
        as_read = mine if one.kept is None else one.kept.pick(mine, "row")["row"]
        picked = one.table.pick(mine, "at", "point", "cap_len", "orig_len")
        ends = [*(of.begin for of in one.files[1:]), one.read]
        for of, end in zip(one.files, ends, strict=True):
            here = slice(*np.searchsorted(as_read, (of.begin, end)).tolist())
            if here.stop > here.start:
                number = as_read[here] - of.begin + of.number
                columns = {name: column[here] for name, column in picked.items()}
                yield of.file, columns | {"row": mine[here] + firsts[place], "number": number}


def _among_all(capture: CaptureFile, numbers: list[int]) -> Iterator[bytes]:
    """Read a capture up to the last of the frames *numbers*."""
    place = 0
    for records in capture.batches():
        while place < len(numbers) and numbers[place] < records.first_frame + len(records):
            index = numbers[place] - records.first_frame
            start, length = int(records.start[index]), int(records.cap_len[index])
            yield records.buffer[start : start + length].tobytes()
            place += 1
        if place == len(numbers):
            return
