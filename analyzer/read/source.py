"""Bytes of a capture, plain or compressed; and the window in which readers see them.

A window holds a bounded part of the file, so memory does not grow with a file, however it was compressed.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from analyzer.errors import InputError
from analyzer.read.packed import CODECS, DamagedError, Packed
from analyzer.read.records import BACK, FRONT
from analyzer.read.scratch import RESERVE, scratch
from analyzer.read.stored import is_remote, open_stored, stream, takes_ranges
from analyzer.schema import Bytes

WINDOW = 4 << 20
LEFT = 1 << 19
"""Bytes before what is read ahead: room for a record that is not all there yet."""
HARMLESS = 2 << 20
MOST_EXPANSION = 1000
"""Decompressed bytes per compressed one; captures of real traffic compress at most some 50-fold."""
STDIN = "-"
HEAD = 1 << 16
"""Bytes of a file's beginning that show what it declares, and its first record."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Some records of a file, by its bytes."""

    begin: int = 0
    """Where the first of them begins; 0 for behind the header, whatever that is."""
    end: int | None = None
    """Where the next one would begin; None for the file's end."""


WHOLE = Extent()


def open_source(path: str) -> tuple[BinaryIO | Packed, int]:
    """
    Open *path* and undo its compression, which is told by the first bytes, not the name; return how long it is, too.

    Raises:
        InputError: it cannot be opened.
    """
    try:
        if not is_remote(path) and Path(path).is_dir():
            raise InputError(f"{path}: a folder, not a capture")
        if not is_remote(path) and Path(path).exists() and not Path(path).is_file():
            raise InputError(f"{path}: neither a file nor a pipe")
        buffered = open_stored(path)
        magic = buffered.read(6)
        size = buffered.seek(0, os.SEEK_END)
        buffered.seek(0)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    codec = next((codec for start, codec in CODECS.items() if magic.startswith(start)), None)
    return buffered if codec is None else Packed(buffered, codec), size


def needs_spool(path: str) -> bool:
    """Tell what can be read only once: stdin, pipes such as ``<(zcat x)``, and what web servers have without ranges."""
    if is_remote(path):  # stores give ranges; of web servers some do
        return path.startswith("http") and not takes_ranges(path)
    try:
        return path == STDIN or Path(path).is_fifo()
    except OSError:  # opening it will say why
        return False


@contextmanager
def spool(path: str) -> Iterator[str]:
    """
    Copy what can be read only once to a temporary file, because captures may be read twice; give its path.

    Raises:
        InputError: it cannot be read.
    """
    with scratch() as folder, (folder / "copy").open("wb") as file:
        try:
            if is_remote(path):
                for data in stream(path):
                    file.write(data)
                    if shutil.disk_usage(folder).free < RESERVE:
                        raise InputError(f"{path}: there is no room for a copy in {folder.parent}")
            elif path != STDIN:
                with Path(path).open("rb") as pipe:
                    shutil.copyfileobj(pipe, file, 1 << 20)
            elif sys.stdin is None:
                raise InputError("stdin is closed")
            else:
                shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
            file.flush()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None
        yield file.name


def buffer(size: int = WINDOW) -> Bytes:
    """Return memory for windows of *size* bytes, one after the other."""
    return np.zeros(FRONT + size + BACK, np.uint8)


