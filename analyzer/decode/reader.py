"""Captures, or extents of them, to rows of FRAMES, KEYS, QUOTES, NEIGHBOURS and TUNNELS, one after the other.

A point is a file's interface, in a LINUX_SLL2 file each interface index in it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analyzer.decode.batch import Decoded, Means, decode
from analyzer.decode.cut_lengths import CutLengths
from analyzer.decode.payloads import note
from analyzer.decode.stretch import Gathering, OfFile, Stretch
from analyzer.decode.tables import FrameTables
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.records import LINKTYPE_NONE, Damage, FileInfo, Records, Source
from analyzer.read.source import WHOLE, Extent, buffer
from analyzer.read.work import Work
from analyzer.schema import FRAMES, KEYS, Bytes, Columns, Int64

MOST_POINTS = 8_191

Told = Callable[[int, int], None]
"""Told the number of frames decoded so far, and how many bytes were read."""
Derive = Callable[[Columns, Columns, Columns, int, Columns], None]
"""Fills rows of KEYS from FRAMES, QUOTES, NEIGHBOURS of a batch and the number of bytes that every point kept."""


class Opener(Protocol):
    """Opens a capture, or an extent of it, to be read into some memory."""

    def __call__(self, memory: Bytes, extent: Extent = WHOLE, /) -> CaptureFile:
        """
        Open it.

        Raises:
            InputError: it is gone, or another one by now.
        """


@dataclass(frozen=True, slots=True)
class Limit:
    """How many frames are read at the most, of each file its share."""

    frames: int


@dataclass(frozen=True, slots=True)
class Room:
    """How many frames memory has room for, and what is done with more."""

    frames: int
    """As many may be held."""
    stretch: int
    """Of more, so many at a time."""
    work: Callable[[], Work]
    """Gives the place for all of them."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is read, and how."""

    captures: Sequence[Opener]
    derive: Derive
    keep: int
    likely: int
    limit: Limit | None
    room: Room | None
    threads: int = 1
    """As many decode."""


