"""Messages that have names and addresses in them: of DNS (RFC 1035) and DHCP (RFC 2131), each as long afterwards."""

import re
import struct
from itertools import takewhile

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.words import Words
from analyzer.decode.dns import HEADER, MOST_LABELS

A, PTR, SOA, MX, AAAA, SRV, OPT = 1, 12, 6, 15, 28, 33, 41
NAMES_AT = {2: 0, 5: 0, PTR: 0, SOA: 0, MX: 2, SRV: 6, 39: 0}
"""Types of records whose data are a name, behind so many bytes."""
SOA_NUMBERS = 20
POINTER = 0xC0
IP4, IP6 = [b"in-addr", b"arpa"], [b"ip6", b"arpa"]
DIGITS, NIBBLES = re.compile(rb"\d{1,3}"), re.compile(rb"[0-9A-Fa-f]")
MOST_RECORDS = 1000

ADDRESSES_AT, MAC_AT, NAMES_FROM, OPTIONS_AT = (12, 16, 20, 24), 28, 44, 240
"""Of DHCP: client's, yours, server's, relay's; the client's MAC; server's and file's name; and options."""
PLAIN = (1, 12, 15, 26, 28, 51, 52, 53, 55, 57, 58, 59)
"""Options that tell nothing of anybody (RFC 2132), but for the names 12 and 15."""
HOST_NAMES = (12, 15)
OF_ADDRESSES = (3, 4, 5, 6, 28, 32, 42, 44, 50, 54)
CLIENT = 61
END, PAD = 255, 0


class Messages:
    """Which message stands for which."""

    def __init__(self, addresses: Addresses, words: Words) -> None:
        """Take what replaces addresses and names."""
        self._addresses, self._words = addresses, words

    def host_name(self, name: bytes) -> bytes:
        """Replace a host's name as it stands in other protocols: dots between labels."""
        return b".".join(self._labels(name.split(b".")))

    def dns(self, data: bytes) -> bytes:
        """Replace names and addresses of a DNS message; what cannot be read of it is zero."""
        new = bytearray(len(data))
        new[:HEADER] = data[:HEADER]
        place = HEADER
        try:
            _, _, questions, *records = struct.unpack_from(">6H", data)
            for _ in range(min(questions, MOST_RECORDS)):
                place = self._name(data, new, place)
                new[place : place + 4] = data[place : place + 4]
                place += 4
            for _ in range(min(sum(records), MOST_RECORDS)):
                place = self._name(data, new, place)
                kind, size = struct.unpack_from(">H6xH", data, place)
                new[place : place + 10] = data[place : place + 10]
                self._content(data, new, kind, place + 10, size)
                place += 10 + size
        except (struct.error, IndexError):
            pass  # it was cut, or is no DNS: nothing behind is shown
        return bytes(new[: len(data)])

    def _content(self, data: bytes, new: bytearray, kind: int, at: int, size: int) -> None:
        """Replace a record's data."""
        if kind in (A, AAAA) and size == (4 if kind == A else 16) and at + size <= len(data):
            new[at : at + size] = self._addresses.packed(data[at : at + size])
        elif kind in NAMES_AT:
            before = NAMES_AT[kind]
            new[at : at + before] = data[at : at + before]
            end = self._name(data, new, at + before)
            if kind == SOA:
                end = self._name(data, new, end)
                new[end : end + SOA_NUMBERS] = data[end : end + SOA_NUMBERS]

    def _name(self, data: bytes, new: bytearray, at: int) -> int:
        """Replace a name's own labels; those that it points to are where they stand. Return where it ends."""
        labels, places, end = _read(data, at)
        for (place, own), label in zip(places, self._labels(labels), strict=True):
            if own:
                new[place] = len(label)
                new[place + 1 : place + 1 + len(label)] = label
        last = end - 2 if data[end - 1 : end] != b"\0" and data[end - 2] >= POINTER else end - 1
        new[last:end] = data[last:end]
        return end

    def _labels(self, labels: list[bytes]) -> list[bytes]:
        """Replace a name's labels; an address that is spelt in them stays one."""
        zone = [one.lower() for one in labels[-2:]]
        if zone in (IP4, IP6):
            most, part = (4, DIGITS) if zone == IP4 else (32, NIBBLES)
            spelt = list(takewhile(part.fullmatch, reversed(labels[:-2][-most:])))
            begin = len(labels) - 2 - len(spelt)
            told = self._words.reverse([one.decode("latin-1") for one in labels[begin:]])
            return [*map(self._words.name, labels[:begin]), *(one.encode("latin-1") for one in told)]
        found = [self._words.name(one) for one in labels]
        for first in range(len(labels) - 3):
            four = labels[first : first + 4]
            if all(DIGITS.fullmatch(one) and int(one) < 256 for one in four):
                new = self._words.spelt(b".".join(four).decode())
                found[first : first + 4] = new.encode().split(b".")
                break
        return found

    def dhcp(self, data: bytes) -> bytes:
        """Replace addresses and names of a DHCP message; options that are not known are zero."""
        new = bytearray(data[:OPTIONS_AT])
        for at in ADDRESSES_AT:
            if at + 4 <= len(data):
                new[at : at + 4] = self._addresses.packed(data[at : at + 4])
        if len(data) >= MAC_AT + 6:
            new[MAC_AT : MAC_AT + 6] = self._addresses.mac(data[MAC_AT : MAC_AT + 6])
        names = slice(NAMES_FROM, OPTIONS_AT - 4)
        new[names] = bytes(len(new[names]))
        new += bytes(len(data) - len(new))
        place = OPTIONS_AT
        while place + 1 < len(data) and data[place] != END:
            kind, size = data[place], data[place + 1]
            if kind == PAD:
                place += 1
                continue
            new[place : place + 2] = data[place : place + 2]
            content = data[place + 2 : place + 2 + size]
            new[place + 2 : place + 2 + len(content)] = self._option(kind, content)
            place += 2 + size
        if place < len(data) and data[place] == END:
            new[place] = END
        return bytes(new[: len(data)])

    def _option(self, kind: int, content: bytes) -> bytes:
        if kind in HOST_NAMES:
            return self.host_name(content)
        if kind in OF_ADDRESSES and not len(content) % 4:
            quads = (content[at : at + 4] for at in range(0, len(content), 4))
            return b"".join(self._addresses.packed(one) for one in quads)
        if kind == CLIENT and len(content) == 7:
            return content[:1] + self._addresses.mac(content[1:])
        return content if kind in PLAIN else bytes(len(content))


def _read(data: bytes, at: int) -> tuple[list[bytes], list[tuple[int, bool]], int]:
    """
    Read a name, by pointers as well.

    Returns:
        Its labels; where each stands, and whether within the name itself; and where the name ends.
    """
    labels: list[bytes] = []
    places: list[tuple[int, bool]] = []
    end: int | None = None
    while len(labels) < MOST_LABELS:
        length = data[at]
        if length >= POINTER:
            target = (length & 0x3F) << 8 | data[at + 1]
            end = at + 2 if end is None else end
            if target >= at:
                raise IndexError("a pointer that does not lead back")
            at = target
        elif length == 0:
            return labels, places, at + 1 if end is None else end
        elif at + 1 + length > len(data):
            raise IndexError("cut")
        else:
            labels.append(data[at + 1 : at + 1 + length])
            places.append((at, end is None))
            at += 1 + length
    raise IndexError("more labels than a name has")