class Window:
    """
    A moving window over a stream: ``buffer[begin:end]`` is read and not yet consumed.

    What comes next is read meanwhile, into other memory, by a thread: reading and decompressing need no interpreter.
    What lies in the buffer stays there until it is filled the next time.
    """

    def __init__(self, stream: BinaryIO | Packed, memory: Bytes, extent: Extent = WHOLE) -> None:
        """Look at *extent* of a stream, and before at its head; what is seen lies in *memory*, if that is enough."""
        self._stream, self._extent = stream, extent
        self._limit = HEAD if extent.begin else extent.end
        self.buffer = memory
        self.begin = self.end = FRONT
        self.eof = False
        self.problem: str | None = None
        """Why the stream ended early, if decompression or reading failed."""
        self._consumed = self._read_so_far = 0
        self._helper: ThreadPoolExecutor | None = None
        self._other: Bytes | None = None
        self._coming: Future[_Come] | None = None
        """What is read into the other memory."""

    def enter(self) -> bool:
        """Go from behind the file's header to where the extent begins; tell whether that is elsewhere."""
        begin = self._extent.begin
        if begin and not isinstance(self._stream, Packed):
            self._stream.seek(begin)
            self._consumed, self._read_so_far, self._limit = begin, begin, self._extent.end
            self.begin, self.end, self.eof = FRONT, FRONT, False
        return bool(begin)

    @property
    def offset(self) -> int:
        """File offset of ``buffer[begin]``."""
        return self._consumed

    @property
    def position(self) -> int:
        """Bytes read of the file as it is stored."""
        packed = self._stream
        return packed.consumed if isinstance(packed, Packed) else self._consumed + self.end - self.begin

    def take(self, count: int) -> None:
        """Consume *count* bytes."""
        self.begin += count
        self._consumed += count

    def fill(self, at_least: int = 0, *, ahead: bool = True) -> int:
        """Read until the window is full or the stream ends; return the number of bytes at hand.

        *at_least* bytes have room afterwards: the window grows if one record needs it. Without *ahead*, nothing is read
        beyond.
        """
        coming, self._coming = self._coming, None
        if coming is not None:
            self._adopt(coming.result())
        if coming is None or self.end - self.begin < at_least:
            self._make_room(at_least)
            self._came(self._read(self.buffer, self.end, len(self.buffer) - BACK))
        if ahead and not self.eof:
            self._read_ahead()
        return self.end - self.begin

    def _make_room(self, at_least: int) -> None:
        """Move what is at hand to the buffer's beginning, or to a larger one."""
        left = self.end - self.begin
        room = max(len(self.buffer) - FRONT - BACK, at_least)
        if room > len(self.buffer) - FRONT - BACK:
            grown = np.zeros(FRONT + room + BACK, np.uint8)
            grown[FRONT : FRONT + left] = self.buffer[self.begin : self.end]
            self.buffer = grown
        elif left and self.begin > FRONT:
            self.buffer[FRONT : FRONT + left] = self.buffer[self.begin : self.end].copy()
        self.begin, self.end = FRONT, FRONT + left

    def _read_ahead(self) -> None:
        """Let the other memory be filled, but for some room for what is left here by then."""
        if self._helper is None:
            self._helper = ThreadPoolExecutor(1)
        if self._other is None or len(self._other) < len(self.buffer):
            self._other = np.zeros(len(self.buffer), np.uint8)
        place, limit = FRONT + LEFT, len(self._other) - BACK
        if limit > place:
            self._coming = self._helper.submit(self._read, self._other, place, limit)

    def _adopt(self, come: "_Come") -> None:
        """Go on in the other memory, behind what is left in this one."""
        left, other = self.end - self.begin, self._other
        assert other is not None
        if left > LEFT:  # no more than a record that is not all there yet, if it is believable
            at_hand = self.buffer[self.begin : self.end], other[FRONT + LEFT : FRONT + LEFT + come.size]
            self.buffer = np.concatenate([np.zeros(FRONT, np.uint8), *at_hand, np.zeros(BACK, np.uint8)])
            self.begin, self.end = FRONT, FRONT + left
        else:
            begin, end = FRONT + LEFT - left, FRONT + LEFT
            other[begin:end] = self.buffer[self.begin : self.end]
            self.buffer, self._other = other, self.buffer
            self.begin, self.end = begin, end
        self._came(come)

    def _came(self, come: "_Come") -> None:
        self.end += come.size
        self.eof, self.problem = come.eof, come.problem or self.problem

    def _read(self, into: Bytes, place: int, limit: int) -> "_Come":
        """Read into memory from *place* on, until *limit* or the stream's end."""
        view, begin, eof, problem = memoryview(into.data), place, self.eof, None
        while place < limit and not eof:
            try:
                got = self._read_some(view[place:limit])
            except (OSError, DamagedError) as error:
                problem = f"cannot read on: {str(error) or type(error).__name__}"
                got = 0
            eof = not got
            place += got
            self._read_so_far += got
            if self._is_bomb():
                problem = f"cannot read on: it expands more than {MOST_EXPANSION}-fold"
                eof = True
        return _Come(place - begin, eof, problem)

    def _read_some(self, view: memoryview) -> int:
        if self._limit is not None:
            view = view[: max(self._limit - self._read_so_far, 0)]
        if not isinstance(self._stream, Packed):
            return self._stream.readinto(view) or 0  # type: ignore[attr-defined]
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _is_bomb(self) -> bool:
        """Tell what no compressed capture is: a few bytes that expand without end."""
        expanded, packed = self._read_so_far, self._stream
        return isinstance(packed, Packed) and expanded > HARMLESS and expanded > MOST_EXPANSION * packed.consumed

    def bytes(self, count: int, skip: int = 0) -> bytes:
        """Return up to *count* bytes from *skip* on, without consuming them."""
        start = self.begin + skip
        return self.buffer[start : min(start + count, self.end)].tobytes()

    def close(self) -> None:
        """Close the stream."""
        if self._helper is not None:
            self._helper.shutdown()
        self._stream.close()


class _Come(NamedTuple):
    """What was read."""

    size: int
    eof: bool
    problem: str | None
