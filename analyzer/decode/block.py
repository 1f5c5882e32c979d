"""Frames of one file in memory, a few among many: what was captured of them, and where each lies."""

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.read.records import Interface
from analyzer.schema import Array, Bytes, Int64

Frame = tuple[int, bytes, int, Interface]
"""Row of FRAMES, what was captured, length on the wire, and the interface."""


@dataclass(frozen=True, slots=True)
class Block:
    """n frames of one file."""

    row: Int64
    """(n,) In FRAMES, ascending."""
    buffer: Bytes
    """What was captured of them; BACK bytes behind the last one are readable."""
    start: Int64
    """(n,) Where each begins."""
    cap_len: Int64
    orig_len: Array
    interface: Array
    """(n,) Which of *interfaces* it is of."""
    interfaces: list[Interface]

    def frames(self) -> Iterator[Frame]:
        """Give them one by one."""
        columns = (self.row, self.start, self.cap_len, self.orig_len, self.interface)
        for row, start, length, wire, number in zip(*(column.tolist() for column in columns), strict=True):
            yield row, self.buffer[start : start + length].tobytes(), wire, self.interfaces[number]
