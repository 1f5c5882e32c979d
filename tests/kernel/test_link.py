"""Link layers: which network layer follows, and what the header in front tells."""

import struct

import pytest

from analyzer.decode.batch import Decoded, decode
from analyzer.read.records import Interface
from analyzer.schema import Columns, Layer
from tests.build import BRIDGE, C1, ether, ipv4, ipv6, mac, udp
from tests.decode.agree import pack

V4, V6, ARP = 0x0800, 0x86DD, 0x0806
PACKETS = {V4: ipv4("172.17.0.2", "8.8.8.8", 17, udp(7, 53, b"")), V6: ipv6("fd00::2", "fd00::3", 17, udp(7, 53, b""))}
PACKET = PACKETS[V4]
STATES = Layer.CUT | Layer.MALFORMED


def _decoded(data: bytes, link_type: int = 1, wire: int | None = None) -> Decoded:
    return decode(pack([(data, len(data) if wire is None else wire)]), [Interface(link_type, 0)])


def _linked(data: bytes, link_type: int = 1, wire: int | None = None) -> tuple[int, Columns]:
    """Return which network layer was found, and whole, behind the link layer; and the columns."""
    out = _decoded(data, link_type, wire).frames
    kind = V4 if out["layers"][0] & Layer.IPV4 else V6 if out["layers"][0] & Layer.IPV6 else 0
    assert not kind or (int(out["sport"][0]), int(out["dport"][0])) == (7, 53)
    return kind, out


def _sll(kind: int = 4, length: int = 6, proto: int = V4) -> bytes:
    return struct.pack("!HHH8sH", kind, 1, length, mac(C1) + bytes(2), proto)


def _sll2(kind: int = 4, length: int = 6, proto: int = V4, device: int = 12) -> bytes:
    return struct.pack("!HHIHBB8s", proto, 0, device, 1, kind, length, mac(C1) + bytes(2))


def test_ethernet_tells_both_macs() -> None:
    """And the type of what follows."""
    kind, out = _linked(ether(C1, BRIDGE, PACKET))

    assert kind == out["eth_type"][0] == V4
    assert (int(out["eth_src"][0]), int(out["eth_dst"][0])) == tuple(
        int.from_bytes(mac(one), "big") for one in (C1, BRIDGE)
    )
    assert out["layers"][0] & (Layer.VLAN - 1) == Layer.MAC_SRC | Layer.MAC_DST | Layer.ETH_TYPE


@pytest.mark.parametrize(("kind", "typed"), [(38, False), (1500, False), (1501, True), (ARP, True)])
def test_a_length_is_no_type(kind: int, typed: bool) -> None:
    """Up to 1500 the field is a length, and no network layer is known."""
    _, out = _linked(ether(C1, BRIDGE, PACKET, kind))

    assert out["eth_type"][0] == (kind if typed else 0)
    assert bool(out["layers"][0] & Layer.ETH_TYPE) is typed


@pytest.mark.parametrize("tag", [0x8100, 0x88A8, 0x9100])
def test_the_outermost_vlan_counts(tag: int) -> None:
    """Its id without the priority; the type is that behind all tags."""
    inner = struct.pack("!HHHH", 0xE000 | 5, 0x8100, 6, V6)
    kind, out = _linked(ether(C1, BRIDGE, inner + PACKETS[V6], tag))

    assert (kind, out["vlan"][0], out["eth_type"][0]) == (V6, 5, V6)
    assert out["layers"][0] & Layer.VLAN


def test_up_to_sixteen_tags_are_taken_off() -> None:
    """More are nobody's."""
    found = [_linked(ether(C1, BRIDGE, PACKET, vlans=(5,) * count))[0] for count in (1, 3, 16, 17)]

    assert found == [V4, V4, V4, 0]


def test_both_kinds_of_cooked_headers_tell_direction_and_sender() -> None:
    """A sender only where its address is a MAC; SLL2 also the interface."""
    for link_type, header in ((113, _sll), (276, _sll2)):
        kind, out = _linked(header(proto=V6) + PACKETS[V6], link_type)
        assert (kind, out["direction"][0]) == (V6, 4)
        assert out["eth_src"][0] == int.from_bytes(mac(C1), "big")
        assert out["layers"][0] & (Layer.ARP - 1) == Layer.COOKED | Layer.MAC_SRC | Layer.ETH_TYPE
        out = _linked(header(length=8) + PACKET, link_type)[1]
        assert (out["eth_src"][0], out["layers"][0] & (Layer.ARP - 1)) == (0, Layer.COOKED | Layer.ETH_TYPE)
    assert _linked(_sll(kind=0x0104) + PACKET, 113)[1]["direction"][0] == 255


