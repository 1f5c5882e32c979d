"""Transport headers: which columns they fill, and where the payload begins behind them."""

import struct

import pytest

from analyzer.decode.batch import decode
from analyzer.read.records import Interface
from analyzer.schema import Columns, Layer
from tests.build import BRIDGE, C1, echo, ether, ipv4, ipv6, tcp, udp
from tests.decode.agree import pack

A, B, A6, B6 = "172.17.0.2", "8.8.8.8", "fd00:d::2", "2001:db8::80"
STAMPS = b"\x08\x0a" + struct.pack("!II", 111, 222)
IP_HEADERS = 34
"""Bytes of Ethernet and IPv4 before the transport header."""
FILLED = Layer.PORTS | Layer.TCP | Layer.TCP_TS | Layer.UDP | Layer.ICMP | Layer.ECHO | Layer.TAG
STATES = Layer.CUT | Layer.MALFORMED


def _frames(proto: int, body: bytes, *, cut: int | None = None, flags: int = 0x4000) -> Columns:
    """Decode one IPv4 packet, of which only *cut* bytes behind the IP header were captured."""
    frame = ether(C1, BRIDGE, ipv4(A, B, proto, body, flags=flags))
    kept = frame if cut is None else frame[: IP_HEADERS + cut]
    return decode(pack([(kept, len(frame))]), [Interface(1, 0)]).frames


def _value(frames: Columns, *names: str) -> list[int]:
    return [int(frames[name][0]) for name in names]


def _layers(frames: Columns, of: int = FILLED) -> int:
    return int(frames["layers"][0]) & of


def _segment(options: bytes, payload: bytes = b"data") -> bytes:
    """Build a TCP segment with some options, to be multiples of four bytes."""
    header = (20 + len(options)) // 4 << 12
    return struct.pack("!HHIIHHHH", 40000, 80, 7, 8, header | 0x118, 501, 0, 0) + options + payload


def test_tcp() -> None:
    """All fields; twelve bits of flags; the payload begins where the header says."""
    found = _frames(6, _segment(b"\1" * 8, b"data"))

    assert _value(found, "sport", "dport", "seq", "ack", "tcp_flags", "window") == [40000, 80, 7, 8, 0x118, 501]
    assert _value(found, "payload_len") == [4]
    assert _layers(found) == Layer.PORTS | Layer.TCP


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (b"\1\1" + STAMPS, True),
        (STAMPS + b"\1\1", True),
        (b"\2\4\5\xb4\4\2" + STAMPS + b"\1\3\3\7", True),
        (b"\0\2" + STAMPS, False),
        (b"\x08\x08" + STAMPS[2:8] + b"\1\1\1\1", False),
        (b"\2\0" + STAMPS, False),
        (b"\1\1\x08\x0a" + STAMPS[2:6], False),
    ],
    ids=["usual", "first", "behind others", "behind the end", "other length", "without a length", "too long"],
)
def test_timestamps_are_found_wherever_they_stand(options: bytes, found: bool) -> None:
    """But not behind the end of the options, nor where a length cannot be."""
    told = _frames(6, _segment(options))

    assert _value(told, "tsval", "tsecr") == ([111, 222] if found else [0, 0])
    assert bool(_layers(told) & Layer.TCP_TS) is found
    assert _value(told, "payload_len") == [4]


def test_a_tcp_header_that_is_cut_still_says_where_the_payload_begins() -> None:
    """Options that were not captured give no timestamps; of less than the fixed header, ports and number are known."""
    segment = _segment(b"\1\1" + STAMPS)
    some, fixed, eight, four = (_frames(6, segment, cut=cut) for cut in (31, 20, 8, 4))

    assert [_value(one, "payload_len", "tsval") for one in (some, fixed)] == [[4, 0], [4, 0]]
    assert _layers(some) == _layers(fixed) == Layer.PORTS | Layer.TCP
    assert (_layers(eight), _value(eight, "sport", "seq", "ack")) == (Layer.PORTS, [40000, 7, 0])
    assert (_layers(four), _value(four, "sport", "seq")) == (Layer.PORTS, [40000, 0])
    assert _layers(_frames(6, segment, cut=3)) == 0


@pytest.mark.parametrize("offset", [4, 15])
def test_an_impossible_tcp_header_length_is_malformed(offset: int) -> None:
    """Below the fixed header, or beyond the packet: ports are told, nothing else of TCP."""
    wrong = struct.pack("!HHIIHHHH", 40000, 80, 7, 8, offset << 12 | 0x10, 501, 0, 0) + b"data"
    found = _frames(6, wrong)

    assert _layers(found, FILLED | Layer.MALFORMED) == Layer.PORTS | Layer.MALFORMED
    assert _value(found, "sport", "ack", "tcp_flags", "payload_len") == [40000, 0, 0, 24]


