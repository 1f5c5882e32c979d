"""All frames of an analysis: which points they are of, and which pieces of a capture follow each other."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from analyzer.decode.batch import SIDE_TABLES
from analyzer.decode.stretch import OfFile, Sides, Stretch, concatenated, keep_stretch
from analyzer.read.records import FileInfo, Source
from analyzer.read.work import Work
from analyzer.schema import FRAMES, KEYS, Array, Columns, Int64


@dataclass(frozen=True, slots=True)
class Span:
    """What a file has of a point."""

    frames: int
    first_ns: int
    last_ns: int

    def and_then(self, other: "Span") -> "Span":
        """Put two together."""
        first, last = min(self.first_ns, other.first_ns), max(self.last_ns, other.last_ns)
        return Span(self.frames + other.frames, first, last)


@dataclass(slots=True)
class FrameTables:
    """All frames of an analysis."""

    stretches: list[Stretch]
    files: list[FileInfo]
    sources: list[Source]
    """By point id."""
    keep: int
    """Bytes from the network header on that every point kept."""
    pieces: list[list[int]]
    """By point id: the files it was recorded to, in order; frames are numbered on from one to the next."""
    work: Work = field(default_factory=Work)

    @classmethod
    def of(
        cls,
        table: Columns,
        sides: Sides,
        files: list[FileInfo],
        sources: list[Source],
        keep: int,
        pieces: list[list[int]],
    ) -> "FrameTables":
        """Take rows of FRAMES and KEYS that are in memory, in the order of *files*."""
        ends = np.cumsum([info.frames for info in files]).tolist()
        of_files = [OfFile(number, begin, 1) for number, begin in enumerate([0, *ends[:-1]])]
        rows = len(table["frame"])
        return cls([keep_stretch(table, sides, of_files, rows, Work())], files, sources, keep, pieces)

    @property
    def rows(self) -> int:
        """Number of frames."""
        return sum(one.rows for one in self.stretches)

    @property
    def first_rows(self) -> list[int]:
        """By stretch: what its first row is called among all."""
        return list(accumulate((one.rows for one in self.stretches), initial=0))[:-1]

    def columns(self, *names: str) -> Columns:
        """Return columns of FRAMES and KEYS, of all rows."""
        tables = [one.table.open(*names) for one in self.stretches]
        if len(tables) == 1:
            return tables[0]
        return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}

    @property
    def frames(self) -> Columns:
        """FRAMES: all of it, in memory."""
        return self.columns(*FRAMES.dtypes)

    @property
    def keys(self) -> Columns:
        """KEYS: likewise."""
        return self.columns(*KEYS.dtypes)

    def side(self, name: str) -> Columns:
        """QUOTES, NEIGHBOURS or TUNNELS, by *name*: likewise."""
        tables = [one.sides[name].open() for one in self.stretches]
        if len(tables) == 1:
            return tables[0]
        moved = [table | {"row": table["row"] + first} for table, first in zip(tables, self.first_rows, strict=True)]
        return concatenated(moved, SIDE_TABLES[name].empty(0))

    def spans(self) -> dict[tuple[int, int], Span]:
        """Tell what each file has of each point."""
        found: dict[tuple[int, int], Span] = {}
        for one in self.stretches:
            frames, file = one.table.open("point", "time_ns"), one.file_of_rows()
            for of in one.files:
                first, last = np.searchsorted(file, (of.file, of.file + 1)).tolist()
                point, time_ns = frames["point"][first:last], frames["time_ns"][first:last]
                for number in np.flatnonzero(np.bincount(point)).tolist():
                    times = time_ns[point == number]
                    span = Span(len(times), int(times.min()), int(times.max()))
                    known = found.get((of.file, number))
                    found[of.file, number] = span if known is None else known.and_then(span)
        return found

    def spans_of_points(self) -> dict[int, Span]:
        """Tell what all files have of each point."""
        found: dict[int, Span] = {}
        for (_, point), span in self.spans().items():
            found[point] = span if point not in found else found[point].and_then(span)
        return found

    def join_pieces(self, groups: list[list[int]], called_alike: Collection[int] = ()) -> None:
        """
        Make one point of what *groups* of files have of each interface, where they follow each other in time.

        Groups that somebody *called_alike*, by their numbers, are one point also where they overlap.
        """
        spans = self.spans()
        target, before = np.arange(len(self.sources)), np.zeros(len(self.files), np.int64)
        for number, group in enumerate(groups):
            counted = 0
            last_of: dict[tuple[int, int], tuple[int, int]] = {}
            for file in group:
                mine = {point: span for (of, point), span in sorted(spans.items()) if of == file}
                counted = self._continue(mine, counted, last_of, target, alike=number in called_alike)
                before[file] = counted
                counted += self.files[file].frames
        self._join_silent(groups, target, {point for _, point in spans})
        used, number_of = np.unique(target, return_inverse=True)
        for one in self.stretches:
            frames = one.table.open("point", "frame")
            one.table.put("point", number_of.astype(np.uint16)[frames["point"]])
            one.table.put("frame", frames["frame"] + before[one.file_of_rows()].astype(np.uint32))
        self.pieces = [[] for _ in used]
        for point, source in zip(number_of.tolist(), self.sources, strict=True):
            self.pieces[point].append(source.file)
        self.sources = [self.sources[point] for point in used.tolist()]

    def _continue(
        self,
        spans: dict[int, Span],
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
        keys = {number: (self.sources[number].interface, self.sources[number].device) for number in spans}
        known = {number: last_of[key] for number, key in keys.items() if key in last_of}
        # One that overlaps is enough: frames of a file are numbered on together, or not at all.
        follows = alike or all(last_ns <= spans[number].first_ns for number, (_, last_ns) in known.items())
        for number, span in spans.items():
            if follows and number in known:
                target[number] = known[number][0]
            last_of[keys[number]] = int(target[number]), span.last_ns
        return before if follows else 0

    def _join_silent(self, groups: list[list[int]], target: Int64, heard: set[int]) -> None:
        """Let interfaces of which a piece has nothing be the points that other pieces have of them."""
        group_of = {file: number for number, group in enumerate(groups) for file in group}
        found: dict[tuple[int, int, int], int] = {}
        for number in sorted(range(len(target)), key=lambda point: point not in heard):  # first those that were heard
            source = self.sources[number]
            if source.file in group_of:
                known = found.setdefault((group_of[source.file], source.interface, source.device), number)
                target[number] = target[number] if number in heard else target[known]

    def drop(self, rows: Array) -> None:
        """Take rows out, given as (n,) bool."""
        if not rows.any():
            return
        bounds = [*self.first_rows, len(rows)]
        cut = zip(self.stretches, pairwise(bounds), strict=True)
        self.stretches = [one.without(rows[begin:end], self.work) for one, (begin, end) in cut]

    def forget_keys(self) -> None:
        """Let go of KEYS, which nobody needs once frames are correlated."""
        for one in self.stretches:
            for name in KEYS.dtypes:
                if one.table.held is not None:
                    one.table.held.pop(name)

    def forget(self, points: Collection[int]) -> None:
        """Take points out that have no rows."""
        kept = [point for point in range(len(self.sources)) if point not in points]
        number = np.zeros(len(self.sources), np.uint16)
        number[kept] = np.arange(len(kept))
        for one in self.stretches:
            one.table.put("point", number[one.table.open("point")["point"]])
        self.sources = [self.sources[point] for point in kept]
        self.pieces = [self.pieces[point] for point in kept]
