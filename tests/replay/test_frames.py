"""Frames that a kernel takes, made of what captures kept."""

import struct

import pytest

from analyzer.decode.checksum import Sum, verify
from analyzer.replay.frames import ends, ethernet, same, whole
from tests.build import ether, ipv4, ipv6, tcp, udp

MACS = ("02:42:ac:11:00:02", "02:42:a1:69:d2:b1")
SYN = ipv4("172.17.0.2", "8.8.8.8", 6, tcp(40_000, 80, 1, 0, 2), ident=7)


def _icmp(kind: int, ident: int, seq: int) -> bytes:
    return struct.pack("!BBHHH", kind, 0, 0, ident, seq)


@pytest.mark.parametrize(
    "packet",
    [
        SYN,
        ipv4("172.17.0.2", "8.8.8.8", 17, udp(40_000, 53, b"x" * 40)),
        ipv4("172.17.0.2", "8.8.8.8", 1, _icmp(8, 1, 1) + b"y" * 56),
        ipv6("fd00::2", "2001:db8::1", 58, _icmp(128, 1, 1) + b"y" * 8),
        ipv6("fd00::2", "2001:db8::1", 6, tcp(40_000, 80, 1, 0, 2)),
        ipv6("fd00::2", "2001:db8::1", 17, udp(40_000, 53, b"odd")),
    ],
)
def test_checksums(packet: bytes) -> None:
    """Right after it, whatever they were: a sender leaves them to its card."""
    made = whole(packet)

    assert made is not None
    assert len(made) == len(packet)
    assert verify(made) in (Sum.RIGHT, Sum.UNKNOWN)
    assert packet[0] >> 4 == 6 or _header_sum(made) == 0xFFFF


def _header_sum(packet: bytes) -> int:
    total = sum(struct.unpack("!10H", packet[:20]))
    return (total & 0xFFFF) + (total >> 16)


def test_what_was_cut() -> None:
    """Zeros stand for what was not kept; rules do not look at it, and lengths are as they were."""
    long = ipv4("172.17.0.2", "8.8.8.8", 17, udp(40_000, 53, b"x" * 1000))
    made = whole(long[:60])

    assert made is not None
    assert (len(made), made[:28], made[60:]) == (len(long), made[:28], b"\0" * (len(long) - 60))
    assert struct.unpack_from("!H", made, 24)[0] == 1008


def test_datagrams_without_a_checksum() -> None:
    """Over IPv4 there may be none, and then there is none."""
    packet = bytearray(ipv4("172.17.0.2", "8.8.8.8", 17, udp(40_000, 53, b"x")))
    packet[26:28] = b"\0\0"
    made = whole(bytes(packet))

    assert made is not None
    assert made[26:28] == b"\0\0"


@pytest.mark.parametrize(
    "packet", [b"", b"\x45", SYN[:19], b"\x4f" + SYN[1:20], b"\x50" + SYN[1:], b"\x60" + b"\0" * 30]
)
def test_what_is_no_packet(packet: bytes) -> None:
    """Nothing can be made of it."""
    assert whole(packet) is None


def test_ethernet() -> None:
    """Plain frames of IP, alone."""
    assert ethernet(ether(*MACS, SYN)) == (ether(*MACS, SYN)[:12], SYN)
    assert ethernet(ether(*MACS, SYN)[:12] + b"\x08\x06" + SYN) is None
    assert ethernet(b"short") is None


def test_the_same_packet() -> None:
    """What forwarding and NAT leave alone says so; an answer, and another packet of the same ends, are not it."""
    translated = ipv4("192.168.1.100", "9.9.9.9", 6, tcp(1024, 8080, 1, 0, 2), ident=7)
    other = ipv4("172.17.0.2", "8.8.8.8", 6, tcp(40_000, 80, 2, 0, 2), ident=8)
    reset = ipv4("8.8.8.8", "172.17.0.2", 6, tcp(80, 40_000, 0, 2, 0x14), ident=7)
    six = ipv6("fd00::2", "2001:db8::1", 6, tcp(40_000, 80, 1, 0, 2))

    assert same(SYN, translated)
    assert same(six, ipv6("fd00:1::100", "2001:db8::1", 6, tcp(1, 2, 1, 0, 2)))
    assert not same(SYN, other)
    assert not same(SYN, reset)
    assert not same(SYN, six)
    assert not same(SYN, b"")


def test_ends() -> None:
    """Addresses, and ports of protocols that have them."""
    assert ends(SYN)[2:] == (40_000, 80)
    assert ends(ipv4("172.17.0.2", "8.8.8.8", 1, _icmp(8, 1, 1)))[2:] == (None, None)
