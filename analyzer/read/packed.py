"""Bytes of a compressed file: all of them up to where it is damaged, in steps whose memory does not grow with it.

The libraries throw away what the call gave in which they meet damage. So whatever is damaged is unpacked once more up
to there, and from there on byte by byte.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from analyzer.read.zstandard import zstd

INPUT = 1 << 16
OUTPUT = 1 << 18
"""Bytes that a step takes and gives at the most."""
MEMORY = 128 << 20
"""Bytes that a dictionary or window may take; xz -9 needs 65 MiB, zstd --ultra -22 this."""
DAMAGE = (OSError, ValueError, MemoryError, zlib.error, lzma.LZMAError, zstd.ZstdError)
CUT = "Compressed file ended before the end-of-stream marker was reached"
PADDING = b"\0"
"""What may stand behind a stream."""


class Codec(Protocol):
    """Unpacks one stream of a format."""

    @property
    def eof(self) -> bool:
        """Tell whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Tell whether more can be given only for more data."""

    @property
    def unused_data(self) -> bytes:
        """Return what came behind the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take *data*, give at most so many bytes."""


class _Gzip:
    """zlib's object, with the interface that those of bz2 and lzma have."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _zstd() -> Codec:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MEMORY.bit_length() - 1})


SKIPPABLE = [bytes((first, 0x2A, 0x4D, 0x18)) for first in range(0x50, 0x60)]
"""What a frame of zstd begins with that holds no data (RFC 8878, Skippable_Frame)."""
CODECS: dict[bytes, Callable[[], Codec]] = {
    b"\x1f\x8b": _Gzip,
    b"\x28\xb5\x2f\xfd": _zstd,
    **dict.fromkeys(SKIPPABLE, _zstd),
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY),
    b"BZh": bz2.BZ2Decompressor,
}
"""By the first bytes of a file."""


class DamagedError(Exception):
    """Nothing more can be unpacked; all before was given."""


class Packed:
    """A compressed file that is read from its beginning."""

    def __init__(self, file: BinaryIO, codec: Callable[[], Codec]) -> None:
        """Unpack *file*, which stands at its beginning and can be sought in, by one of ``CODECS``."""
        self._file, self._codec = file, codec
        self._step = INPUT, OUTPUT
        self._pending = b""
        self._damage: str | None = None
        self._given = 0
        """Bytes that were unpacked so far."""
        self._begin()

    def read(self, size: int) -> bytes:
        """
        Give at most *size* bytes, none at the end.

        Raises:
            DamagedError: the file is damaged from here on.
        """
        while not self._pending and self._damage is None and not self._ended:
            try:
                self._pending = self._unpack()
                self._given += len(self._pending)
            except DAMAGE as error:
                self._damage = str(error) or type(error).__name__
                self._salvage()
        if not self._pending and self._damage is not None:
            raise DamagedError(self._damage)
        found, self._pending = self._pending[:size], self._pending[size:]
        return found

    @property
    def consumed(self) -> int:
        """Bytes of the file that were taken so far."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin(self) -> None:
        self._file.seek(0)
        self._one = self._codec()
        self._fresh = True
        """The stream has not begun yet."""
        self._ended = False
        self._input = b""

    def _unpack(self) -> bytes:
        """Take a step; give what it gave, maybe nothing."""
        if self._one.eof:
            self._next_stream()
            return b""
        taken, given = self._step
        data = b""
        if self._one.needs_input:
            data, self._input = self._input[:taken], self._input[taken:]
            data = data or self._file.read(taken)
            if not data and self._fresh:
                self._ended = True
                return b""
            if not data:
                raise ValueError(CUT)
        self._fresh = False
        return self._one.decompress(data, given)

    def _next_stream(self) -> None:
        """Go on behind a stream: with another one, or to the end of the file."""
        rest = (self._one.unused_data + self._input).lstrip(PADDING)
        while not rest and (more := self._file.read(INPUT)):
            rest = more.lstrip(PADDING)
        self._one, self._fresh, self._input = self._codec(), True, rest
        if not rest:
            self._ended = True

    def _salvage(self) -> None:
        """Unpack once more up to the damage, and give what is between there and what was given before."""
        known, found = self._given, bytearray()
        try:
            self._begin()
            while known > 0 and not self._ended:
                known -= len(self._unpack())
            self._step = 1, 1
            while not known and not self._ended:  # else the file is another one by now
                found += self._unpack()
        except DAMAGE:
            pass
        self._pending = bytes(found)
        self._given += len(found)
