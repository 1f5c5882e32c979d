"""Captures read at the same time, and large ones in extents: the tables that reading one after the other gives.

Where an extent begins is a guess; it is right if the one before ends there. Interfaces are those that a file's head
describes; that is right if nothing before describes others. Where either is wrong, the rest of the file is read as one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from analyzer.decode.cut_lengths import CutLengths
from analyzer.decode.reader import MOST_POINTS, Given, Opener, Reader, Told, silent
from analyzer.decode.stretch import Stretch
from analyzer.decode.tables import FrameTables
from analyzer.read.pcapng import MOST_COMMENTS, MOST_NAMES
from analyzer.read.records import FileInfo, Interface, Source
from analyzer.read.source import HEAD, Extent, buffer
from analyzer.read.work import Work

LEAST = 16 << 20
"""Bytes of an extent; shorter ones are not worth it."""

Each = Callable[[Callable[[Any, Any], Any], Any, Sequence[Any]], Iterator[Any]]
"""Does a stage for each of some items, with what it has in common for all."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A capture, to be read in extents."""

    extents: list[Extent]
    declared: list[Interface]
    """By its head."""


def cut_files(captures: Sequence[Opener], length: int) -> list[Cut]:
    """Cut each capture to extents of about *length* bytes."""
    peek, found = buffer(HEAD), []
    for opened in captures:
        capture = opened(peek)
        found.append(Cut(capture.extents(max(length, LEAST)), capture.declared()))
        capture.close()
    return found


@dataclass(slots=True)
class _Read:
    """What an extent has."""

    tables: FrameTables
    lengths: CutLengths

    @property
    def info(self) -> FileInfo:
        """What it shows of its file."""
        return self.tables.files[0]


def read_side_by_side(
    given: Given, cut: Sequence[Cut], each: Each, work: Work, told: Told | None, lengths: CutLengths
) -> FrameTables | None:
    """Read all files, *cut* to extents, at the same time; None if they have too many points together."""
    common = replace(given, room=None if given.room is None else replace(given.room, work=partial(Work, work.folder)))
    reads = _each_read(common, [(file, one) for file, of in enumerate(cut) for one in of.extents], each, told)
    found, files, numbers = list[Stretch](), list[FileInfo](), dict[Source, int]()
    for file, of in enumerate(cut):
        read = [next(reads) for _ in of.extents]
        wrong = next((place for place, one in enumerate(read[:-1]) if not _goes_on(one.info, of.declared)), None)
        if wrong is not None:
            for one in read[wrong:]:
                work.forget([stretch.table for stretch in one.tables.stretches])
            rest = [(file, Extent(of.extents[wrong].begin))]
            read = [*read[:wrong], *_each_read(common, rest, each, None)]
        info = read[0].info
        for place, one in enumerate(read):
            before = info.frames if place else 0
            points = [numbers.setdefault(source, len(numbers)) for source in one.tables.sources]
            lengths.merge(one.lengths, points)
            found += [_numbered(stretch, before, points) for stretch in one.tables.stretches]
            if place:
                _add(info, one.info)
        for source in silent(file, info, numbers):
            numbers.setdefault(source, len(numbers))
        files.append(info)
    if len(numbers) > MOST_POINTS + 1:
        return None
    sources = list(numbers)
    return FrameTables(found, files, sources, given.keep, [[one.file] for one in sources], work)


def _each_read(given: Given, items: Sequence[tuple[int, Extent]], each: Each, told: Told | None) -> Iterator[_Read]:
    frames = done = 0
    for (_, extent), one in zip(items, each(_read_extent, given, items), strict=True):
        frames, done = frames + one.tables.rows, done + (extent.end or extent.begin) - extent.begin
        if told is not None:
            told(frames, done)
        yield one


def _read_extent(given: Given, item: tuple[int, Extent]) -> _Read:
    lengths = CutLengths()
    return _Read(Reader(given).read([item], None, 1, lengths), lengths)


def _goes_on(info: FileInfo, declared: list[Interface]) -> bool:
    """Tell whether an extent ends where the next one begins, and knows the same interfaces."""
    known = [replace(one, dropped=None) for one in info.interfaces]
    return info.damage is None and known == declared and info.section == list(range(len(known)))


def _numbered(one: Stretch, before: int, points: Sequence[int]) -> Stretch:
    """Number frames on from those *before* in their file, and points as all have them."""
    if points != list(range(len(points))):
        one.table.put("point", np.array(points, np.uint16)[one.table.open("point")["point"]])
    if before:
        one.table.put("frame", one.table.open("frame")["frame"] + np.uint32(before))
        one.files = [replace(of, number=of.number + before) for of in one.files]
    return one


def _add(info: FileInfo, more: FileInfo) -> None:
    """Add what a later extent shows of a file."""
    for frame, text in more.comments:
        if not frame or len(info.comments) < MOST_COMMENTS:  # those of sections have no limit of their own
            info.comments.append((info.frames + frame if frame else 0, text))
    if len(info.names) < MOST_NAMES:
        info.names.update(more.names)
    for known, one in zip(info.interfaces, more.interfaces, strict=False):
        known.dropped = one.dropped if one.dropped is not None else known.dropped
    info.interfaces += more.interfaces[len(info.interfaces) :]
    info.frames += more.frames
    info.damage, info.big_endian, info.section = more.damage, more.big_endian, more.section
