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
from analyzer.decode.vector import KEEP_ALL, Decoded, decode
from analyzer.errors import InputError
from analyzer.schema import FRAMES, NEIGHBOURS, QUOTES, Array, Columns, Layer

_LINK_HEADER = {
    link_types.LINKTYPE_ETHERNET: 14,
    link_types.LINKTYPE_LINUX_SLL: 16,
    link_types.LINKTYPE_LINUX_SLL2: 20,
    link_types.LINKTYPE_NULL: 4,
    link_types.LINKTYPE_LOOP: 4,
}
_TAGS = 8
"""Bytes that two VLAN tags take from what a snap length leaves."""


Progress = Callable[[int], None]
"""Told the number of frames decoded so far."""


@dataclass(slots=True)
class FrameTables:
    """All frames of an analysis."""

    frames: Columns
    quotes: Columns
    neighbours: Columns
    files: list[FileInfo]
    sources: list[Source]
    """By point id."""
    keep: int
    """Bytes from the network header on that every point kept."""


@dataclass(slots=True)
class _Collector:
    points: dict[Source, int] = field(default_factory=dict)
    frames: list[Columns] = field(default_factory=list)
    quotes: list[Columns] = field(default_factory=list)
    neighbours: list[Columns] = field(default_factory=list)
    rows: int = 0

    def add(self, decoded: Decoded, file: int, interfaces: Array) -> None:
        keys = interfaces.astype(np.int64) << 32 | decoded.device
        for key in np.unique(keys).tolist():
            source = Source(file, key >> 32, key & 0xFFFF_FFFF)
            decoded.frames["point"][keys == key] = self.points.setdefault(source, len(self.points))
        for side in (decoded.quotes, decoded.neighbours):
            side["row"] += self.rows
        self.rows += len(keys)
        self.frames.append(decoded.frames)
        self.quotes.append(decoded.quotes)
        self.neighbours.append(decoded.neighbours)

    def name_silent(self, file: int, info: FileInfo) -> None:
        """Make points of interfaces that recorded nothing, too: silence is a result."""
        heard = {source.interface for source in self.points if source.file == file}
        for interface, described in enumerate(info.interfaces):
            if interface not in heard and described.link_type != LINKTYPE_NONE:
                self.points[Source(file, interface, 0)] = len(self.points)


def read_frames(open_all: Callable[[], Sequence[CaptureFile]], progress: Progress | None = None) -> FrameTables:
    """
    Decode all captures.

    *open_all* opens them; it is called a second time if frames turn out to be cut shorter than the files declare,
    because digests may cover only bytes that every point kept.
    """
    captures = open_all()
    declared = [c.snap_len - _LINK_HEADER.get(c.link_type, 0) for c in captures if c.snap_len]
    tables = _read(captures, min([KEEP_ALL, *declared]), progress)
    kept = _kept(tables)
    if kept < tables.keep:
        tables = _read(open_all(), kept, progress)
    return tables


def _read(captures: Sequence[CaptureFile], keep: int, progress: Progress | None) -> FrameTables:
    collector = _Collector()
    for index, capture in enumerate(captures):
        try:
            for records in capture.batches():
                collector.add(decode(records, capture.info.interfaces, keep=keep), index, records.interface)
                if progress is not None:
                    progress(collector.rows)
        except InputError as error:  # its header is wrong; what other files hold is still told
            capture.info.damage = Damage(0, str(error))
        collector.name_silent(index, capture.info)
    return FrameTables(
        _concatenated(collector.frames, FRAMES.empty(0)),
        _concatenated(collector.quotes, QUOTES.empty(0)),
        _concatenated(collector.neighbours, NEIGHBOURS.empty(0)),
        [capture.info for capture in captures],
        list(collector.points),
        keep,
    )


def _concatenated(parts: list[Columns], empty: Columns) -> Columns:
    """Join the parts column by column, letting go of each part's column as soon as it is copied."""
    joined: Columns = {}
    for name, column in empty.items():
        joined[name] = np.concatenate([column, *(part.pop(name) for part in parts)])
    return joined


def _kept(tables: FrameTables) -> int:
    """Return the bytes that every point kept of a cut frame, from the network header on."""
    frames = tables.frames
    smallest = tables.keep
    for point, source in enumerate(tables.sources):
        link_type = tables.files[source.file].interfaces[source.interface].link_type
        cut = (frames["point"] == point) & (frames["cap_len"] < frames["orig_len"])
        if link_type == LINKTYPE_NONE or not cut.any():
            continue
        # The usual length of a cut frame is the snap length; a lone shorter one is a broken record.
        lengths, counts = np.unique(frames["cap_len"][cut], return_counts=True)
        usual = int(lengths[counts.argmax()])
        tagged = (frames["layers"][cut] & np.uint32(Layer.VLAN)).any()
        smallest = min(smallest, usual - _LINK_HEADER.get(link_type, 0) - (_TAGS if tagged else 0))
    return max(smallest, 0)
