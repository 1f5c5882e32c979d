"""
Payloads replaced: what a protocol begins with stays, as far as hoptrace knows it, and nothing of what is said in it.

Equal payloads are equal afterwards, and those that begin alike, or were cut, begin alike, at every point. Behind the
first bytes, blocks begin with a few that depend on all before, and the rest is zero, so that what is sent packs small.
"""

import re
from functools import lru_cache
from http import HTTPStatus

from analyzer.anonymise import ftp
from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.key import Key
from analyzer.anonymise.messages import Messages
from analyzer.decode import said, tls
from analyzer.decode.digest import DIGEST_BYTES
from analyzer.decode.dns import is_message
from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP

BLOCK, TOLD = 256, 8
"""Bytes of a block, and those at its beginning that are not zero."""
REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) (/?)([\x21-\x7e]*)")
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
VERSION = (b" HTTP/1.1\r\n", b" HTTP/1.0\r\n")
GREETING = re.compile(rb"SSH-2\.0-|\d{3}[ -]|[+-](?:OK|ERR)\b|\* OK\b")
"""What servers that speak first begin with: SSH, FTP and SMTP, POP3, IMAP."""
HANDSHAKE, POSTGRES, MYSQL, QUIC = 5, 8, 5, 5
"""Bytes by which these are known."""
NTP, NTP_VERSIONS = (48, 68), (3, 4)
"""Bytes that its packets have, without and with a signature (RFC 5905 section 7.3), and its versions."""
RANDOM_AT, RANDOM = 11, 32
"""Of a hello of TLS."""
KEPT_EXTENSIONS = (10, 11, 13, 43, 45)
"""Groups, point formats, signature algorithms, versions, key exchange modes (IANA's TLS ExtensionType Values)."""
ALPN, ALPN_USUAL = 16, (b"h2", b"h3", b"http/1.1", b"http/1.0", b"dot", b"acme-tls/1", b"grpc-exp", b"postgresql")
"""The extension of protocols' names (RFC 7301), and those that tell nothing of anybody."""


