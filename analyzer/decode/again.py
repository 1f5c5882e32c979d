"""Chosen frames, read from the captures once more: FRAMES holds no bytes."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from analyzer.decode.reader import Opener
from analyzer.decode.tables import FrameTables
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.records import Interface
from analyzer.read.source import buffer
from analyzer.schema import Columns, Int64

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
    wanted: dict[int, list[Columns]] = {}
    for file, some in _by_file(tables, np.unique(rows)):
        wanted.setdefault(file, []).append(some)
    for file, parts in wanted.items():
        of = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        kinds = (tables.files[file].interfaces[tables.sources[point].interface] for point in of["point"].tolist())
        try:
            with closing(captures[file](memory)) as capture:
                packed = capture.packed
                found = (
                    _among_all(capture, of["number"].tolist()) if packed else capture.frames_at(of["at"], of["cap_len"])
                )
                for row, length, kind, data in zip(
                    of["row"].tolist(), of["orig_len"].tolist(), kinds, found, strict=False
                ):
                    yield row, data, length, kind
        except (InputError, OSError):
            continue  # it was read before: somebody took it away


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
