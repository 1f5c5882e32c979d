"""Opens a capture of any known format."""

from collections.abc import Iterator
from pathlib import PurePath

import numpy as np

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read import pcap, pcapng
from analyzer.read.packed import Packed
from analyzer.read.pcap import FILE_HEADER, declared_interface, is_pcap, read_pcap
from analyzer.read.pcapng import final_drops, first_interfaces, is_big_endian, is_pcapng, read_pcapng
from analyzer.read.records import LINKTYPE_NONE, MAX_RECORD, FileInfo, Interface, Records
from analyzer.read.snoop import is_snoop, read_snoop
from analyzer.read.source import HEAD, STDIN, WHOLE, Extent, Window, buffer, open_source
from analyzer.read.stored import open_stored, read_at
from analyzer.read.walk import likely_start
from analyzer.schema import Array, Bytes, Int64

TAIL = 1 << 16
"""Bytes at a file's end that statistics are looked for in."""
SMALL_RECORD = 64
"""Bytes of a record as small as most files hold."""
SEARCHED = 1 << 20
"""Bytes that the beginning of an extent is looked for in: some of the longest records."""
MOST_FRAMES = 50_000_000
"""Room that is made beforehand at the most; it grows when it is needed."""


class CaptureFile:
    """
    One capture, or an extent of it, read once from its beginning.

    ``info`` is complete when ``batches()`` is exhausted. Only the damage of a file that gives no header at all is an
    exception; all other damage is in ``info.damage``.
    """

    def __init__(
        self, path: str, shown: str | None = None, memory: Bytes | None = None, extent: Extent = WHOLE
    ) -> None:
        """
        Open a capture.

        Args:
            path: where it is.
            shown: what messages call it, ``-`` for a copy of stdin.
            memory: where its bytes come to.
            extent: the records that are read.

        Raises:
            InputError: it cannot be opened, or is empty.
            UnknownFormatError: it is neither pcap nor pcapng.
        """
        shown = shown or path
        self._path = path
        self.info = FileInfo("stdin" if shown == STDIN else PurePath(shown).name)
        stream, self.size = open_source(path)
        self._packed = isinstance(stream, Packed)
        self._window = Window(stream, buffer() if memory is None else memory, extent)
        self._window.fill(ahead=False)
        magic = self._window.bytes(8)
        if is_pcap(magic):
            self._read = read_pcap
        elif is_pcapng(magic):
            self._read = read_pcapng
        elif is_snoop(magic):
            self._read = read_snoop
        else:
            self._window.close()
            if self._window.problem:
                raise InputError(f"{shown}: {self._window.problem}")
            if not magic:
                raise InputError(f"{shown}: empty file")
            raise UnknownFormatError(f"{shown}: neither pcap nor pcapng: begins with {magic[:4].hex()}")

    @property
    def snap_len(self) -> int:
        """Return the smallest snap length declared at the file's beginning; 0 if nothing was to be cut."""
        limits = [i.snap_len for i in self.declared() if 0 < i.snap_len < MAX_RECORD]
        return min(limits, default=0)

    @property
    def link_type(self) -> int:
        """Return the first interface's link type, LINKTYPE_NONE where it is not known yet."""
        found = self.declared()
        return found[0].link_type if found else LINKTYPE_NONE

    @property
    def is_pcap(self) -> bool:
        """Tell whether it is the older of the formats, with one interface and without options."""
        return self._read is read_pcap

    def declared(self) -> list[Interface]:
        """Return the interfaces that the file's beginning declares."""
        head = self._window.bytes(HEAD)
        if self._read is read_pcapng:
            return first_interfaces(head)
        if self._read is read_pcap and len(head) >= FILE_HEADER:
            return [declared_interface(head)]
        return []

    def final_drops(self) -> dict[int, int]:
        """Return what the end of a pcapng tells of drops, by interface; nothing of compressed ones."""
        if self._packed or self._read is not read_pcapng:
            return {}
        big = is_big_endian(self._window.bytes(12))
        try:
            with open_stored(self._path) as stream:
                stream.seek(max(self.size - TAIL, 0))
                return final_drops(stream.read(TAIL), "big" if big else "little")
        except OSError:
            return {}

    def likely_frames(self) -> int:
        """Guess the number of frames from the file's size, rather too many than too few."""
        return min(max(self.size // SMALL_RECORD * (10 if self._packed else 1), 1024), MOST_FRAMES)

    def expected_frames(self) -> int:
        """Estimate the number of frames by the first records, and close the file."""
        try:
            first = next((records for records in self.batches() if len(records)), None)
        except InputError:
            first = None
        finally:
            self.close()
        if first is None:
            return 0
        read = int(first.start[-1] + first.cap_len[-1] - first.start[0])
        return self.size * (10 if self._packed else 1) * len(first) // max(read, 1)

    def extents(self, length: int) -> list[Extent]:
        """
        Cut what is not compressed to extents of about *length* bytes; where they begin is a guess.

        One that is right ends as a file does; one that is wrong ends with damage.
        """
        head = self._window.bytes(HEAD)
        like = {read_pcap: pcap.likeness, read_pcapng: pcapng.likeness}.get(self._read, lambda _: None)(head)
        begins = [0]
        if like is not None and not self._packed:
            with open_stored(self._path) as stream:
                for wanted in range(length, self.size - length // 2, length):
                    stream.seek(wanted)
                    data = np.frombuffer(stream.read(SEARCHED), np.uint8)
                    place = likely_start(data, like)
                    begins += [wanted + place] if place is not None else []
        ends = [*begins[1:], None]
        return [Extent(begin, end) for begin, end in zip(begins, ends, strict=True)]

    @property
    def position(self) -> int:
        """Return how much was read of ``size``, in bytes of the file as it is stored."""
        return self._window.position

    def places_of(self, records: Records) -> Int64:
        """(n,) The byte of the (decompressed) file where each packet of the batch that was given last begins."""
        found: Int64 = records.start + (self._window.offset - self._window.begin)
        return found

    def first_ns(self) -> int | None:
        """Read the time of the first record, and close the file."""
        times = (int(records.time_ns[0]) for records in self.batches() if len(records))
        try:
            return next(times, None)
        except InputError:
            return None
        finally:
            self.close()

    @property
    def packed(self) -> bool:
        """Tell whether it is compressed: then a frame is found only by reading all before it."""
        return self._packed

    def frames_at(self, places: Int64, lengths: Array) -> Iterator[bytes]:
        """
        Give chosen frames of a file that is not compressed, as far as it still has them all.

        Args:
            places: (n,) where their bytes begin.
            lengths: (n,) how many each has.
        """
        return read_at(self._path, places, lengths)

    def batches(self) -> Iterator[Records]:
        """Give all records, in order; each batch is valid until the next is asked for."""
        try:
            yield from self._read(self._window, self.info)
        finally:
            self._window.close()

    def close(self) -> None:
        """Close a file that is not to be read."""
        self._window.close()
