"""Counts the frames of a capture while it is written: pcap's records, whatever pieces they come in."""

from typing import Literal

FILE_HEADER, RECORD_HEADER, LENGTH_AT = 24, 16, 8
"""Bytes, of pcap (draft-ietf-opsawg-pcap); the length that is kept stands behind both halves of the time."""
LITTLE = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
"""How files begin that a little-endian machine writes, with times in µs and in ns."""


class Counted:
    """Frames of one capture so far."""

    def __init__(self) -> None:
        self.frames = 0
        self._order: Literal["little", "big"] | None = None
        self._held = b""
        """The beginning of what has not come whole yet: a file's or a record's header."""
        self._skipped = 0
        """Bytes of a record's data that are still to come."""

    def take(self, data: bytes) -> None:
        """Take note of the next bytes."""
        place = min(self._skipped, len(data))
        self._skipped -= place
        if self._skipped:
            return
        buffer, place = (self._held + data[place:], 0) if self._held or place else (data, 0)
        if self._order is None:
            if len(buffer) < FILE_HEADER:
                self._held = buffer
                return
            self._order = "little" if buffer[:4] in LITTLE else "big"
            place = FILE_HEADER
        order = self._order
        end = len(buffer)
        while end - place >= RECORD_HEADER:
            length = int.from_bytes(buffer[place + LENGTH_AT : place + LENGTH_AT + 4], order)
            self.frames += 1
            place += RECORD_HEADER + length
        self._held = buffer[place:]
        self._skipped = max(place - end, 0)
