"""Whole captures to the tables FRAMES, QUOTES and NEIGHBOURS.

A point is a file's interface, in a LINUX_SLL2 file each interface index in it. Rows stand in the order of the files,
and in a file in its order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.capture import records as link_types
from analyzer.capture.points import Source
from analyzer.capture.read import CaptureFile
from analyzer.capture.records import LINKTYPE_NONE, Damage, FileInfo
from analyzer.capture.source import WINDOW
from analyzer.decode.vector import KEEP_ALL, Decoded, decode
from analyzer.errors import InputError
from analyzer.schema import FRAMES, KEYS, NEIGHBOURS, QUOTES, Array, Columns, Layer, Table

_LINK_HEADER = {
    link_types.LINKTYPE_ETHERNET: 14,
    link_types.LINKTYPE_LINUX_SLL: 16,
    link_types.LINKTYPE_LINUX_SLL2: 20,
    link_types.LINKTYPE_NULL: 4,
    link_types.LINKTYPE_LOOP: 4,
}
MOST_POINTS = 65_535
PEEK = 1 << 16
"""Bytes of a file's beginning that show what it declares."""
_TAGS = 8
"""Bytes that two VLAN tags take from what a snap length leaves."""


Progress = Callable[[int], None]
"""Told the number of frames decoded so far."""
Derive = Callable[[Columns, Columns, Columns, int, Columns], None]
"""Fills rows of KEYS from FRAMES, QUOTES, NEIGHBOURS of a batch and the number of bytes that every point kept."""


@dataclass(slots=True)
class FrameTables:
    """All frames of an analysis."""

    frames: Columns
    keys: Columns
    quotes: Columns
    neighbours: Columns
    files: list[FileInfo]
    sources: list[Source]
    """By point id."""
    keep: int
    """Bytes from the network header on that every point kept."""


class _Store:
    """A table while it is read: columns with room to spare, whose unused pages take no memory."""

    def __init__(self, table: Table, capacity: int) -> None:
        self._table = table
        self._columns = table.empty(capacity)
        self._capacity = capacity
        self.rows = 0

    def block(self, count: int) -> Columns:
        """Return zeroed columns for the next *count* rows."""
        if self.rows + count > self._capacity:
            self._capacity = max(self._capacity * 2, self.rows + count)
            for name, dtype in self._table.dtypes.items():
                grown = np.zeros(self._capacity, dtype)
                grown[: self.rows] = self._columns[name][: self.rows]
                self._columns[name] = grown
        first, self.rows = self.rows, self.rows + count
        return {name: column[first : self.rows] for name, column in self._columns.items()}

    def taken(self) -> Columns:
        """Return all rows so far."""
        return {name: column[: self.rows] for name, column in self._columns.items()}


@dataclass(slots=True)
class _Collector:
    frames: _Store
    keys: _Store
    points: dict[Source, int] = field(default_factory=dict)
    quotes: list[Columns] = field(default_factory=list)
    neighbours: list[Columns] = field(default_factory=list)

    def add(self, decoded: Decoded, first_row: int, file: int, interfaces: Array) -> None:
        keys = interfaces.astype(np.int64) << 32 | decoded.device
        for key in np.unique(keys).tolist() if (keys[1:] != keys[:-1]).any() else keys[:1].tolist():
            source = Source(file, key >> 32, key & 0xFFFF_FFFF)
            point = self.points.setdefault(source, len(self.points))
            if point > MOST_POINTS:
                raise InputError(f"more than {MOST_POINTS:,} points")
            decoded.frames["point"][keys == key] = point
        for side in (decoded.quotes, decoded.neighbours):
            side["row"] += first_row
        self.quotes.append(decoded.quotes)
        self.neighbours.append(decoded.neighbours)

    def name_silent(self, file: int, info: FileInfo) -> None:
        """Make points of interfaces that recorded nothing, too: silence is a result."""
        heard = {source.interface for source in self.points if source.file == file}
        for interface, described in enumerate(info.interfaces):
            if interface not in heard and described.link_type != LINKTYPE_NONE:
                self.points[Source(file, interface, 0)] = len(self.points)


def read_frames(
    captures: Sequence[Callable[[int], CaptureFile]], derive: Derive, progress: Progress | None = None
) -> FrameTables:
    """
    Decode all captures, and let *derive* make keys of each batch.

    Each of *captures* opens one with a window of so many bytes. They are opened one at a time: first to see what they
    declare, then to be read, and once more if frames turn out to be cut shorter than the files declare, because
    digests may cover only bytes that every point kept.
    """
    keep, likely = KEEP_ALL, 0
    for opened in captures:
        capture = opened(PEEK)
        if capture.snap_len:
            keep = min(keep, capture.snap_len - _LINK_HEADER.get(capture.link_type, 0))
        likely += capture.likely_frames()
        capture.close()
    tables = _read(captures, likely, keep, derive, progress)
    kept = _kept(tables)
    if kept < tables.keep:
        tables = _read(captures, likely, kept, derive, progress)
    return tables


def _read(
    captures: Sequence[Callable[[int], CaptureFile]],
    likely: int,
    keep: int,
    derive: Derive,
    progress: Progress | None,
) -> FrameTables:
    collector = _Collector(_Store(FRAMES, likely), _Store(KEYS, likely))
    store = collector.frames
    files: list[FileInfo] = []
    for index, opened in enumerate(captures):
        capture = opened(WINDOW)
        files.append(capture.info)
        first_row = store.rows
        try:
            for records in capture.batches():
                first_row = store.rows
                block, keys = store.block(len(records)), collector.keys.block(len(records))
                decoded = decode(records, capture.info.interfaces, keep=keep, into=block)
                derive(decoded.frames, decoded.quotes, decoded.neighbours, keep, keys)
                collector.add(decoded, first_row, index, records.interface)
                if progress is not None:
                    progress(store.rows)
        except InputError as error:  # its header is wrong; what other files hold is still told
            capture.info.damage = Damage(0, str(error))
            store.rows = collector.keys.rows = first_row
        collector.name_silent(index, capture.info)
    return FrameTables(
        store.taken(),
        collector.keys.taken(),
        _concatenated(collector.quotes, QUOTES.empty(0)),
        _concatenated(collector.neighbours, NEIGHBOURS.empty(0)),
        files,
        list(collector.points),
        keep,
    )


def _concatenated(parts: list[Columns], empty: Columns) -> Columns:
    return {name: np.concatenate([column, *(part[name] for part in parts)]) for name, column in empty.items()}


def _kept(tables: FrameTables) -> int:
    """Return the bytes that every point kept of a cut frame, from the network header on."""
    frames = tables.frames
    smallest = tables.keep
    all_cut = np.flatnonzero(frames["cap_len"] < frames["orig_len"])
    of_point = frames["point"][all_cut]
    for point in np.unique(of_point).tolist():
        source = tables.sources[point]
        link_type = tables.files[source.file].interfaces[source.interface].link_type
        cut = all_cut[of_point == point]
        if link_type == LINKTYPE_NONE:
            continue
        # The usual length of a cut frame is the snap length; a lone shorter one is a broken record.
        lengths, counts = np.unique(frames["cap_len"][cut], return_counts=True)
        usual = int(lengths[counts.argmax()])
        tagged = (frames["layers"][cut] & np.uint32(Layer.VLAN)).any()
        smallest = min(smallest, usual - _LINK_HEADER.get(link_type, 0) - (_TAGS if tagged else 0))
    return max(smallest, 0)
