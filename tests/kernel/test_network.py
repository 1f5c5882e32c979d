"""IP headers: what lies behind the packet they describe is not part of it."""

import struct

import pytest

from analyzer.decode.batch import decode
from analyzer.read.records import Interface
from tests.build import BRIDGE, C1, ether, ipv4, ipv6, tcp, udp
from tests.decode.agree import differences, pack

A4, B4, A6, B6 = "172.17.0.2", "8.8.8.8", "fd00:d::2", "2001:db8::80"
QUOTED_HEADER = ipv4(A4, B4, 17, udp(5000, 53, b"question"))[:20]
QUOTED_HEADER6 = ipv6(A6, B6, 17, udp(5000, 53, b"question"))[:40]
CARRIED = ether(C1, BRIDGE, ipv4("10.0.1.2", "10.0.1.3", 17, udp(1, 2, b"in")))


def _frame4(proto: int, payload: bytes) -> bytes:
    return ether(C1, BRIDGE, ipv4(A4, B4, proto, payload))


def _frame6(proto: int, payload: bytes) -> bytes:
    return ether(C1, BRIDGE, ipv6(A6, B6, proto, payload), 0x86DD)


def _tables(frame: bytes) -> list[dict[str, list[int]]]:
    """What a frame says: all tables, but for the frame's own lengths."""
    decoded = decode(pack([(frame, len(frame))]), [Interface(1, 0)])
    tables = (decoded.frames, decoded.quotes, decoded.neighbours, decoded.tunnels)
    lengths = ("cap_len", "orig_len")
    return [{name: column.tolist() for name, column in table.items() if name not in lengths} for table in tables]


@pytest.mark.parametrize(
    ("frame", "padding"),
    [
        (_frame4(6, tcp(40000, 80, 7, 8, 0x10)), bytes(6)),
        (_frame4(17, udp(5000, 53, b"ask")), bytes(15)),
        (_frame4(17, b"\x13\x88"), b"\x00\x35\x00\x08\x00\x00"),
        (_frame4(47, struct.pack("!HH", 0x2000, 0x0800)), b"\0\0\0\x63" + bytes(14)),
        (_frame4(17, udp(5000, 4789, b"\x08\0\0\0")), b"\0\0\5\0" + CARRIED),
        (_frame4(1, struct.pack("!BBHI", 3, 3, 0, 0) + QUOTED_HEADER), b"\x13\x88\x00\x35"),
        (_frame6(47, struct.pack("!HH", 0x2000, 0x0800)), b"\0\0\0\x63"),
        (_frame6(58, struct.pack("!BBHI", 1, 4, 0, 0) + QUOTED_HEADER6), b"\x13\x88\x00\x35"),
    ],
    ids=["tcp", "udp", "cut-ports", "gre-key", "vxlan", "quote", "gre-key-ipv6", "quote-ipv6"],
)
def test_padding_is_no_payload(frame: bytes, padding: bytes) -> None:
    """A frame that Ethernet fills up says the same as without: the IP header tells where the packet ends."""
    bare, padded = (_tables(data) for data in (frame, frame + padding))

    assert padded == bare
    assert differences(pack([(frame + padding, len(frame + padding))]), [Interface(1, 0)]) == []
