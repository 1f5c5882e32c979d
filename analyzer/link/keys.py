"""What frames are compared by: rows of KEYS, made of a batch of FRAMES while it is in the processor's cache."""

from analyzer.link.identity import identify
from analyzer.link.tuples import flows
from analyzer.schema import Columns


def make_keys(frames: Columns, quotes: Columns, neighbours: Columns, keep: int, into: Columns) -> None:
    """
    Fill in KEYS of a batch.

    Args:
        frames: FRAMES, n rows.
        quotes: QUOTES of them.
        neighbours: NEIGHBOURS of them.
        keep: bytes that every point kept, from the network header on.
        into: KEYS, n rows.
    """
    into["identity"][:] = identify(frames, quotes, neighbours, keep)
    into["flow"][:] = flows(frames)
