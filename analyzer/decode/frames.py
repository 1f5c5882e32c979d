"""Whole captures to the tables FRAMES, QUOTES and NEIGHBOURS.

A point is a file's interface, in a LINUX_SLL2 file each interface index in it. Rows stand in the order of the files,
and in a file in its order.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.decode.crew import WORTH_FORKING, Batch, Crew, Derive, Store, can_help
from analyzer.decode.kept import LINK_HEADER, CutLengths
from analyzer.decode.vector import KEEP_ALL, SIDE_TABLES
from analyzer.errors import InputError, LimitError
from analyzer.read.file import CaptureFile
from analyzer.read.inputs import PEEK
from analyzer.read.points import Source
from analyzer.read.records import LINKTYPE_NONE, Damage, FileInfo, Records
from analyzer.read.source import Buffers
from analyzer.schema import FRAMES, KEYS, Array, Columns, Int64

MOST_POINTS = 8_191

Progress = Callable[[int, int, int], None]
"""Told the number of frames decoded so far, and how many bytes were read of how many."""
Opener = Callable[[Buffers], CaptureFile]
"""Opens a capture, to be read into buffers."""


@dataclass(frozen=True, slots=True)
class AsRead:
    """FRAMES as files have them, of which some rows were dropped since."""

    rows: Int64
    """(n,) Which of them each row is."""
    cap_len: Array
    """Of all of them."""


@dataclass(slots=True)
class FrameTables:
    """All frames of an analysis."""

    frames: Columns
    keys: Columns
    quotes: Columns
    neighbours: Columns
    tunnels: Columns
    files: list[FileInfo]
    sources: list[Source]
    """By point id."""
    keep: int
    """Bytes from the network header on that every point kept."""
    pieces: list[list[int]]
    """By point id: the files it was recorded to, in order; frames are numbered on from one to the next."""
    as_read: AsRead | None = None
    """Where rows are in the files, once some were dropped."""

    def join_pieces(self, groups: list[list[int]], called_alike: Collection[int] = ()) -> None:
        """
        Make one point of what *groups* of files have of each interface, where they follow each other in time.

        Groups that somebody *called_alike*, by their numbers, are one point also where they overlap.
        """
        file_of = np.array([source.file for source in self.sources], np.int64)[self.frames["point"]]
        begin = np.searchsorted(file_of, np.arange(len(self.files) + 1))  # rows stand in the order of files
        target = np.arange(len(self.sources))
        for number_of_group, group in enumerate(groups):
            before = 0
            last_of: dict[tuple[int, int], tuple[int, int]] = {}
            alike = number_of_group in called_alike
            for file in group:
                before = self._continue(slice(begin[file], begin[file + 1]), before, last_of, target, alike=alike)
                before += self.files[file].frames
        self._join_silent(groups, target)
        used, number = np.unique(target, return_inverse=True)
        self.frames["point"][:] = number.astype(np.uint16)[self.frames["point"]]
        self.pieces = [[] for _ in used]
        for point, source in zip(number.tolist(), self.sources, strict=True):
            self.pieces[point].append(source.file)
        self.sources = [self.sources[point] for point in used.tolist()]

    def _continue(
        self,
        rows: slice,
        before: int,
        last_of: dict[tuple[int, int], tuple[int, int]],
        target: Int64,
        *,
        alike: bool = False,
    ) -> int:
        """
        Let a file's points be those of the files before it, unless they overlap in time and are not called *alike*.

        Returns how many frames were counted before its own: *before*, or none if it is a capture of its own.
        """
        point, time_ns = self.frames["point"][rows], self.frames["time_ns"][rows]
        for number in np.unique(point).tolist():
            times = time_ns[point == number]
            key = (self.sources[number].interface, self.sources[number].device)
            known = last_of.get(key)
            if known is not None and (alike or known[1] <= int(times.min())):
                target[number] = known[0]
            elif known is not None:
                before = 0
            last_of[key] = int(target[number]), int(times.max())
        self.frames["frame"][rows] += np.uint32(before)
        return before

    def drop(self, rows: Array) -> None:
        """Take rows out, given as (n,) bool."""
        if not rows.any():
            return
        kept = np.flatnonzero(~rows)
        before = self.as_read or AsRead(np.arange(len(rows)), self.frames["cap_len"])
        self.as_read = AsRead(before.rows[kept], before.cap_len)
        number = np.cumsum(~rows) - 1
        self.frames = {name: column[kept] for name, column in self.frames.items()}
        self.keys = {name: column[kept] for name, column in self.keys.items()}
        for name in SIDE_TABLES:
            side: Columns = getattr(self, name)
            of_kept = np.flatnonzero(~rows[side["row"]])
            side = {column: values[of_kept] for column, values in side.items()}
            side["row"] = number[side["row"]]
            setattr(self, name, side)

    def forget(self, points: Collection[int]) -> None:
        """Take points out that have no rows."""
        kept = [point for point in range(len(self.sources)) if point not in points]
        number = np.zeros(len(self.sources), np.uint16)
        number[kept] = np.arange(len(kept))
        self.frames["point"] = number[self.frames["point"]]
        self.sources = [self.sources[point] for point in kept]
        self.pieces = [self.pieces[point] for point in kept]

    def _join_silent(self, groups: list[list[int]], target: Int64) -> None:
        """Let interfaces of which a piece has nothing be the points that other pieces have of them."""
        group_of = {file: number for number, group in enumerate(groups) for file in group}
        heard = np.bincount(self.frames["point"], minlength=len(target)) > 0
        found: dict[tuple[int, int, int], int] = {}
        for number in np.argsort(~heard, kind="stable").tolist():  # first those that were heard
            source = self.sources[number]
            if source.file in group_of:
                known = found.setdefault((group_of[source.file], source.interface, source.device), number)
                target[number] = target[number] if heard[number] else target[known]


@dataclass(slots=True)
class Collector:
    """Takes in batches that are decoded: numbers their points, and keeps their side tables."""

    points: dict[Source, int] = field(default_factory=dict)
    sides: dict[str, list[Columns]] = field(default_factory=lambda: {name: [] for name in SIDE_TABLES})

    def add(self, batch: Batch) -> None:
        """
        Give a batch its points, and keep its side tables.

        Raises:
            InputError: there are too many points; what is before the first of them is taken in.
        """
        if (decoded := batch.decoded) is None:
            raise ValueError("not decoded yet")
        keys = batch.records.interface.astype(np.int64) << 32 | decoded.device
        count, fitting = len(keys), self._fitting(batch.file, keys)
        if fitting < count:
            batch.trim(fitting)
            keys = keys[:fitting]
        if (keys[1:] == keys[:-1]).all():
            decoded.frames["point"][:] = [self._number(batch.file, key) for key in keys[:1].tolist()] or 0
        else:
            used, of_row = np.unique(keys, return_inverse=True)
            numbers = [self._number(batch.file, key) for key in used.tolist()]
            decoded.frames["point"][:] = np.array(numbers, np.uint16)[of_row]
        for name, parts in self.sides.items():
            side: Columns = getattr(decoded, name)
            side["row"] += batch.first_row
            parts.append(side)
        if fitting < count:
            raise InputError(f"not read on: more than {MOST_POINTS + 1:,} points")

    def _number(self, file: int, key: int) -> int:
        """Return the point of an interface, which is a new one where nothing was heard of it before."""
        return self.points.setdefault(Source(file, key >> 32, key & 0xFFFF_FFFF), len(self.points))

    def _fitting(self, file: int, keys: Int64) -> int:
        """Count the frames before the first one whose interface would be one point too many."""
        room = max(MOST_POINTS + 1 - len(self.points), 0)
        if room >= len(keys):
            return len(keys)
        used, first = np.unique(keys, return_index=True)
        known = [Source(file, key >> 32, key & 0xFFFF_FFFF) in self.points for key in used.tolist()]
        new = np.sort(first[~np.array(known)])
        return int(new[room]) if len(new) > room else len(keys)

    def name_silent(self, file: int, info: FileInfo) -> None:
        """Make points of interfaces that recorded nothing, too: silence is a result."""
        heard = set()
        for source in reversed(self.points):  # a file's points stand together, those of the last one at the end
            if source.file != file:
                break
            heard.add(source.interface)
        for interface, described in enumerate(info.interfaces):
            if interface not in heard and described.link_type != LINKTYPE_NONE:
                self.points[Source(file, interface, 0)] = len(self.points)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many frames are read at the most."""

    frames: int
    cut: bool = False
    """Read as many, of each file its share; else what has more cannot be read at all."""


