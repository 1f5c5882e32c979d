"""Link layers, one frame at a time: what is taken off, and where and why decoding stops."""

import struct
from collections.abc import Callable

import pytest

from analyzer.decode.reference_link import Layered, link
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, ether, mac

V4, V6, ARP = 0x0800, 0x86DD, 0x0806
PACKET = b"\x45" + bytes(39)
MAC = int.from_bytes(mac(C1), "big")


def _linked(data: bytes, link_type: int = 1, wire: int | None = None) -> tuple[int, Layered]:
    """Return what follows the link layer, and where decoding has come to."""
    frame = Layered(data, len(data) if wire is None else wire)
    return link(frame, link_type), frame


def _sll(kind: int = 4, length: int = 6, proto: int = V4) -> bytes:
    return struct.pack("!HHH8sH", kind, 1, length, mac(C1) + bytes(2), proto)


def _sll2(kind: int = 4, length: int = 6, proto: int = V4) -> bytes:
    return struct.pack("!HHIHBB8s", proto, 0, 12, 1, kind, length, mac(C1) + bytes(2))


@pytest.mark.parametrize("length", [6, 0, 8])
@pytest.mark.parametrize(("link_type", "header"), [(113, _sll), (276, _sll2)])
def test_cooked_headers_have_a_sender_if_its_address_is_a_mac(
    link_type: int, header: Callable[..., bytes], length: int
) -> None:
    """Direction and type are told in any case."""
    kind, frame = _linked(header(length=length, proto=V6) + PACKET, link_type)

    assert (kind, frame.row["direction"], frame.data) == (V6, 4, PACKET)
    assert frame.row.get("eth_src") == (MAC if length == 6 else None)
    assert frame.layers == Layer.COOKED | Layer.ETH_TYPE | (Layer.MAC_SRC if length == 6 else 0)


def test_a_packet_type_that_is_too_large_for_its_column_is_the_largest() -> None:
    """It does not become another by losing its upper byte."""
    assert _linked(_sll(kind=0x0104) + PACKET, 113)[1].row["direction"] == 255


def test_tags_are_taken_off_and_the_outermost_is_told() -> None:
    """Its id without the priority; as many as sixteen, and no more."""
    kind, frame = _linked(ether(C1, BRIDGE, struct.pack("!HHHH", 0xE005, 0x88A8, 6, V6) + PACKET, 0x9100))
    assert (kind, frame.row["vlan"], frame.row["eth_type"], frame.place) == (V6, 5, V6, 22)

    assert _linked(ether(C1, BRIDGE, PACKET, vlans=(7,) * 16))[0] == V4
    assert _linked(ether(C1, BRIDGE, PACKET, vlans=(7,) * 17))[0] == 0x8100


@pytest.mark.parametrize(("field", "kind"), [(0, 0), (1500, 0), (1501, 1501), (ARP, ARP)])
def test_a_length_is_no_type(field: int, kind: int) -> None:
    """Up to 1500 it is a length, and no network layer is known."""
    found, frame = _linked(ether(C1, BRIDGE, PACKET, field))

    assert (found, frame.row.get("eth_type", 0)) == (kind, kind)
    assert bool(frame.layers & Layer.ETH_TYPE) is bool(kind)


@pytest.mark.parametrize(
    ("link_type", "header", "said"),
    [
        (1, ether(C1, BRIDGE, b""), "Ethernet header at byte 0: needed 14 bytes, found 13"),
        (113, _sll(), "LINUX_SLL header at byte 0: needed 16 bytes, found 15"),
        (276, _sll2(), "LINUX_SLL2 header at byte 0: needed 20 bytes, found 19"),
        (1, ether(C1, BRIDGE, b"", vlans=(5,)), "VLAN header at byte 14: needed 4 bytes, found 3"),
    ],
    ids=["Ethernet", "SLL", "SLL2", "VLAN"],
)
def test_a_header_that_is_not_all_there_stops_decoding(link_type: int, header: bytes, said: str) -> None:
    """With its name and place; it was cut by the capture, or is malformed if it was no longer on the wire."""
    cut, malformed = (_linked(header[:-1], link_type, len(header) - less) for less in (0, 1))

    assert (cut[0], cut[1].stopped, malformed[1].stopped) == (0, said, said)
    assert cut[1].layers & (Layer.CUT | Layer.MALFORMED) == Layer.CUT
    assert malformed[1].layers & (Layer.CUT | Layer.MALFORMED) == Layer.MALFORMED
    assert (_linked(header, link_type)[0], _linked(header, link_type)[1].stopped) == (V4, "")


@pytest.mark.parametrize(("family", "kind"), [(2, V4), (10, V6), (24, V6), (28, V6), (30, V6), (3, 0)])
def test_null_has_the_byte_order_of_its_host(family: int, kind: int) -> None:
    """Either; LOOP's is that of the network. A header that is cut tells nothing, and is not taken off."""
    big, little = struct.pack(">I", family), struct.pack("<I", family)

    assert [_linked(big + PACKET, 0)[0], _linked(little + PACKET, 0)[0]] == [kind, kind]
    assert [_linked(big + PACKET, 108)[0], _linked(little + PACKET, 108)[0]] == [kind, 0]
    assert _linked(big[:3], 0, 40) == (0, Layered(big[:3], 40))


def test_raw_packets_say_their_version() -> None:
    """Unless their link type does, or nothing of them was captured."""
    said = [[_linked(bytes([first]), link_type, 40)[0] for first in (0x45, 0x60, 0x50)] for link_type in (12, 14, 101)]

    assert said == [[V4, V6, 0]] * 3
    assert [_linked(b"", link_type, 40)[0] for link_type in (101, 228, 229, 147)] == [0, V4, V6, 0]
