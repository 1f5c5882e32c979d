"""Link layers: where the network header begins, which it is, and what the header in front tells."""

import struct

import numpy as np
import pytest

from analyzer.decode.gather import Gather
from analyzer.decode.link import Frames, decode_link, interface_of_cooked2
from analyzer.schema import FRAMES, Columns, Layer
from tests.build import BRIDGE, C1, ether, mac
from tests.decode.agree import pack

V4, V6, ARP = 0x0800, 0x86DD, 0x0806
PACKET = b"\x45" + bytes(59)
STATES = Layer.CUT | Layer.MALFORMED


def _placed(data: bytes, wire: int | None) -> tuple[Gather, Frames]:
    records = pack([(data, len(data) if wire is None else wire)])
    start = records.start
    return Gather(records.buffer, start), Frames(start, start + records.cap_len, start + records.orig_len)


def _linked(data: bytes, link_type: int = 1, wire: int | None = None) -> tuple[int, int, Columns]:
    """Return how long the link header is, which network layer follows, and the columns."""
    gather, frames = _placed(data, wire)
    out = FRAMES.empty(1)
    network = decode_link(gather, frames, link_type, out)
    return int(network.at[0] - frames.start[0]), int(network.kind[0]), out


def _sll(kind: int = 4, length: int = 6, proto: int = V4) -> bytes:
    return struct.pack("!HHH8sH", kind, 1, length, mac(C1) + bytes(2), proto)


def _sll2(kind: int = 4, length: int = 6, proto: int = V4, device: int = 12) -> bytes:
    return struct.pack("!HHIHBB8s", proto, 0, device, 1, kind, length, mac(C1) + bytes(2))


def test_ethernet_tells_both_macs() -> None:
    """And the type of what follows."""
    size, kind, out = _linked(ether(C1, BRIDGE, PACKET))

    assert (size, kind, out["eth_type"][0]) == (14, V4, V4)
    assert (int(out["eth_src"][0]), int(out["eth_dst"][0])) == tuple(
        int.from_bytes(mac(one), "big") for one in (C1, BRIDGE)
    )
    assert out["layers"][0] == Layer.MAC_SRC | Layer.MAC_DST | Layer.ETH_TYPE


@pytest.mark.parametrize(("kind", "typed"), [(38, False), (1500, False), (1501, True), (ARP, True)])
def test_a_length_is_no_type(kind: int, typed: bool) -> None:
    """Up to 1500 the field is a length, and no network layer is known."""
    _, found, out = _linked(ether(C1, BRIDGE, PACKET, kind))

    assert found == out["eth_type"][0] == (kind if typed else 0)
    assert bool(out["layers"][0] & Layer.ETH_TYPE) is typed


@pytest.mark.parametrize("tag", [0x8100, 0x88A8, 0x9100])
def test_the_outermost_vlan_counts(tag: int) -> None:
    """Its id without the priority; the type is that behind all tags."""
    inner = struct.pack("!HHHH", 0xE000 | 5, 0x8100, 6, V6)
    size, kind, out = _linked(ether(C1, BRIDGE, inner + PACKET, tag))

    assert (size, kind, out["vlan"][0], out["eth_type"][0]) == (22, V6, 5, V6)
    assert out["layers"][0] & (Layer.VLAN | Layer.LEFT) == Layer.VLAN


def test_more_than_two_tags_are_left_to_the_reference() -> None:
    """Two are taken off here."""
    left = [
        bool(_linked(ether(C1, BRIDGE, PACKET, vlans=(5,) * count))[2]["layers"][0] & Layer.LEFT) for count in range(4)
    ]

    assert left == [False, False, False, True]


