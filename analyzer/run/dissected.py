"""A journey's frames in full, as tshark dissects them."""

from collections.abc import Iterator, Sequence

from analyzer.decode.dissect import dissect
from analyzer.errors import SelectionError
from analyzer.model import Journey, Point
from analyzer.read.source import needs_spool
from analyzer.run.trace import Trace


def dissected(trace: Trace, journey: Journey) -> Iterator[tuple[str, int, list[str]]]:
    """
    Give (point, frame number, lines) of each frame.

    Raises:
        SelectionError: a capture cannot be read again.
    """
    by_name = {point.name: point for point in trace.points}
    for hop in journey.hops:
        for file, frames, before in _by_file(trace, by_name[hop.point], hop.frames):
            if needs_spool(trace.paths[file]):
                raise SelectionError(f"--dissect needs a file; {trace.paths[file]} cannot be read again")
            for number, told in dissect(trace.paths[file], frames):
                yield hop.point, before + number, told


def _by_file(trace: Trace, point: Point, frames: Sequence[int]) -> Iterator[tuple[int, list[int], int]]:
    """Give for each file of a point: its number, the frames' numbers in it, and the frames in files before."""
    before = 0
    for file in trace.tables.pieces[point.id]:
        behind = before + trace.files[file].frames
        if inside := [number - before for number in frames if before < number <= behind]:
            yield file, inside, before
        before = behind