class Payloads:
    """Which payload stands for which."""

    def __init__(self, key: Key, addresses: Addresses, messages: Messages) -> None:
        """Take what replaces addresses, and messages that have them."""
        self._key, self._addresses, self._messages = key, addresses, messages
        self.opaque = lru_cache(maxsize=1 << 13)(self._opaque)

    def replaced(self, data: bytes, protocol: int, size: int, ports: tuple[int, int]) -> bytes:
        """
        Replace what TCP or UDP carries, *size* bytes before it was cut; it is as long.

        What it is, is told by itself alone where ports may be translated: it must be replaced alike before and after.
        """
        if not data:
            return data
        if protocol == PROTO_TCP:
            if int.from_bytes(data[:2]) + 2 == size and is_message(data[2:]):
                return data[:2] + self._messages.dns(data[2:])
            told = ftp.told(data, self._addresses)
            return told if told is not None else self._stream(data)
        told = self._datagram(data, size, set(ports)) if protocol == PROTO_UDP else None
        return told if told is not None else self.opaque(data)

    def _opaque(self, data: bytes) -> bytes:
        """Replace bytes of which nothing is known."""
        found = bytearray(self._key.prefixes(b"payload", data[:DIGEST_BYTES]))
        for begin in range(DIGEST_BYTES, len(data), BLOCK):
            told = self._key.digest(b"block", data[:begin], TOLD)
            found += (told + bytes(BLOCK - TOLD))[: len(data) - begin]
        return bytes(found)

    def _datagram(self, data: bytes, size: int, ports: set[int]) -> bytes | None:
        if is_message(data):
            return self._messages.dns(data)
        if ports <= set(said.DHCP):
            return self._messages.dhcp(data)
        if NTP[0] <= size <= NTP[1] and data[0] >> 3 & 7 in NTP_VERSIONS and data[0] & 7 in said.NTP_MODES:
            return data[:1] + self.opaque(data)[1:]
        if said.is_quic(data):
            return data[:QUIC] + self.opaque(data)[QUIC:]
        return None

    def _stream(self, data: bytes) -> bytes:
        new = bytearray(self.opaque(data))
        if (found := REQUEST.match(data)) is not None:
            target = found.start(3), found.end(3)
            new[: target[0]] = data[: target[0]]
            new[slice(*target)] = _letters(new[slice(*target)])
            most = max(alike(data[target[1] :], version) for version in VERSION)
            new[target[1] : target[1] + most] = data[target[1] : target[1] + most]
        elif (found := STATUS.match(data)) is not None:
            new[: found.end()] = data[: found.end()]
            _reason(new, data, int(found[1]), found.end())
        elif data.startswith(said.HTTP2):
            new[: len(said.HTTP2)] = said.HTTP2
        elif len(data) > HANDSHAKE and data[0] in (20, 21, 22, 23) and data[1] == 3 and data[2] <= 4:
            self._record(new, data)
        elif (found := GREETING.match(data)) is not None:
            end = data.find(b"\r\n")
            new[: found.end()] = data[: found.end()]
            new[found.end() : end if end > 0 else None] = _letters(new[found.end() : end if end > 0 else None])
            new[end : end + 2] = b"\r\n" if end > 0 else new[end : end + 2]
        elif (found := said.REDIS.match(data)) is not None:
            new[: found.end()] = data[: found.end()]
        elif len(data) >= POSTGRES and int.from_bytes(data[4:8]) in said.POSTGRES:
            new[:POSTGRES] = data[:POSTGRES]
        elif (found := said.MYSQL.match(data)) is not None:
            new[:MYSQL] = data[:MYSQL]
            new[MYSQL : found.end()] = _letters(new[MYSQL : found.end() - 1]) + b"\0"
        return bytes(new)

    def _record(self, new: bytearray, data: bytes) -> None:
        """Keep what a record of TLS says of itself; of a hello, what is offered, and the name by another one."""
        new[:HANDSHAKE] = data[:HANDSHAKE]
        if data[0] == tls.ALERT:
            new[HANDSHAKE : HANDSHAKE + 2] = data[HANDSHAKE : HANDSHAKE + 2]
        if tls.record(data) not in tls.HANDSHAKES.values():
            return
        new[HANDSHAKE:RANDOM_AT] = data[HANDSHAKE:RANDOM_AT]
        at = RANDOM_AT + RANDOM
        if at >= len(data):
            return
        session = at + 1 + data[at]
        new[at] = data[at]
        extensions = tls.extensions_at(data)
        new[session:extensions] = data[session:extensions]
        for kind, begin, length in tls.extensions_of(data):
            new[begin - 4 : begin] = data[begin - 4 : begin]
            content = data[begin : begin + length]
            if kind == tls.SERVER_NAME and len(content) > 5:
                content = content[:5] + self._messages.host_name(content[5:])
            elif kind == ALPN:
                content = _usual_names(content)
            elif kind not in KEPT_EXTENSIONS:
                content = bytes(len(content))
            new[begin : begin + length] = content


def alike(data: bytes, text: bytes) -> int:
    """Return how many bytes of *data* begin as *text* does: what was cut may end within it."""
    pairs = enumerate(zip(data, text, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(data), len(text)))


def _reason(new: bytearray, data: bytes, code: int, at: int) -> None:
    """Keep a status' usual words."""
    usual = HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else ""
    most = alike(data[at:], usual.encode() + b"\r\n")
    new[at : at + most] = data[at : at + most]
    end = data.find(b"\r\n", at)
    if most < len(usual) + 2 and end > 0:
        new[at:end] = _letters(new[at:end])
        new[end : end + 2] = b"\r\n"


def _usual_names(content: bytes) -> bytes:
    """Replace the protocols' names that are not usual ones by as many letters."""
    new, place = bytearray(content), 2
    while place < len(new):
        inside = slice(place + 1, place + 1 + new[place])
        new[inside] = new[inside] if new[inside] in ALPN_USUAL else b"x" * len(new[inside])
        place = inside.stop
    return bytes(new)


def _letters(data: bytearray) -> bytes:
    return bytes(ord("a") + byte % 26 for byte in data)
