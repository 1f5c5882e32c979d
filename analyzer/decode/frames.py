"""Whole captures to the tables FRAMES, KEYS, QUOTES, NEIGHBOURS and TUNNELS, stretch by stretch.

Rows stand in the order of the files, and in a file in its order.
"""

from collections.abc import Callable, Sequence

from analyzer.decode.batch import KEEP_ALL
from analyzer.decode.cut_lengths import LINK_HEADER, CutLengths
from analyzer.decode.extents import Each, cut_files, read_side_by_side
from analyzer.decode.reader import Derive, Given, Limit, Opener, Reader, Room
from analyzer.decode.tables import FrameTables
from analyzer.read.source import HEAD, WHOLE, buffer

Progress = Callable[[int, int, int], None]
"""Told the number of frames decoded so far, and how many bytes were read of how many."""


def read_frames(
    captures: Sequence[Opener],
    derive: Derive,
    progress: Progress | None = None,
    *,
    limit: Limit | None = None,
    room: Room | None = None,
    stretches: int = 1,
    each: Each | None = None,
    extents: int = 1,
    threads: int = 1,
) -> FrameTables:
    """
    Decode all captures, and let *derive* make keys of each batch.

    They are opened one at a time: first to see what they declare, then to be read, and once more if frames turn out
    to be cut shorter than the files declare, because digests may cover only bytes that every point kept.

    Args:
        captures: what opens each.
        derive: makes keys.
        progress: is told how far it is.
        limit: no more are read.
        room: no more are held in memory.
        stretches: into how many all is cut if there is room for it.
        each: reads files, and extents of them, at the same time; None where they are read one after the other.
        extents: into how many all files are cut then.
        threads: as many decode what one reader reads.
    """
    keep, likely, total = declared(captures)
    if limit is not None:
        likely = min(likely, limit.frames)
    whole = [(file, WHOLE) for file in range(len(captures))]
    told = None if progress is None else lambda frames, done: progress(frames, done, total)
    while True:
        given = Given(captures, derive, keep, likely, limit, room, threads)
        lengths = CutLengths()
        tables = None
        if each is not None and room is not None and limit is None:
            cut = cut_files(captures, total // extents)
            tables = read_side_by_side(given, cut, each, room.work(), told, lengths)
        tables = tables or Reader(given).read(whole, told, stretches, lengths)
        kept = lengths.kept(tables.sources, tables.files, tables.keep)
        if kept >= tables.keep:
            return tables
        tables.work.forget([one.table for one in tables.stretches])
        keep = kept


def declared(captures: Sequence[Opener]) -> tuple[int, int, int]:
    """Return the bytes from the network header on that all captures say to keep, their likely frames, and sizes."""
    keep, likely, total = KEEP_ALL, 0, 0
    peek = buffer(HEAD)
    for opened in captures:
        capture = opened(peek)
        if capture.snap_len:
            keep = min(keep, capture.snap_len - LINK_HEADER.get(capture.link_type, 0))
        likely += capture.likely_frames()
        total += capture.size
        capture.close()
    return keep, likely, total
