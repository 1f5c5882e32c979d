"""Reads tar archives as a stream of plain files (POSIX.1-2008 pax, ustar, GNU's long names).

Python's own module takes the size that a header declares into memory, and follows maps of sparse files without end; an
archive that somebody sends must do neither. Links, devices and everything else that is no plain file are passed over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

BLOCK = 512
MOST_HEADER = 1 << 16
"""Bytes of a name, or of all of a member's pax records."""
CHUNK = 1 << 18
PLAIN, OLD_PLAIN, CONTIGUOUS, FOLDER = b"0", b"\0", b"7", b"5"
LONG_NAME, PAX = b"L", b"x"

Read = Callable[[int], bytes]
"""Gives at most so many bytes, none at the end."""


class TarError(Exception):
    """Not a tar archive, from here on."""


@dataclass(slots=True)
class Member:
    """A plain file, or a folder; ``content`` is to be read before the next member."""

    name: str
    is_folder: bool
    content: Iterator[bytes]


def members(read: Read) -> Iterator[Member]:
    """
    Give the members of an archive, one after the other.

    Raises:
        TarError: it is damaged, or none.
    """
    name: str | None = None
    size: int | None = None
    while (header := _exactly(read, BLOCK, "header")) and any(header):
        _check(header)
        kind, declared = header[156:157], _number(header[124:136])
        if kind in (LONG_NAME, PAX):
            if declared > MOST_HEADER:
                raise TarError(f"a name of {declared} bytes")
            data = _exactly(read, _padded(declared), "name")[:declared]
            if kind == LONG_NAME:
                name = _text(data)
            else:
                records = dict(_pax(data))
                name = records.get("path", name)
                size = _decimal(records["size"]) if "size" in records else None
            continue
        length = declared if size is None else size
        content = _content(read, length)
        if kind in (PLAIN, OLD_PLAIN, CONTIGUOUS, FOLDER):
            yield Member(name if name is not None else _name(header), kind == FOLDER, content)
        for _ in content:  # what nobody wanted
            pass
        name = size = None


def _content(read: Read, length: int) -> Iterator[bytes]:
    left = length
    while left:
        data = read(min(left, CHUNK))
        if not data:
            raise TarError(f"cut: {left} bytes of a member are missing")
        left -= len(data)
        yield data
    _exactly(read, _padded(length) - length, "padding")


def _exactly(read: Read, size: int, what: str) -> bytes:
    """Read so many bytes; none at all only where a header might follow."""
    found = b""
    while len(found) < size:
        data = read(size - len(found))
        if not data:
            if found or what != "header":
                raise TarError(f"cut in a {what}")
            return b""
        found += data
    return found


def _padded(size: int) -> int:
    return (size + BLOCK - 1) // BLOCK * BLOCK


def _check(header: bytes) -> None:
    """Compare the checksum: the sum of all bytes, its own taken for blanks."""
    if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise TarError("no tar header: its checksum is wrong")


def _number(field: bytes) -> int:
    """Read an octal number, or GNU's binary one."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return int(field.split(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        raise TarError("no tar header: a number is none") from None


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise TarError("a size that is none")
    return int(text)


def _pax(data: bytes) -> Iterator[tuple[str, str]]:
    """Give keyword and value of each record, ``LENGTH KEYWORD=VALUE`` and a line feed."""
    while data:
        digits, blank, _ = data.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 8 and blank else 0
        keyword, equals, value = data[len(digits) + 1 : length - 1].partition(b"=")
        if not equals or data[length - 1 : length] != b"\n":
            raise TarError("a pax record that is none")
        yield keyword.decode("utf-8", "replace"), value.decode("utf-8", "replace")
        data = data[length:]


def _name(header: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500])
    return f"{prefix}/{name}" if header[257:263] == b"ustar\0" and prefix else name


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "surrogateescape")
