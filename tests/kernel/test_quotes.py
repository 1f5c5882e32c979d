"""What ICMP errors quote, and the MTU that some of them tell."""

import struct
from ipaddress import ip_address

import pytest

from analyzer.decode.batch import Decoded, decode
from analyzer.read.records import Interface
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, echo, ether, ipv4, ipv6, tcp, udp
from tests.decode.agree import pack

A, B, A6, B6 = "172.17.0.2", "8.8.8.8", "fd00:d::2", "2001:db8::80"
QUESTION = ipv4(A, B, 17, udp(5000, 53, b"question"))
QUESTION6 = ipv6(A6, B6, 17, udp(5000, 53, b"question"))
WORD = 0x0001_0578
"""What stands in an error's second word: the MTU 1400 in its lower half."""


def _error(kind: int, code: int, quoted: bytes = QUESTION) -> bytes:
    return ether(BRIDGE, C1, ipv4(B, A, 1, struct.pack("!BBHI", kind, code, 0, WORD) + quoted))


def _error6(kind: int, code: int, quoted: bytes = QUESTION6) -> bytes:
    return ether(BRIDGE, C1, ipv6(B6, A6, 58, struct.pack("!BBHI", kind, code, 0, WORD) + quoted), 0x86DD)


def _decoded(*frames: bytes) -> Decoded:
    return decode(pack([(frame, len(frame)) for frame in frames]), [Interface(1, 0)])


@pytest.mark.parametrize("kind", range(20))
def test_errors_of_ipv4_quote(kind: int) -> None:
    """Five types are errors; others, echoes among them, quote nothing whatever follows."""
    decoded = _decoded(_error(kind, 0))
    quotes = kind in (3, 4, 5, 11, 12)

    assert len(decoded.quotes["row"]) == quotes
    assert bool(decoded.frames["layers"][0] & Layer.QUOTE) is quotes


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 11, 12, 128, 135])
def test_errors_of_ipv6_quote(kind: int) -> None:
    """The four first types are errors, whose numbers mean something else in IPv4."""
    assert len(_decoded(_error6(kind, 0)).quotes["row"]) == (kind in (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("frame", "mtu"),
    [
        (_error(3, 4), 0x0578),
        (_error(3, 1), 0),
        (_error(11, 4), 0),
        (_error6(2, 0), WORD),
        (_error6(3, 4), 0),
        (_error6(1, 4), 0),
    ],
    ids=["too long", "unreachable", "time", "too big, IPv6", "time, IPv6", "port, IPv6"],
)
def test_only_packets_that_are_too_long_have_an_mtu(frame: bytes, mtu: int) -> None:
    """Sixteen bits of IPv4's, all thirty-two of IPv6's; elsewhere the word means something else."""
    assert _decoded(frame).quotes["mtu"].tolist() == [mtu]


def test_the_quoted_packet_is_decoded_as_far_as_it_goes() -> None:
    """Addresses, ports, and of TCP the sequence number, which are all that eight bytes hold."""
    segment = ipv4(A, B, 6, tcp(40000, 80, 77, 99, 0x10, b"data"), ident=4711)
    decoded = _decoded(_error(3, 3, segment[:28]), _error6(1, 4))
    quotes = decoded.quotes

    assert [int(quotes[name][0]) for name in ("sport", "dport", "seq", "ack", "ip_id")] == [40000, 80, 77, 0, 4711]
    assert quotes["src"][0] == int(ip_address(A))
    assert not quotes["layers"][0] & Layer.TCP
    assert int(quotes["src_hi"][1]) << 64 | int(quotes["src"][1]) == int(ip_address(A6))
    assert (quotes["sport"][1], quotes["dport"][1]) == (5000, 53)


def test_the_length_that_a_quoted_header_says_is_kept() -> None:
    """Though the error has but a part of the packet."""
    long = ipv4(A, B, 17, udp(5000, 53, bytes(1400)))

    assert _decoded(_error(3, 4, long[:28])).quotes["ip_len"].tolist() == [len(long)]


@pytest.mark.parametrize(
    "frame",
    [_error(3, 3, b""), _error(3, 3, QUESTION[:19]), _error(3, 3, QUESTION6), _error6(1, 4, QUESTION)],
    ids=["nothing", "too little", "of IPv6", "of IPv4"],
)
def test_what_is_no_packet_of_the_same_version_is_no_quote(frame: bytes) -> None:
    """The error itself is decoded nonetheless."""
    decoded = _decoded(frame)

    assert len(decoded.quotes["row"]) == 0
    assert decoded.frames["layers"][0] & (Layer.ICMP | Layer.QUOTE) == Layer.ICMP


def test_each_quote_is_of_its_error() -> None:
    """Among pings, and errors that quote nothing."""
    ping = ether(C1, BRIDGE, ipv4(A, B, 1, echo(8, 7, 1)))
    other = ipv4(A, "9.9.9.9", 17, udp(5001, 53, b"x"))
    quotes = _decoded(ping, _error(3, 3, b"\0" * 30), _error(3, 4), ping, _error(11, 0, other)).quotes

    assert quotes["row"].tolist() == [2, 4]
    assert quotes["dst"].tolist() == [int(ip_address(B)), int(ip_address("9.9.9.9"))]
    assert quotes["mtu"].tolist() == [0x0578, 0]
