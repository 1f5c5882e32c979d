"""Captures longer than memory to FRAMES, one slice of time after the other.

The files are read side by side, always the one that lags behind, so that memory holds about as many frames as it is
told, and what lies within REACH of them. Whoever takes a slice says which of its rows the next one shall show again.
Records that are further out of order than that are told, but as packets of their own.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.decode.crew import WORTH_FORKING, Crew, Derive, Store, can_help
from analyzer.decode.frames import Collector, FrameTables, Opener, concatenated
from analyzer.decode.kept import CutLengths
from analyzer.decode.vector import SIDE_TABLES
from analyzer.errors import HoptraceError, InputError, LimitError
from analyzer.model import Point
from analyzer.read.file import CaptureFile
from analyzer.read.inputs import PEEK
from analyzer.read.points import Source
from analyzer.read.records import LINKTYPE_NONE, Damage, FileInfo, Records
from analyzer.read.source import Buffers
from analyzer.schema import FRAMES, KEYS, KNOWN, Columns, Int64

REACH_NS = 5_000_000_000
"""How much later than its first sighting a packet may be seen, answered, or sent again, and still be told of."""
ENDED = int(np.iinfo(np.int64).max)


class ShorterFramesError(HoptraceError):
    """Frames are cut shorter than was thought: reading must begin anew, and keep *keep* bytes."""

    def __init__(self, keep: int) -> None:
        super().__init__(f"frames are cut to {keep} bytes from the network header on")
        self.keep = keep


@dataclass(slots=True)
class Block:
    """Rows of FRAMES with all that belongs to them."""

    frames: Columns
    keys: Columns
    known: Columns
    """KNOWN of them."""
    sides: dict[str, Columns]

    def take(self, rows: Int64) -> "Block":
        """Return a copy of *rows*, in their order."""
        place = np.full(len(self.frames["frame"]), -1, np.int64)
        place[rows] = np.arange(len(rows))
        sides: dict[str, Columns] = {}
        for name, side in self.sides.items():
            there = place[side["row"]]
            order = np.flatnonzero(there >= 0)
            order = order[np.argsort(there[order], kind="stable")]
            sides[name] = {**{column: values[order] for column, values in side.items()}, "row": there[order]}
        frames, keys, known = (
            {name: column[rows] for name, column in table.items()} for table in (self.frames, self.keys, self.known)
        )
        return Block(frames, keys, known, sides)


def _joined(blocks: Sequence[Block]) -> Block:
    before = np.cumsum([0, *(len(block.frames["frame"]) for block in blocks)]).tolist()
    sides = {
        name: concatenated(
            [{**b.sides[name], "row": b.sides[name]["row"] + n} for b, n in zip(blocks, before, strict=False)],
            table.empty(0),
        )
        for name, table in SIDE_TABLES.items()
    }
    return Block(
        concatenated([block.frames for block in blocks], FRAMES.empty(0)),
        concatenated([block.keys for block in blocks], KEYS.empty(0)),
        concatenated([block.known for block in blocks], KNOWN.empty(0)),
        sides,
    )


@dataclass(slots=True)
class Slice:
    """Frames of one slice of time, and those of earlier ones that were asked for."""

    tables: FrameTables
    known: Columns
    """KNOWN of its rows: what earlier slices made of them."""
    until_ns: int
    """All frames of packets that were first seen before are here."""
    last: bool
    again: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows that the next slice shows again, with the KNOWN that they have then."""


@dataclass(slots=True)
class _Chain:
    """The pieces of one capture."""

    files: list[int]
    """Those that are not open yet."""
    base: int
    """First of the files that are one point with the open one."""
    capture: CaptureFile | None = None
    file: int = -1
    records: Iterator[Records] = field(default_factory=lambda: iter(()))
    reached_ns: int = -ENDED
    """Time of its latest frame; ENDED if there are no more."""
    latest_ns: int = -ENDED
    before: int = 0
    """Frames in the pieces before the open one."""