@pytest.mark.parametrize(
    ("proto", "header", "layers"),
    [
        (17, 8, Layer.PORTS | Layer.UDP),
        (136, 8, Layer.PORTS),
        (33, 8, Layer.PORTS),
        (132, 12, Layer.PORTS | Layer.TAG),
        (47, 4, 0),
        (50, 8, Layer.TAG),
        (1, 8, Layer.ICMP),
        (89, 0, 0),
    ],
    ids=["UDP", "UDP-Lite", "DCCP", "SCTP", "GRE", "ESP", "ICMP", "OSPF"],
)
def test_each_protocol_has_its_header(proto: int, header: int, layers: int) -> None:
    """The payload begins behind it; a packet that is shorter on the wire is malformed."""
    body = b"\x0d\0\0\x35\0\0\0\x63" + bytes(12)
    found = _frames(proto, body)

    assert (_layers(found), _value(found, "payload_len")) == (layers, [len(body) - header])
    assert _layers(found, STATES) == 0
    if header:
        assert _layers(_frames(proto, body[: header - 1]), FILLED | STATES) == Layer.MALFORMED


def test_echoes_have_an_identifier() -> None:
    """Requests and replies, by the numbers of their IP version; in other messages the word means something else."""
    for kind in (0, 8):
        assert _value(_frames(1, echo(kind, 777, 3)), "icmp_type", "icmp_id", "icmp_seq") == [kind, 777, 3]
    for kind in (13, 128):
        assert _value(_frames(1, echo(kind, 777, 3)), "icmp_type", "icmp_id", "icmp_seq") == [kind, 0, 0]
    frames = [ether(C1, BRIDGE, ipv6(A6, B6, 58, echo(kind, 777, 3)), 0x86DD) for kind in (128, 129, 8)]
    found = decode(pack([(one, len(one)) for one in frames]), [Interface(1, 0)]).frames
    assert found["icmp_id"].tolist() == [777, 777, 0]


def test_icmp_of_the_other_ip_version_is_not_decoded() -> None:
    """Its number means nothing there."""
    assert _layers(_frames(58, echo(128, 777, 3))) == 0
    frame = ether(C1, BRIDGE, ipv6(A6, B6, 1, echo(8, 777, 3)), 0x86DD)
    assert _layers(decode(pack([(frame, len(frame))]), [Interface(1, 0)]).frames) == 0


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (struct.pack("!HHI", 0x2000, 0x0800, 99), 99),
        (struct.pack("!HHII", 0xA000, 0x0800, 5, 99), 99),
        (struct.pack("!HHI", 0x8000, 0x0800, 99), None),
        (struct.pack("!HHI", 0, 0x0800, 99), None),
        (struct.pack("!HHI", 0xA000, 0x0800, 99), None),
    ],
    ids=["key", "checksum and key", "checksum", "neither", "too short"],
)
def test_gre_has_a_key_where_its_flags_say_so(body: bytes, key: int | None) -> None:
    """Behind the checksum, if there is one."""
    found = _frames(47, body)

    assert _layers(found) == (0 if key is None else Layer.TAG)
    assert _value(found, "seq", "ack") == [key or 0, 0]


def test_tags_of_esp_and_sctp() -> None:
    """ESP's number goes with its SPI; of SCTP that is cut, the tag is known from eight bytes on."""
    assert _value(_frames(50, struct.pack("!II", 0xBEEF, 3)), "seq", "ack") == [0xBEEF, 3]
    sctp = struct.pack("!HHII", 1, 2, 0xCAFE, 0)
    assert [_value(_frames(132, sctp, cut=cut), "seq") for cut in (8, 7)] == [[0xCAFE], [0]]


def test_a_later_fragment_has_no_transport_header() -> None:
    """Its first bytes are payload; the first fragment has one."""
    later, first = _frames(17, udp(5, 53, b"x"), flags=0x2001), _frames(17, udp(5, 53, b"x"), flags=0x2000)

    assert (_layers(later), _value(later, "sport", "payload_len")) == (0, [0, 9])
    assert (_layers(first), _value(first, "sport", "payload_len")) == (Layer.PORTS | Layer.UDP, [5, 1])


def test_ports_do_not_need_the_whole_header() -> None:
    """Four bytes of a datagram tell them; it is no UDP then."""
    found = _frames(17, udp(5000, 53, b"question"), cut=4)

    assert (_layers(found), _value(found, "sport", "dport")) == (Layer.PORTS, [5000, 53])
    assert _layers(_frames(17, udp(5000, 53, tcp(1, 2, 3, 4, 2)), cut=8)) == Layer.PORTS | Layer.UDP
