"""Reads snoop files (RFC 1761), in batches of records: big-endian, microseconds, records padded to 4 bytes."""

from collections.abc import Iterator

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read.chain import Layout, read_chain
from analyzer.read.records import (
    LINKTYPE_ETHERNET,
    LINKTYPE_NONE,
    MAX_RECORD,
    FileInfo,
    Interface,
    Records,
)
from analyzer.read.source import Window
from analyzer.read.walk import Shape

MAGIC = b"snoop\0\0\0"
FILE_HEADER = 16
RECORD_HEADER = 24
DATALINK_ETHERNET = 4
LAYOUT = Layout(
    Shape(
        header=RECORD_HEADER,
        length_at=8,
        base=0,
        minimum=RECORD_HEADER,
        maximum=RECORD_HEADER + MAX_RECORD + 64,
        multiple=1,
        signature_at=16,
    ),
    seconds=4,
    fraction=5,
    cap_len=1,
    orig_len=0,
)


def is_snoop(magic: bytes) -> bool:
    """Tell a snoop file by its first eight bytes."""
    return magic[:8] == MAGIC


def read_snoop(window: Window, info: FileInfo) -> Iterator[Records]:
    """
    Give the file's records in batches.

    Raises:
        UnknownFormatError: a version other than 2.
        InputError: the file header is cut.
    """
    header = window.bytes(FILE_HEADER)
    if len(header) < FILE_HEADER:
        raise InputError(f"{info.name}: snoop file header cut: needed {FILE_HEADER} bytes, found {len(header)}")
    version = int.from_bytes(header[8:12], "big")
    if version != 2:
        raise UnknownFormatError(f"{info.name}: snoop version {version} at byte 8, known is 2")
    info.big_endian = True
    ethernet = int.from_bytes(header[12:16], "big") == DATALINK_ETHERNET
    info.interfaces.append(Interface(LINKTYPE_ETHERNET if ethernet else LINKTYPE_NONE, snap_len=0))
    window.take(FILE_HEADER)
    yield from read_chain(window, info, LAYOUT)