class Moving:
    """Reads captures; ``slices()`` gives them."""

    def __init__(
        self,
        captures: Sequence[Opener],
        groups: Sequence[Sequence[int]],
        derive: Derive,
        *,
        keep: int,
        size: int,
        most: int | None = None,
    ) -> None:
        """
        Prepare to read.

        Args:
            captures: opens them, by number.
            groups: numbers of the captures that are pieces of one, in order of time.
            derive: makes KEYS.
            keep: bytes that every point kept, from the network header on.
            size: frames that are read before a slice is given.
            most: frames that may be held, in slices that have to be larger; None for as many as there are.
        """
        self._captures, self._derive, self._keep, self._size = captures, derive, keep, size
        self._most = most
        inside = {number for group in groups for number in group}
        alone = [[number] for number in range(len(captures)) if number not in inside]
        chains = sorted([*alone, *(list(group) for group in groups)])
        self._chains = [_Chain(chain, chain[0]) for chain in chains]
        self.files: list[FileInfo] = []
        self._pieces: dict[int, list[int]] = {}
        self._collector = Collector()
        self._lengths = CutLengths()
        self._before: deque[int] = deque()
        self._counts: dict[int, tuple[int, int, int]] = {}
        """By point: frames, time of the first and of the last one."""
        self._drops: dict[int, dict[int, int]] = {}
        """By file and interface: what the end of the file says of drops."""
        self._done_bytes = 0
        self.frames = 0
        """Frames read so far."""

    def slices(self, told: Callable[[int, int], None] | None = None) -> Iterator[Slice]:
        """
        Give one slice after the other; *told* hears of frames and bytes read.

        Raises:
            ShorterFramesError: it must be done again.
            LimitError: more frames than may be held are too close together, or there are too many points.
        """
        capacity = 2 * self._size
        helped = self._size >= WORTH_FORKING // 10 and can_help()
        frames, keys = Store(FRAMES, capacity, shared=helped), Store(KEYS, capacity, shared=helped)
        held = _joined([])
        until_ns = -ENDED
        with Crew(frames, keys, self._derive, self._keep, helped=helped, open_files=len(self._chains)) as crew:
            self._open_all(crew)
            while True:
                count = len(held.frames["frame"])
                room = None if self._most is None else self._most - count
                self._read(crew, frames, max(self._size, count), until_ns, told, room)
                new = self._block(frames, keys)
                frames.truncate(0)
                keys.truncate(0)
                self._check_lengths(new)
                self._count(new.frames)
                everything = _joined([held, new])
                del held, new
                order = self._file_order(everything)
                reached = min(chain.reached_ns for chain in self._chains)
                last = reached == ENDED
                until_ns = ENDED if last else max(until_ns, reached - REACH_NS)
                inside = (everything.frames["time_ns"] <= reached)[order]
                block, ahead = everything.take(order[inside]), everything.take(order[~inside])
                del everything
                found = Slice(self._tables(block), block.known, until_ns, last)
                yield found
                if last:
                    return
                held = _joined([block.take(found.again), ahead])

    def counted(self, point: Point, source: Source) -> Point:
        """Fill in what was read of a point so far, from when to when, and what its files will say was dropped."""
        number = self._collector.points.get(source, -1)
        frames, first_ns, last_ns = self._counts.get(number, (0, None, None))
        drops = [count for file in self.pieces(source) if (count := self._dropped(file, source.interface)) is not None]
        dropped = sum(drops) if drops else point.dropped
        return replace(point, frames=frames, first_ns=first_ns, last_ns=last_ns, dropped=dropped)

    def _dropped(self, file: int, interface: int) -> int | None:
        """Return what a file tells of an interface's drops, at its end or so far; None if it does not."""
        info = self.files[file]
        at_end = self._drops[file].get(info.section.index(interface)) if interface in info.section else None
        if at_end is None and interface < len(info.interfaces):
            return info.interfaces[interface].dropped
        return at_end

    def _count(self, frames: Columns) -> None:
        for point in np.unique(frames["point"]).tolist():
            times = frames["time_ns"][frames["point"] == point]
            count, first, last = self._counts.get(point, (0, ENDED, -ENDED))
            self._counts[point] = count + len(times), min(first, int(times.min())), max(last, int(times.max()))

    def sources(self) -> list[Source]:
        """Return the points so far in the order of files, those that recorded nothing behind those that did."""
        found: list[Source] = []
        for base, pieces in sorted(self._pieces.items()):
            heard = [source for source in self._collector.points if source.file == base]
            numbers = {source.interface for source in heard}
            most = max((self.files[file] for file in pieces), key=lambda info: len(info.interfaces))
            found += heard
            found += [
                Source(base, number, 0)
                for number, described in enumerate(most.interfaces)
                if number not in numbers and described.link_type != LINKTYPE_NONE
            ]
        return found

    def pieces(self, source: Source) -> list[int]:
        """Return the files of a point, in order."""
        return self._pieces.get(source.file, [source.file])

    def _open_all(self, crew: Crew) -> None:
        """Open the first piece of each chain; hear of all pieces what they tell at their ends."""
        self.files = [FileInfo("") for _ in self._captures]
        peek = Buffers(1, np.zeros, PEEK)
        for number, opened in enumerate(self._captures):
            capture = opened(peek)
            self._drops[number] = capture.final_drops()
            capture.close()
        for chain in self._chains:
            self._open(chain, crew)

    def _open(self, chain: _Chain, crew: Crew) -> None:
        """Open a chain's next piece."""
        if chain.capture is not None:
            self._done_bytes += chain.capture.size
            chain.before += chain.capture.info.frames
        if not chain.files:
            chain.capture, chain.reached_ns = None, ENDED
            return
        chain.file = chain.files.pop(0)
        if chain.file != chain.base and not any(self.files[file].frames for file in self._pieces[chain.base]):
            # A piece that holds nothing gives its point no name.
            self._pieces[chain.file] = self._pieces.pop(chain.base)
            chain.base = chain.file
        chain.capture = self._captures[chain.file](crew.buffers)
        self.files[chain.file] = chain.capture.info
        self._pieces.setdefault(chain.base, []).append(chain.file)
        chain.records = chain.capture.batches()

    def _read(
        self,
        crew: Crew,
        frames: Store,
        enough: int,
        until_ns: int,
        told: Callable[[int, int], None] | None,
        room: int | None,
    ) -> None:
        """Read on where reading lags behind, until there are *enough* frames, and some of them are complete."""
        while True:
            chain = min(self._chains, key=lambda chain: chain.reached_ns)
            if chain.reached_ns == ENDED:
                break
            if frames.rows >= enough and chain.reached_ns - REACH_NS > until_ns:
                break
            self._step(chain, crew)
            if room is not None and frames.rows > room:
                raise LimitError(f"more than {self._most:,} frames in {REACH_NS // 1_000_000_000} s")
            self._collect(crew, wait=False)
            if told is not None:
                open_bytes = sum(chain.capture.position for chain in self._chains if chain.capture is not None)
                told(self.frames, self._done_bytes + open_bytes)
        self._collect(crew, wait=True)

    def _step(self, chain: _Chain, crew: Crew) -> None:
        """Read a batch of *chain*, or open its next piece."""
        if (capture := chain.capture) is None:
            return
        try:
            records = next(chain.records, None)
        except InputError as error:  # what is wrong in one file, does not concern what others hold
            capture.info.damage = Damage(0, str(error))
            records = None
        if records is None:
            self._open(chain, crew)
            return
        if not len(records):
            return
        if records.first_frame == 1 and chain.file != chain.base and int(records.time_ns[0]) < chain.latest_ns:
            # It overlaps with the piece before, so it is a capture of its own.
            self._pieces[chain.base].remove(chain.file)
            self._pieces[chain.file] = [chain.file]
            chain.base, chain.before = chain.file, 0
        chain.latest_ns = max(chain.latest_ns, int(records.time_ns[-1]))
        chain.reached_ns = max(chain.reached_ns, int(records.time_ns[-1]))  # not the latest: one may be out of order
        self.frames += len(records)
        self._before.append(chain.before)
        crew.take(records, capture.info, chain.base)

    def _collect(self, crew: Crew, *, wait: bool) -> None:
        for batch in crew.finished(wait=wait):
            try:
                self._collector.add(batch)
            except InputError as error:  # of too many points, the first ones can be looked at in memory
                raise LimitError(str(error)) from None
            if batch.decoded is not None:
                batch.decoded.frames["frame"] += np.uint32(self._before.popleft())

    def _block(self, frames: Store, keys: Store) -> Block:
        """Copy what was read since the last slice."""
        count = frames.rows
        sides = {name: concatenated(self._collector.sides[name], t.empty(0)) for name, t in SIDE_TABLES.items()}
        self._collector.sides = {name: [] for name in SIDE_TABLES}
        copies = [{name: column.copy() for name, column in store.at(0, count).items()} for store in (frames, keys)]
        known = {
            "packet": np.full(count, -1),
            "connection": np.full(count, -1, np.int32),
            "settled": np.zeros(count, np.int8),
        }
        return Block(copies[0], copies[1], known, sides)

    def _check_lengths(self, new: Block) -> None:
        self._lengths.add(new.frames)
        kept = self._lengths.kept(list(self._collector.points), self.files, self._keep)
        if kept < self._keep:
            raise ShorterFramesError(kept)

    def _file_order(self, block: Block) -> Int64:
        """Return the rows in the order of files and of their frames."""
        base = np.array([source.file for source in self._collector.points], np.int64)
        key = base[block.frames["point"]] << 32 | block.frames["frame"]
        return np.argsort(key, kind="stable")

    def _tables(self, block: Block) -> FrameTables:
        sources = list(self._collector.points)
        return FrameTables(
            block.frames,
            block.keys,
            files=self.files,
            sources=sources,
            keep=self._keep,
            pieces=[self.pieces(source) for source in sources],
            as_read=None,
            **block.sides,
        )
