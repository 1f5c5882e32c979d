"""FTP's control connection, in which one side tells the other where it waits for data (RFC 959, RFC 2428)."""

import re

from analyzer.anonymise.addresses import Addresses

WAITS = re.compile(
    rb"(?P<before>PORT |227 [^\r\n\d(]*\(?)(?P<ip>\d{1,3}(?:,\d{1,3}){3})(?P<port>,\d{1,3},\d{1,3}[^\r\n]{0,2}\r?\n)",
    re.I,
)
EXTENDED = re.compile(rb"229 [^\r\n(]*\(\|\|\|\d{1,5}\|\)[^\r\n]{0,2}\r?\n")
CODE = 4
"""Bytes of a reply's code, and the space behind it."""


def told(data: bytes, addresses: Addresses) -> bytes | None:
    """Return a line that tells a port, with the address that stands for its own; None if it is another one."""
    if EXTENDED.fullmatch(data):
        return data
    found = WAITS.fullmatch(data)
    if found is None or any(int(one) > 255 for one in found["ip"].split(b",")):
        return None
    new = addresses.packed(bytes(map(int, found["ip"].split(b","))))
    before, longer = found["before"], len(b",".join(b"%d" % one for one in new)) - len(found["ip"])
    if longer > 0 and len(before) - longer > CODE:
        before = before[:CODE] + before[CODE + longer :]
        longer = 0
    return before + _spelt(new, len(found["ip"]) + len(found["before"]) - len(before)) + found["port"]


def _spelt(address: bytes, length: int) -> bytes:
    """Spell an address in so many characters: zeros before its numbers, or without one's end if there is no room."""
    numbers = [b"%d" % one for one in address]
    for place in (3, 2, 1, 0):
        room = length - len(b",".join(numbers))
        wanted = max(min(len(numbers[place]) + room, 3), 1)
        numbers[place] = numbers[place].zfill(wanted)[:wanted]
    return b",".join(numbers).ljust(length, b"0")[:length]
