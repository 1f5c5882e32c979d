"""Questions for addresses and their answers, of ARP and of neighbour discovery in the same words."""

import struct
from ipaddress import ip_address

import pytest

from analyzer.decode.batch import Decoded, decode
from analyzer.read.records import Interface
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, C2, arp, ether, ipv6, mac
from tests.decode.agree import pack

A, B, A6, B6 = "172.17.0.2", "172.17.0.1", "fd00:d::2", "fd00:d::1"
NOBODY, OTHER = "00:00:00:00:00:00", "02:00:00:00:00:99"
STATES = Layer.CUT | Layer.MALFORMED


def _decoded(frame: bytes, wire: int | None = None) -> Decoded:
    return decode(pack([(frame, len(frame) if wire is None else wire)]), [Interface(1, 0)])


def _told(decoded: Decoded) -> list[tuple[int, str, int, int, str]]:
    """Return operation, what was asked, the MAC, to which MAC, and the peer."""
    found = decoded.neighbours
    ends = [
        [
            str(ip_address(int(high) << 64 | int(low)))
            for high, low in zip(found[f"{name}_hi"], found[name], strict=True)
        ]
        for name in ("asked", "peer")
    ]
    columns = found["op"].tolist(), ends[0], found["mac"].tolist(), found["to_mac"].tolist(), ends[1]
    return list(zip(*columns, strict=True))


def _mac(text: str) -> int:
    return int.from_bytes(mac(text), "big")


def _arp(message: bytes) -> bytes:
    return ether(C1, BRIDGE, message, 0x0806)


def _ndp(kind: int, options: bytes = b"", *, code: int = 0, target: str = B6) -> bytes:
    body = struct.pack("!BBHI", kind, code, 0, 0) + ip_address(target).packed + options
    return ether(C1, BRIDGE, ipv6(A6, B6, 58, body, hops=255), 0x86DD)


def _option(kind: int, address: str, units: int = 1) -> bytes:
    return bytes([kind, units]) + mac(address)


def test_a_question_and_its_answer_are_about_one_address() -> None:
    """Who asks is the peer of the question; who is answered is the peer of the answer."""
    question, answer = (_decoded(_arp(message)) for message in (arp(1, C1, A, NOBODY, B), arp(2, BRIDGE, B, C1, A)))

    assert _told(question) == [(1, B, _mac(C1), 0, A)]
    assert _told(answer) == [(2, B, _mac(BRIDGE), _mac(C1), A)]
    assert question.frames["layers"][0] & (Layer.ARP | Layer.NEIGHBOUR | STATES) == Layer.ARP | Layer.NEIGHBOUR
    assert question.frames["payload_len"].tolist() == [0]


def test_an_operation_that_is_too_large_for_its_column_is_the_largest() -> None:
    """It does not become a question by losing its upper byte."""
    assert [row[0] for row in _told(_decoded(_arp(arp(257, C1, A, NOBODY, B))))] == [255]


@pytest.mark.parametrize(
    ("message", "wire", "state"),
    [
        (b"\0\6" + arp(1, C1, A, NOBODY, B)[2:], 28, Layer.MALFORMED),
        (arp(1, C1, A, NOBODY, B)[:4] + b"\6\x10" + arp(1, C1, A, NOBODY, B)[6:], 28, Layer.MALFORMED),
        (arp(1, C1, A, NOBODY, B)[:27], 27, Layer.MALFORMED),
        (arp(1, C1, A, NOBODY, B)[:27], 28, Layer.CUT),
    ],
    ids=["other hardware", "other addresses", "short", "cut"],
)
def test_arp_that_is_not_for_ethernet_and_ipv4_tells_nothing(message: bytes, wire: int, state: int) -> None:
    """Nor does one that is too short, or was cut by the capture, which is no fault of its sender."""
    decoded = _decoded(_arp(message), 14 + wire)

    assert _told(decoded) == []
    assert decoded.frames["layers"][0] & (Layer.ARP | STATES) == state


def test_solicitations_and_advertisements() -> None:
    """In the words of ARP: the peer of an advertisement is who it goes to."""
    assert _told(_decoded(_ndp(135, _option(1, C2)))) == [(1, B6, _mac(C2), _mac(BRIDGE), A6)]
    assert _told(_decoded(_ndp(136, _option(2, C2), target=A6))) == [(2, A6, _mac(C2), _mac(BRIDGE), B6)]


@pytest.mark.parametrize(
    ("kind", "options", "found"),
    [
        (135, b"", C1),
        (135, _option(2, C2), C1),
        (136, _option(1, C2), C1),
        (135, _option(14, OTHER) + _option(1, C2), C2),
        (135, _option(1, OTHER, 2) + bytes(8) + _option(1, C2), C2),
        (135, _option(1, OTHER, 0) + _option(1, C2), C1),
        (135, _option(1, C2)[:7], C1),
        (135, _option(14, OTHER) * 3 + _option(1, C2), C2),
        (135, _option(14, OTHER) * 4 + _option(1, C2), C1),
    ],
    ids=["none", "target's", "source's", "second", "too long", "without a size", "cut", "the last", "one too many"],
)
def test_the_mac_is_that_of_its_option(kind: int, options: bytes, found: str) -> None:
    """The source's of a question, the target's of an answer; without it, that of who sent the frame."""
    assert [row[2] for row in _told(_decoded(_ndp(kind, options)))] == [_mac(found)]


@pytest.mark.parametrize(
    ("frame", "cut"),
    [(_ndp(134), None), (_ndp(137), None), (_ndp(135, code=1), None), (_ndp(135), -1)],
    ids=["router", "redirect", "code", "cut"],
)
def test_other_messages_ask_for_nobody(frame: bytes, cut: int | None) -> None:
    """Of ICMPv6 only solicitations and advertisements, of code 0, with their whole target."""
    decoded = _decoded(frame[:cut], len(frame))

    assert _told(decoded) == []
    assert not decoded.frames["layers"][0] & Layer.NEIGHBOUR
