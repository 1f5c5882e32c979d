"""All layers together: what a digest covers, and frames that come in VXLAN."""

import struct

import pytest

from analyzer.decode.batch import KEEP_ALL, Decoded, decode
from analyzer.read.records import Interface
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, C2, arp, ether, ipv4, mac, tcp, udp
from tests.decode.agree import pack

A, B, OUTER, PEER = "10.0.1.2", "10.0.1.3", "192.168.1.100", "192.168.1.101"
INNER = ether(C1, C2, ipv4(A, B, 17, udp(5000, 53, b"inside")))
ASKED = ether(C1, C2, arp(1, C1, A, "00:00:00:00:00:00", B), 0x0806)
VNI_7 = b"\x08\0\0\0\0\0\7\0"


def _udp(payload: bytes) -> bytes:
    return ether(C1, C2, ipv4(A, B, 17, udp(5000, 53, payload)))


def _vxlan(inner: bytes, *, head: bytes = VNI_7, port: int = 4789, flags: int = 0x4000) -> bytes:
    return ether(BRIDGE, C2, ipv4(OUTER, PEER, 17, udp(40000, port, head + inner), flags=flags))


def _decoded(*frames: bytes, keep: int = KEEP_ALL, cut: int | None = None) -> Decoded:
    return decode(pack([(frame[:cut], len(frame)) for frame in frames]), [Interface(1, 0)], keep=keep)


def _digests(*payloads: bytes, keep: int = KEEP_ALL, cut: int | None = None) -> list[int | None]:
    frames = _decoded(*map(_udp, payloads), keep=keep, cut=cut).frames
    has = frames["layers"] & Layer.DIGEST != 0
    return [digest if known else None for digest, known in zip(frames["digest"].tolist(), has.tolist(), strict=True)]


def test_a_digest_covers_what_every_point_kept() -> None:
    """Counted from the network header on, so 28 bytes of headers go before; and never more than 32 bytes."""
    one, other = _digests(b"a" * 20 + b"x" * 20, b"a" * 20 + b"y" * 20, keep=28 + 20)
    assert one == other
    one, other = _digests(b"a" * 20 + b"x" * 20, b"a" * 20 + b"y" * 20, keep=28 + 21)
    assert one != other
    one, other = _digests(b"a" * 32 + b"x", b"a" * 32 + b"y")
    assert one == other


def test_a_frame_that_is_cut_too_short_has_no_digest() -> None:
    """One without any payload has, and so has one that kept as much as every point did."""
    long, none = b"a" * 40, b""

    assert _digests(long, cut=42 + 31) == [None]
    assert None not in _digests(long, cut=42 + 32)
    assert None not in _digests(long, cut=42 + 10, keep=28 + 10)
    assert None not in _digests(none, keep=0)


@pytest.mark.parametrize("port", [4789, 8472])
def test_the_frame_inside_takes_the_place_of_its_carrier(port: int) -> None:
    """The carrier is a row of TUNNELS; lengths and times stay those of what was captured."""
    decoded = _decoded(_udp(b"x"), _vxlan(INNER, port=port))
    frames, tunnels = decoded.frames, decoded.tunnels

    assert frames["src"][1] == int.from_bytes(bytes([10, 0, 1, 2]), "big")
    assert (frames["dport"][1], frames["eth_src"][1]) == (53, int.from_bytes(mac(C1), "big"))
    assert frames["layers"][1] & (Layer.TUNNEL | Layer.UDP) == Layer.TUNNEL | Layer.UDP
    assert not frames["layers"][0] & Layer.TUNNEL
    assert (frames["cap_len"][1], frames["time_ns"][1], frames["frame"][1]) == (len(INNER) + 50, 1, 2)
    assert (tunnels["row"].tolist(), tunnels["vni"].tolist()) == ([1], [7])
    assert tunnels["src"][0] == int.from_bytes(bytes([192, 168, 1, 100]), "big")
    assert tunnels["dport"][0] == port


@pytest.mark.parametrize(
    "frame",
    [
        _vxlan(INNER, port=4790),
        _vxlan(INNER, head=b"\0\0\0\0\0\0\7\0"),
        _vxlan(INNER, head=b"\x08\0\0\1\0\0\7\0"),
        _vxlan(INNER, head=b"\x08\0\0\0\0\0\7\1"),
        _vxlan(INNER, flags=0x2000),
        _vxlan(ether(C1, C2, b"\x42\x42\3" + bytes(30), 38)),
        ether(BRIDGE, C2, ipv4(OUTER, PEER, 6, tcp(40000, 4789, 1, 2, 0x10, VNI_7 + INNER))),
        ether(BRIDGE, C2, ipv4(OUTER, PEER, 17, udp(40000, 4789, VNI_7[:6]))),
    ],
    ids=["port", "no I flag", "reserved bits", "reserved byte", "fragment", "no network layer", "TCP", "cut header"],
)
def test_what_is_no_vxlan_stays_as_it_is(frame: bytes) -> None:
    """Anything else on that port is a packet like others."""
    decoded = _decoded(frame)

    assert decoded.frames["src"][0] == int.from_bytes(bytes([192, 168, 1, 100]), "big")
    assert not decoded.frames["layers"][0] & Layer.TUNNEL
    assert len(decoded.tunnels["row"]) == 0


def test_a_tunnel_in_a_tunnel_is_not_searched() -> None:
    """One is taken off; the packet inside is then a datagram for that port."""
    decoded = _decoded(_vxlan(_vxlan(INNER, head=b"\x08\0\0\0\0\0\x09\0")))

    assert decoded.frames["dport"].tolist() == [4789]
    assert decoded.tunnels["vni"].tolist() == [7]


def test_what_carried_frames_ask_and_quote_is_of_their_carrier() -> None:
    """Rows of side tables count the frames as they were captured."""
    error = struct.pack("!BBHI", 3, 3, 0, 0) + ipv4(B, A, 17, udp(1, 2, b"q"))
    carried = [_vxlan(ASKED), _vxlan(ether(C1, C2, ipv4(A, B, 1, error)))]
    decoded = _decoded(_udp(b"x"), carried[0], _vxlan(INNER), carried[1], ASKED)

    assert decoded.neighbours["row"].tolist() == [1, 4]
    assert decoded.quotes["row"].tolist() == [3]
