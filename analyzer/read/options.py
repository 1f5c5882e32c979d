"""Options and small blocks of pcapng: interface descriptions, statistics, names.

Takes a block's body, gives values. Options that are cut or senseless end the list; they never end the file.
"""

import ipaddress
from collections.abc import Iterator

from analyzer.read.records import Interface

IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_FCSLEN, IF_TSOFFSET = 2, 3, 9, 13, 14
ISB_IFDROP, ISB_OSDROP = 5, 7
NRB_IPV4, NRB_IPV6 = 1, 2
MOST_OPTIONS = 1000
"""Of one block; further ones are passed over."""


def _int(data: bytes, order: str, *, signed: bool = False) -> int:
    return int.from_bytes(data, "big" if order == ">" else "little", signed=signed)


def text(value: bytes) -> str:
    """Decode an option's UTF-8 text; bytes that are none become U+FFFD."""
    return value.decode("utf-8", "replace").rstrip("\0")


def options_of(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Give (code, value) of each option."""
    place = 0
    for _ in range(MOST_OPTIONS):
        if place + 4 > len(data):
            return
        code, length = _int(data[place : place + 2], order), _int(data[place + 2 : place + 4], order)
        if code == 0 or place + 4 + length > len(data):
            return
        yield code, data[place + 4 : place + 4 + length]
        place += 4 + (length + 3) // 4 * 4


def interface_description(body: bytes, order: str) -> Interface:
    """Read an Interface Description Block of at least 8 bytes."""
    found = Interface(link_type=_int(body[:2], order), snap_len=_int(body[4:8], order))
    for code, value in options_of(body[8:], order):
        if code == IF_NAME:
            found.name = text(value)
        elif code == IF_DESCRIPTION:
            found.description = text(value)
        elif code == IF_TSRESOL and len(value) == 1:
            power = value[0] & 0x7F
            # 19 decimal or 63 binary digits are what 64-bit ticks can use; more would divide everything to zero.
            found.units_per_second = 1 << min(power, 63) if value[0] & 0x80 else 10 ** min(power, 19)
        elif code == IF_FCSLEN and len(value) == 1:
            found.fcs_len = value[0]
        elif code == IF_TSOFFSET and len(value) == 8:
            found.offset_s = _int(value, order, signed=True)
    return found


def interface_statistics(body: bytes, order: str) -> int | None:
    """Return the frames that the interface and the system dropped, None if the block does not say."""
    drops = [
        _int(value, order)
        for code, value in options_of(body[12:], order)
        if code in (ISB_IFDROP, ISB_OSDROP) and len(value) == 8
    ]
    return sum(drops) if drops else None


def name_resolution(body: bytes, order: str) -> dict[str, str]:
    """Return address texts with the first name each has."""
    names: dict[str, str] = {}
    for kind, value in options_of(body, order):
        size = {NRB_IPV4: 4, NRB_IPV6: 16}.get(kind)
        if size is None or len(value) <= size:
            continue
        first = text(value[size:].split(b"\0", 1)[0])
        if first:
            names.setdefault(str(ipaddress.ip_address(value[:size])), first)
    return names