def test_the_interface_of_a_cooked_header_is_known_where_it_is_whole() -> None:
    """What follows a header that is cut is not read."""
    assert _decoded(_sll2() + PACKET, 276).device.tolist() == [12]
    assert _decoded(_sll2()[:19], 276, 80).device.tolist() == [0]


@pytest.mark.parametrize(
    ("family", "kind"), [(2, V4), (10, V6), (24, V6), (28, V6), (30, V6), (3, 0), (0x0200_0000, V4)], ids=str
)
def test_null_has_the_byte_order_of_its_host(family: int, kind: int) -> None:
    """Either; LOOP's is that of the network."""
    data = struct.pack("!I", family) + PACKETS[kind or V4]

    assert _linked(data, 0)[0] == kind
    assert _linked(data, 108)[0] == (0 if family > 0xFFFF else kind)


@pytest.mark.parametrize("link_type", [12, 14, 101])
def test_raw_packets_say_their_version(link_type: int) -> None:
    """Of none but 4 and 6 is anything known; what is not captured says nothing."""
    assert [_linked(data, link_type)[0] for data in (PACKETS[V4], PACKETS[V6], b"\x50" + PACKET[1:])] == [V4, V6, 0]
    assert _decoded(b"", link_type, 40).frames["layers"].tolist() == [Layer.CUT]


def test_other_link_types() -> None:
    """Two of them have but one kind of packet; of one that is not decoded nothing is known."""
    assert [_linked(PACKETS[V4], link_type)[0] for link_type in (228, 229, 147)] == [V4, 0, 0]
    assert [_linked(PACKETS[V6], link_type)[0] for link_type in (228, 229, 147)] == [0, V6, 0]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("ff030021", V4),
        ("ff030057", V6),
        ("0021", V4),
        ("21", V4),
        ("57", V6),
        ("ff0321", V4),
        ("c021", 0),
        ("ff03", 0),
    ],
)
def test_ppp(header: str, kind: int) -> None:
    """With address and control or without, its protocol in two bytes or one (RFC 1661, RFC 1662); LCP has no packet."""
    found, out = _linked(bytes.fromhex(header) + PACKETS[kind or V4], 9)

    assert found == kind
    assert out["layers"][0] & Layer.PPP


def test_pppoe() -> None:
    """A session's frames behind Ethernet's header, tagged or not (RFC 2516); discovery has no packet."""
    session = struct.pack("!BBHHH", 0x11, 0, 7, len(PACKET) + 2, 0x21)
    found = [_linked(ether(C1, BRIDGE, session + PACKET, 0x8864, vlans)) for vlans in ((), (7,))]
    discovery, out = _linked(ether(C1, BRIDGE, session + PACKET, 0x8863))

    assert [kind for kind, _ in found] == [V4, V4]
    assert all(one["layers"][0] & Layer.PPP and one["eth_type"][0] == 0x8864 for _, one in found)
    assert (discovery, out["layers"][0] & Layer.PPP) == (0, 0)


PPPOE = ether(C1, BRIDGE, struct.pack("!BBHHH", 0x11, 0, 7, len(PACKET) + 2, 0x21), 0x8864)


@pytest.mark.parametrize(
    ("link_type", "header"),
    [(1, ether(C1, BRIDGE, b"")), (113, _sll()), (276, _sll2()), (1, ether(C1, BRIDGE, b"", vlans=(5,))),
     (9, b"\xff\3\0\x21"), (1, PPPOE)],
    ids=["Ethernet", "SLL", "SLL2", "VLAN", "PPP", "PPPoE"],
)  # fmt: skip
def test_a_short_header_is_cut_or_malformed(link_type: int, header: bytes) -> None:
    """Cut by the capture, or already too short on the wire; nothing of it is told, and one byte more is enough."""
    short = header[:-1]
    states = [int(_linked(short, link_type, wire)[1]["layers"][0]) & STATES for wire in (len(short) + 1, len(short))]
    kind, out = _linked(header + PACKET, link_type)

    assert states == [Layer.CUT, Layer.MALFORMED]
    assert (kind, out["layers"][0] & STATES) == (V4, 0)


def test_one_frame_does_not_decide_for_others() -> None:
    """Tagged, plain and short frames in one batch."""
    frames = [ether(C1, BRIDGE, PACKET), ether(C1, BRIDGE, PACKETS[V6], V6, vlans=(9,)), ether(C1, BRIDGE, PACKET)[:10]]
    out = decode(pack([(data, 80) for data in frames]), [Interface(1, 0)]).frames

    assert out["eth_type"].tolist() == [V4, V6, 0]
    assert out["vlan"].tolist() == [0, 9, 0]
    assert (out["layers"] & STATES).tolist()[0] == 0
    assert out["layers"][2] & STATES == Layer.CUT
