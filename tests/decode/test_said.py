"""What payloads say in a few words, whole and cut; what is not sure is not said."""

import struct

import pytest

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.decode.said import said

QUESTION = bytes.fromhex("123401000001000000000000") + b"\3web\7example\0" + bytes.fromhex("00010001")
NXDOMAIN = bytes.fromhex("123481830001000000000000") + QUESTION[12:]
ANSWER = (
    bytes.fromhex("123481800001000200000000") + QUESTION[12:]
    + bytes.fromhex("c00c000100010000003c0004") + bytes((10, 0, 0, 1))
    + bytes.fromhex("c00c000100010000003c0004") + bytes((10, 0, 0, 2))
)  # fmt: skip
DISCOVER = b"\1\1\6\0" + bytes(232) + b"\x63\x82\x53\x63" + b"\x35\1\1\xff"
POSTGRES = struct.pack("!II", 40, 196_608) + b"user\0alice\0"


@pytest.mark.parametrize(
    ("data", "sport", "dport", "told"),
    [
        (b"GET /a?b=1 HTTP/1.1\r\nHost: x\r\n", 5, 80, "HTTP GET /a?b=1"),
        (b"GET /cut-off", 5, 80, "HTTP GET /cut-off"),
        (b"HTTP/1.1 404 Not Found\r\n", 80, 5, "HTTP 404 Not Found"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 5, 80, "HTTP/2 preface"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", 22, 5, "SSH OpenSSH_9.9"),
        (b"*1\r\n$4\r\nping\r\n", 5, 6379, "Redis PING"),
        (POSTGRES, 5, 5432, "Postgres startup"),
        (b"J\0\0\0\x0a8.0.36\0abcd", 3306, 5, "MySQL 8.0.36"),
        (b"220 mail ready\r\n", 25, 5, "SMTP 220 mail ready"),
        (b"220 mail ready\r\n", 5, 25, None),
        (b"\x15\3\3\0\2\2\x28", 443, 5, "TLS alert"),
        (b"\0\x1d" + QUESTION, 5, 53, "DNS A? web.example"),
        (b"get / http", 5, 80, None),
        (b"HTTP/1.1 200", 80, 5, None),
        (b"GET /\x1b[31m HTTP/1.1\r\n", 5, 80, "HTTP GET /"),
        (b"", 5, 80, None),
    ],
)
def test_what_a_connection_says_first(data: bytes, sport: int, dport: int, told: str | None) -> None:
    """Protocols whose first bytes are their own; nothing that a terminal would take for an order."""
    assert said(data, PROTO_TCP, sport, dport) == told


@pytest.mark.parametrize(
    ("data", "sport", "dport", "told"),
    [
        (QUESTION, 5, 53, "DNS A? web.example"),
        (NXDOMAIN, 53, 5, "DNS NXDOMAIN, A web.example"),
        (ANSWER, 53, 5, "DNS 10.0.0.1 and 1 more"),
        (QUESTION, 5353, 5353, "mDNS A? web.example"),
        (QUESTION, 5, 5, None),
        (QUESTION[:11], 5, 53, None),
        (DISCOVER, 68, 67, "DHCP discover"),
        (DISCOVER[:200], 68, 67, None),
        (b"\x23" + bytes(47), 5, 123, "NTP client"),
        (b"\x24" + bytes(47), 123, 5, "NTP server"),
        (b"\xc3\0\0\0\1\x08" + bytes(1200), 5, 443, "QUIC Initial"),
        (b"\xd3\x6b\x33\x43\xcf\x08" + bytes(1200), 5, 443, "QUIC Initial"),
        (b"\x43\0\0\0\1\x08" + bytes(1200), 5, 443, None),
    ],
)
def test_what_a_datagram_says(data: bytes, sport: int, dport: int, told: str | None) -> None:
    """By its port, and by what stands in it."""
    assert said(data, PROTO_UDP, sport, dport) == told


def test_others_say_nothing() -> None:
    """Neither ICMP nor SCTP."""
    assert said(b"GET / HTTP/1.1\r\n", 132, 5, 80) is None
