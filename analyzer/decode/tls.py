"""TLS as a connection begins with it (RFC 8446): what record, and of a ClientHello the name that it asks for.

dpkt reads whole records only, and captures keep a part of them.
"""

import re
import struct
from collections.abc import Iterator

HANDSHAKE, ALERT, HANDSHAKES = 22, 21, {1: "ClientHello", 2: "ServerHello"}
SERVER_NAME, SUPPORTED_VERSIONS = 0, 43
"""Extensions (RFC 6066 section 3, RFC 8446 section 4.2.1)."""
VERSIONS = {0x0300: "SSL 3.0", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
NAME = re.compile(rb"[A-Za-z0-9._-]{1,255}")


def record(data: bytes) -> str | None:
    """Return what the first record is: a handshake's message, ``alert``; None if it is no TLS."""
    if len(data) < 6 or data[1] != 3 or data[2] > 4:
        return None
    if data[0] == HANDSHAKE:
        return HANDSHAKES.get(data[5])
    return "alert" if data[0] == ALERT else None


def is_hello(data: bytes) -> bool:
    """Tell a ClientHello."""
    return record(data) == HANDSHAKES[1]


def is_alert(data: bytes) -> bool:
    """Tell an alert, by which a server says that it does not understand."""
    return len(data) >= 5 and data[0] == ALERT and data[1] == 3


def hello(data: bytes) -> str:
    """Return the name and the version of a ClientHello or a ServerHello, each after a space, if they are kept."""
    extensions = _extensions(data)
    name, offered = server_name(data), extensions.get(SUPPORTED_VERSIONS, b"")
    if record(data) == HANDSHAKES[2]:
        version = int.from_bytes(offered[:2]) if len(offered) == 2 else int.from_bytes(data[9:11])
        return f" {VERSIONS[version]}" if version in VERSIONS else ""
    versions = [int.from_bytes(offered[at : at + 2]) for at in range(1, len(offered) - 1, 2)]
    highest = max((one for one in versions if one in VERSIONS), default=None)
    return (f" {name}" if name else "") + (f" {VERSIONS[highest]}" if highest is not None else "")


def server_name(data: bytes) -> str | None:
    """Return the name that a ClientHello asks for; None if it has none, or too little of it was kept."""
    told = _extensions(data).get(SERVER_NAME, b"") if is_hello(data) else b""
    if len(told) < 5 or len(told) != 5 + int.from_bytes(told[3:5]):
        return None
    return told[5:].decode("ascii") if NAME.fullmatch(told[5:]) else None


def _extensions(data: bytes) -> dict[int, bytes]:
    """Return the extensions of a hello that are there whole, by their types."""
    found: dict[int, bytes] = {}
    for kind, begin, length in extensions_of(data):
        found.setdefault(kind, data[begin : begin + length])
    return found


def extensions_of(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Give the type of each extension of a hello that is there whole, where its content begins, and its length."""
    place = extensions_at(data)
    end = min(place + int.from_bytes(data[place - 2 : place]), len(data))
    while place + 4 <= end:
        kind, length = struct.unpack_from("!HH", data, place)
        place += 4
        if place + length <= len(data):
            yield kind, place, length
        place += length


def extensions_at(data: bytes) -> int:
    """Return where the extensions of a hello begin, behind their length; the data's end if that was cut off."""
    try:
        place = 5 + 4 + 2 + 32  # record, handshake, version, random
        place += 1 + data[place]  # session
        if record(data) == HANDSHAKES[1]:
            place += 2 + struct.unpack_from("!H", data, place)[0]  # ciphers
            place += 1 + data[place]  # compression
        else:
            place += 3  # the cipher, the compression
    except (struct.error, IndexError):
        return len(data)
    return min(place + 2, len(data))
