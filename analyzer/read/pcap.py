"""Reads pcap files (draft-ietf-opsawg-pcap), in batches of records.

Takes a window, gives batches and fills in the file's FileInfo. Microsecond and nanosecond files, both byte orders,
Kuznetzov's "modified" records, FCS lengths in the link type. Whole records before any damage are kept.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read.chain import Layout, read_chain
from analyzer.read.records import MAX_RECORD, FileInfo, Interface, Records
from analyzer.read.source import Window
from analyzer.read.walk import Likeness, Shape

FILE_HEADER = 24
RECORD_HEADER = 16
MODIFIED_RECORD_HEADER = 24

MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
MODIFIED = 0xA1B2CD34
"""Alexey Kuznetzov's patched libpcap: interface index, protocol and packet type follow the record header."""

LONGEST = 48
"""Times 65,536 seconds: what the high bytes of times in one file differ by at the most, some 36 days."""

FCS_PRESENT = 0x0400_0000
"""Bit of the link type field: the upper four bits count 16-bit words of frame check sequence."""


def is_pcap(magic: bytes) -> bool:
    """Tell a pcap file by its first four bytes."""
    return any(int.from_bytes(magic[:4], order) in (MICROSECONDS, NANOSECONDS, MODIFIED) for order in ("big", "little"))


def _is_big_endian(header: bytes) -> bool:
    return int.from_bytes(header[:4], "big") in (MICROSECONDS, NANOSECONDS, MODIFIED)


def declared_interface(header: bytes) -> Interface:
    """Return the one interface that a whole file header describes."""
    word = np.frombuffer(header[:FILE_HEADER], ">u4" if _is_big_endian(header) else "<u4")
    network = int(word[5])
    return Interface(
        link_type=network & 0xFFFF,
        snap_len=int(word[4]),
        fcs_len=(network >> 28) * 2 if network & FCS_PRESENT else 0,
        units_per_second=1_000_000_000 if int(word[0]) == NANOSECONDS else 1_000_000,
    )


def record_header(header: bytes) -> int:
    """Return how many bytes stand before each frame, by a file header's first four bytes."""
    magic = int.from_bytes(header[:4], "big" if _is_big_endian(header) else "little")
    return MODIFIED_RECORD_HEADER if magic == MODIFIED else RECORD_HEADER


def read_pcap(window: Window, info: FileInfo) -> Iterator[Records]:
    """
    Give the file's records in batches; *info* is filled in as they are read.

    Raises:
        UnknownFormatError: not pcap, or a version other than 2.
        InputError: the file header is cut.
    """
    header = window.bytes(FILE_HEADER)
    if len(header) < FILE_HEADER:
        raise InputError(f"{info.name}: pcap file header cut: needed {FILE_HEADER} bytes, found {len(header)}")
    info.big_endian = _is_big_endian(header)
    half = np.frombuffer(header, ">u2" if info.big_endian else "<u2")
    major, minor = int(half[2]), int(half[3])
    if major != 2:
        raise UnknownFormatError(f"{info.name}: pcap version {major}.{minor} at byte 4, known is 2.4")
    info.interfaces.append(declared_interface(header))
    info.section.append(0)
    window.take(FILE_HEADER)
    window.enter()
    yield from read_chain(window, info, _layout(header))


def _layout(header: bytes) -> Layout:
    """Return how records look, by a whole file header."""
    big, size = _is_big_endian(header), record_header(header)
    minor = int(np.frombuffer(header[:FILE_HEADER], ">u2" if big else "<u2")[3])
    # Before 2.3 the two lengths stood in the other order (libpcap's sf-pcap.c, SWAPPED).
    cap_len, orig_len = (2, 3) if minor >= 3 else (3, 2)
    shape = Shape(
        header=size,
        length_at=4 * cap_len,
        base=size,
        minimum=size,
        maximum=size + MAX_RECORD,
        multiple=1,
        # Times of one file agree in their high bytes; that makes record headers recognisable.
        signature_at=0 if big else 2,
    )
    return Layout(shape, seconds=0, fraction=1, cap_len=cap_len, orig_len=orig_len)


def likeness(head: bytes) -> Likeness | None:
    """Return what records look like, by a file's first bytes; None if they do not show one."""
    big, place = _is_big_endian(head), FILE_HEADER
    if len(head) < FILE_HEADER + MODIFIED_RECORD_HEADER:
        return None
    shape = _layout(head).shape
    first = int.from_bytes(head[place + shape.signature_at : place + shape.signature_at + 2], "little")
    # What is read the wrong way round does not ascend with time.
    return Likeness(shape, ">" if big else "<", first, 0 if big else LONGEST)