def read_frames(
    captures: Sequence[Opener], derive: Derive, progress: Progress | None = None, limit: Limit | None = None
) -> FrameTables:
    """
    Decode all captures, and let *derive* make keys of each batch.

    They are opened one at a time: first to see what they declare, then to be read, and once more if frames turn out
    to be cut shorter than the files declare, because digests may cover only bytes that every point kept.

    Raises:
        LimitError: there are more frames than *limit* says, and they shall not be cut.
    """
    keep, likely, total = declared(captures)
    told = None if progress is None else lambda frames, done: progress(frames, done, total)
    tables = _read(captures, likely, keep, derive, told, limit)
    lengths = CutLengths()
    lengths.add(tables.frames)
    kept = lengths.kept(tables.sources, tables.files, tables.keep)
    if kept < tables.keep:
        tables = _read(captures, likely, kept, derive, told, limit)
    return tables


def declared(captures: Sequence[Opener]) -> tuple[int, int, int]:
    """Return the bytes from the network header on that all captures say to keep, their likely frames, and sizes."""
    keep, likely, total = KEEP_ALL, 0, 0
    peek = Buffers(1, np.zeros, PEEK)
    for opened in captures:
        capture = opened(peek)
        if capture.snap_len:
            keep = min(keep, capture.snap_len - LINK_HEADER.get(capture.link_type, 0))
        likely += capture.likely_frames()
        total += capture.size
        capture.close()
    return keep, likely, total