def test_both_kinds_of_cooked_headers_tell_direction_and_sender() -> None:
    """A sender only where its address is a MAC; SLL2 also the interface."""
    for size, link_type, header in ((16, 113, _sll), (20, 276, _sll2)):
        at, kind, out = _linked(header(proto=V6) + PACKET, link_type)
        assert (at, kind, out["direction"][0]) == (size, V6, 4)
        assert out["eth_src"][0] == int.from_bytes(mac(C1), "big")
        assert out["layers"][0] == Layer.COOKED | Layer.MAC_SRC | Layer.ETH_TYPE
        out = _linked(header(length=8) + PACKET, link_type)[2]
        assert (out["eth_src"][0], out["layers"][0]) == (0, Layer.COOKED | Layer.ETH_TYPE)
    assert _linked(_sll(kind=0x0104) + PACKET, 113)[2]["direction"][0] == 255


def test_the_interface_of_a_cooked_header_is_known_where_it_is_whole() -> None:
    """What follows a header that is cut is not read."""
    assert interface_of_cooked2(*_placed(_sll2() + PACKET, None)).tolist() == [12]
    assert interface_of_cooked2(*_placed(_sll2()[:19], 80)).tolist() == [0]


@pytest.mark.parametrize(
    ("family", "kind"), [(2, V4), (10, V6), (24, V6), (28, V6), (30, V6), (3, 0), (0x0200_0000, V4)], ids=str
)
def test_null_has_the_byte_order_of_its_host(family: int, kind: int) -> None:
    """Either; LOOP's is that of the network."""
    header = struct.pack("!I", family)

    assert _linked(header + PACKET, 0)[:2] == (4, kind)
    assert _linked(header + PACKET, 108)[:2] == (4, 0 if family > 0xFFFF else kind)


@pytest.mark.parametrize("link_type", [12, 14, 101])
def test_raw_packets_say_their_version(link_type: int) -> None:
    """Of none but 4 and 6 is anything known; what is not captured says nothing."""
    assert [_linked(bytes([first]) + bytes(39), link_type)[:2] for first in (0x45, 0x60, 0x50)] == [
        (0, V4),
        (0, V6),
        (0, 0),
    ]
    gather, frames = _placed(PACKET, 40)
    frames.end[:] = frames.start
    assert decode_link(gather, frames, link_type, FRAMES.empty(1)).kind.tolist() == [0]


def test_other_link_types() -> None:
    """Two of them have but one kind of packet; of one that is not decoded nothing is known."""
    assert [_linked(b"\x60" + bytes(39), link_type)[:2] for link_type in (228, 229, 147)] == [(0, V4), (0, V6), (0, 0)]


@pytest.mark.parametrize(
    ("link_type", "header"),
    [(1, ether(C1, BRIDGE, b"")), (113, _sll()), (276, _sll2()), (1, ether(C1, BRIDGE, b"", vlans=(5,)))],
    ids=["Ethernet", "SLL", "SLL2", "VLAN"],
)
def test_a_short_header_is_cut_or_malformed(link_type: int, header: bytes) -> None:
    """Cut by the capture, or already too short on the wire; nothing of it is told, and one byte more is enough."""
    short = header[:-1]
    states = [int(_linked(short, link_type, wire)[2]["layers"][0]) & STATES for wire in (len(short) + 1, len(short))]
    whole = _linked(header, link_type, 80)

    assert states == [Layer.CUT, Layer.MALFORMED]
    assert _linked(short, link_type, 80)[1] == 0
    assert (whole[1], whole[2]["layers"][0] & STATES) == (V4, 0)


def test_one_frame_does_not_decide_for_others() -> None:
    """Tagged, plain and short frames in one batch."""
    frames = [ether(C1, BRIDGE, PACKET), ether(C1, BRIDGE, PACKET, V6, vlans=(9,)), ether(C1, BRIDGE, PACKET)[:10]]
    records = pack([(data, 80) for data in frames])
    out = FRAMES.empty(3)
    placed = Frames(records.start, records.start + records.cap_len, records.start + records.orig_len)
    network = decode_link(Gather(records.buffer, records.start), placed, 1, out)

    assert (network.at - records.start).tolist() == [14, 18, 0]
    assert network.kind.tolist() == [V4, V6, 0]
    assert out["vlan"].tolist() == [0, 9, 0]
    assert (out["layers"] & np.uint32(STATES)).tolist() == [0, 0, Layer.CUT]