class Reader:
    """Reads captures one after the other."""

    def __init__(self, given: Given) -> None:
        room, limit, captures = given.room, given.limit, given.captures
        self._captures, self._derive, self._keep, self._room = captures, given.derive, given.keep, room
        self._share = None if limit is None else max(limit.frames // max(len(captures), 1), 1)
        self._gathering = Gathering.of(given.likely if room is None else min(given.likely, room.frames))
        self._work = Work() if room is None or room.frames else room.work()
        self._means = Means(given.keep, given.threads)
        self._found: list[Stretch] = []
        self._points: dict[Source, int] = {}
        self._files: dict[int, FileInfo] = {}

    def read(
        self, files: Sequence[tuple[int, Extent]], told: Told | None, stretches: int, lengths: CutLengths
    ) -> FrameTables:
        """Read extents of files, by their numbers; note in *lengths* how many bytes frames were cut to."""
        before, memory = 0, buffer()
        with closing(self._means):
            for index, extent in files:
                capture = self._captures[index](memory, extent)
                info = capture.info
                self._files[index] = info
                self._gathering.files.append(OfFile(index, self._gathering.rows, 1))
                try:
                    for records in _limited(capture, self._share):
                        self._take(records, capture, index, lengths)
                        self._spill(index)
                        if told is not None:
                            told(self._rows, before + capture.position)
                except InputError as error:  # what is wrong in one file, does not concern what others hold
                    info.damage = Damage(0, str(error))
                if extent == WHOLE:
                    for source in silent(index, info, self._points):
                        self._points[source] = len(self._points)
                before += capture.size
        if self._gathering.rows or not self._found:
            count = 1 if self._found else min(stretches, max(self._gathering.rows, 1))
            self._found += self._gathering.stretches(count, self._work)
        sources, infos = list(self._points), list(self._files.values())
        return FrameTables(self._found, infos, sources, self._keep, [[one.file] for one in sources], self._work)

    @property
    def _rows(self) -> int:
        return sum(one.rows for one in self._found) + self._gathering.rows

    def _take(self, records: Records, capture: CaptureFile, file: int, lengths: CutLengths) -> None:
        """
        Decode a batch.

        Raises:
            InputError: there are too many points; what is before the first of them is taken in.
        """
        first, count, info = self._gathering.rows, len(records), capture.info
        table = self._gathering.store.block(count)
        frames = {name: table[name] for name in FRAMES.dtypes}
        table["at"][:] = capture.places_of(records)
        keys = {name: table[name] for name in KEYS.dtypes}
        decoded = decode(records, info.interfaces, keep=self._keep, into=frames, keys=keys, means=self._means)
        if not decoded.keyed:
            self._derive(frames, decoded.quotes, decoded.neighbours, self._keep, keys)
            note(frames, records, info.interfaces, keys)
        fitting = self._number(records, decoded, file)
        for name, parts in self._gathering.sides.items():
            side: Columns = getattr(decoded, name)
            side["row"] += first
            parts.append(side)
        if fitting < count:
            self._gathering.forget(first + fitting)
            info.frames = records.first_frame - 1 + fitting
        lengths.add({name: column[:fitting] for name, column in frames.items()})
        if fitting < count:
            raise InputError(f"not read on: more than {MOST_POINTS + 1:,} points")

    def _number(self, records: Records, decoded: Decoded, file: int) -> int:
        """Give the frames of a batch their points; return how many fit."""
        keys = records.interface.astype(np.int64) << 32 | decoded.device
        fitting = self._fitting(file, keys)
        keys = keys[:fitting]
        point = decoded.frames["point"][:fitting]
        if (keys[1:] == keys[:-1]).all():
            point[:] = [self._point(file, key) for key in keys[:1].tolist()] or 0
        else:
            used, first, of_row = np.unique(keys, return_index=True, return_inverse=True)
            order = np.argsort(first)  # as they came, so that it does not matter where a file is cut
            numbers = np.empty(len(used), np.uint16)
            numbers[order] = [self._point(file, key) for key in used[order].tolist()]
            point[:] = numbers[of_row]
        return fitting

    def _point(self, file: int, key: int) -> int:
        """Return the point of an interface, which is a new one where nothing was heard of it before."""
        return self._points.setdefault(Source(file, key >> 32, key & 0xFFFF_FFFF), len(self._points))

    def _fitting(self, file: int, keys: Int64) -> int:
        """Count the frames before the first one whose interface would be one point too many."""
        room = max(MOST_POINTS + 1 - len(self._points), 0)
        if room >= len(keys):
            return len(keys)
        used, first = np.unique(keys, return_index=True)
        known = [Source(file, key >> 32, key & 0xFFFF_FFFF) in self._points for key in used.tolist()]
        new = np.sort(first[~np.array(known)])
        return int(new[room]) if len(new) > room else len(keys)

    def _spill(self, file: int) -> None:
        """Keep what does not fit into memory elsewhere; *file* is being read."""
        if self._room is None:
            return
        if not self._found and self._work.folder is None and self._gathering.rows > self._room.frames:
            self._work = self._room.work()
        most = self._room.stretch if self._work.folder is not None else self._room.frames
        if self._gathering.rows > most:
            count = -(-self._gathering.rows // self._room.stretch) if not self._found else 1
            self._found += self._gathering.stretches(count, self._work)
            self._gathering = Gathering.of(self._room.stretch)
            self._gathering.files.append(OfFile(file, 0, self._files[file].frames + 1))


def silent(file: int, info: FileInfo, points: dict[Source, int]) -> list[Source]:
    """Return the points of a file's interfaces that recorded nothing: silence is a result, too."""
    heard = set()
    for source in reversed(points):  # a file's points stand together, those of the last one at the end
        if source.file != file:
            break
        heard.add(source.interface)
    kinds = enumerate(info.interfaces)
    return [Source(file, place, 0) for place, one in kinds if place not in heard and one.link_type != LINKTYPE_NONE]


def _limited(capture: CaptureFile, share: int | None) -> Iterator[Records]:
    """Give the records of a capture, not more than *share*."""
    left = share
    for records in capture.batches():
        if left is not None and len(records) > left:
            place = int(capture.places_of(records)[left])
            yield records.first(left)
            capture.info.frames = share or 0
            problem = "not read on, for the rest would take more memory than it may; --memory allows more"
            capture.info.damage = Damage(place, problem, limited=True)
            return
        yield records
        left = left - len(records) if left is not None else None