def _read(
    captures: Sequence[Opener],
    likely: int,
    keep: int,
    derive: Derive,
    told: Callable[[int, int], None] | None,
    limit: Limit | None,
) -> FrameTables:
    share = None if limit is None or not limit.cut else max(limit.frames // max(len(captures), 1), 1)
    if limit is not None:
        likely = min(likely, limit.frames)
    helped = likely >= WORTH_FORKING and can_help()
    frames, keys = Store(FRAMES, likely, shared=helped), Store(KEYS, likely, shared=helped)
    collector = Collector()
    files: list[FileInfo] = []
    before = 0
    with Crew(frames, keys, derive, keep, helped=helped) as crew:
        for index, opened in enumerate(captures):
            capture = opened(crew.buffers)
            files.append(capture.info)
            try:
                for records in _limited(capture, share):
                    if limit is not None and frames.rows + len(records) > limit.frames:
                        raise LimitError(f"more than {limit.frames:,} frames")
                    crew.take(records, capture.info, index)
                    _collect(crew, collector, capture.info, wait=False)
                    if told is not None:
                        told(frames.rows, before + capture.position)
            except InputError as error:  # what is wrong in one file, does not concern what others hold
                capture.info.damage = Damage(0, str(error))
            try:
                _collect(crew, collector, capture.info, wait=True)
            except InputError as error:
                capture.info.damage = Damage(0, str(error))
            collector.name_silent(index, capture.info)
            before += capture.size
    frames.settle()
    keys.settle()
    return FrameTables(
        frames.at(0, frames.rows),
        keys.at(0, keys.rows),
        files=files,
        sources=list(collector.points),
        keep=keep,
        pieces=[[source.file] for source in collector.points],
        as_read=None,
        **{name: concatenated(collector.sides[name], table.empty(0)) for name, table in SIDE_TABLES.items()},
    )


def _limited(capture: CaptureFile, share: int | None) -> Iterator[Records]:
    """Give the records of a capture, not more than *share*."""
    left = share
    for records in capture.batches():
        if left is not None and len(records) > left:
            place = capture.place_of(records, left)
            yield records.first(left)
            capture.info.frames = share or 0
            problem = "not read on, for the rest would take more memory than it may; --memory allows more"
            capture.info.damage = Damage(place, problem, limited=True)
            return
        yield records
        left = left - len(records) if left is not None else None


def _collect(crew: Crew, collector: Collector, info: FileInfo, *, wait: bool) -> None:
    """Take in what is decoded; what cannot be taken in of a batch is dropped, with all after it."""
    for batch in crew.finished(wait=wait):
        try:
            collector.add(batch)
        except InputError:
            crew.forget(batch)
            # How far reading has got meanwhile is chance; what is said of the file must not be.
            info.frames = batch.records.first_frame - 1 + batch.count
            del info.interfaces[batch.declared[0] :], info.comments[batch.declared[1] :]
            raise


def concatenated(parts: Sequence[Columns], empty: Columns) -> Columns:
    """Return the rows of all *parts*, one after the other; *empty* tells the columns."""
    return {name: np.concatenate([column, *(part[name] for part in parts)]) for name, column in empty.items()}
