"""Datagrams in fragments that nobody answers: how many it takes, and what was answered beside them."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.fragments_lost import causes
from analyzer.explain.hypothesis import Cause
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, echo, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet

PORT = 40_000
LATE_MS = 20_000


def _in_two(
    scene: Scene, ms: float, ident: int, *, proto: int = 17, whole: bytes | None = None, until: str = "wlan0",
    first: int = 800,
) -> None:  # fmt: skip
    """Send a datagram in two fragments, the first one with so many bytes."""
    body = whole or udp(PORT, 7, b"q" * 1200)
    for offset, data in ((0, body[:first]), (first // 8, body[first:])):
        flags = (0x2000 if offset == 0 else 0) | offset
        for point, src, macs, ttl in (("veth-c2", INSIDE, (C1, BRIDGE), 64), ("wlan0", HOST, (UPLINK, GATEWAY), 63)):
            made = bytearray(packet(src, SERVER, proto, data, ttl=ttl, ident=ident))
            made[6:8] = flags.to_bytes(2, "big")
            if point == "veth-c2" or until == "wlan0":
                scene.see(point, ms + (point == "wlan0") * 0.1, frame(*macs, bytes(made)))


def _short(
    scene: Scene, ms: float = 0, *, size: int = 20, dport: int = 7, dst: str = SERVER, told: bool = True
) -> None:
    """Send a datagram in one packet, which may be answered."""
    scene.out(ms, 17, udp(PORT, dport, b"s" * size), dst=dst)
    if told:
        scene.back(ms + 5, 17, udp(dport, PORT, b"answer"), src=dst)


def _causes(scene: Scene, end_ms: float = LATE_MS) -> list[Cause]:
    scene.out(end_ms, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    return list(causes(scene.case()))


@pytest.mark.parametrize(("count", "told"), [(1, []), (2, [2, 3]), (3, [2, 3, 4])])
def test_two_of_them_are_enough(tmp_path: Path, count: int, told: list[int]) -> None:
    """One may be lost for any reason."""
    scene = Scene(tmp_path)
    _short(scene)
    for number in range(count):
        _in_two(scene, 100 + number * 100, 50 + number)

    assert [packet for cause in _causes(scene) for packet in cause.packets] == told


@pytest.mark.parametrize(
    ("short", "told"),
    [
        ({}, True),
        ({"told": False}, False),
        ({"dport": 8}, False),
        ({"dst": "9.9.9.9"}, False),
    ],
    ids=["answered", "unanswered", "another-port", "another-server"],
)
def test_the_same_server_and_port_has_to_answer_what_is_short(
    tmp_path: Path, short: dict[str, object], told: bool
) -> None:
    """Else it may be the server itself that says nothing."""
    scene = Scene(tmp_path)
    _short(scene, **short)  # type: ignore[arg-type]
    for number in range(2):
        _in_two(scene, 100 + number * 100, 50 + number)

    assert len(_causes(scene)) == told


def test_fragments_that_were_answered_are_not_lost(tmp_path: Path) -> None:
    """Of three, those that got answers are left out."""
    scene = Scene(tmp_path)
    _short(scene)
    for number in range(3):
        _in_two(scene, 1000 + number * 1000, 50 + number)
        if number != 1:
            scene.back(1005 + number * 1000, 17, udp(7, PORT, b"answer"))

    assert _causes(scene) == []


def test_an_answer_to_fragments_is_none_to_what_is_short(tmp_path: Path) -> None:
    """Who answers some of them does not drop them for being fragments."""
    scene = Scene(tmp_path)
    for number in range(3):
        _in_two(scene, 1000 + number * 1000, 50 + number)
    scene.back(1005, 17, udp(7, PORT, b"answer"))

    assert _causes(scene) == []


def test_what_somebody_complained_of_is_told_elsewhere(tmp_path: Path) -> None:
    """An ICMP error says better why it went no further."""
    scene = Scene(tmp_path)
    _short(scene)
    for number in range(2):
        _in_two(scene, 100 + number * 100, 50 + number)
        scene.error(110 + number * 100, 11, 1, 17, udp(PORT, 7, b"q" * 1200)[:800], ident=50 + number)

    assert _causes(scene) == []


def test_an_answer_needs_time(tmp_path: Path) -> None:
    """Captures that end at once show nothing."""
    scene = Scene(tmp_path)
    _short(scene)
    for number in range(2):
        _in_two(scene, 100 + number * 100, 50 + number)

    assert _causes(scene, 900) == []


def test_what_went_no_further_inside_is_another_matter(tmp_path: Path) -> None:
    """Only fragments that left are lost beyond."""
    scene = Scene(tmp_path)
    _short(scene)
    for number in range(2):
        _in_two(scene, 100 + number * 100, 50 + number, until="veth-c2")

    assert _causes(scene) == []


def test_pings_are_datagrams_as_well(tmp_path: Path) -> None:
    """A long ping is not answered, and a short one is."""
    scene = Scene(tmp_path)
    scene.out(0, 1, echo(8, 7, 1, b"s" * 20))
    scene.back(5, 1, echo(0, 7, 1, b"s" * 20))
    for number in range(2):
        _in_two(scene, 100 + number * 100, 50 + number, proto=1, whole=echo(8, 7, 2 + number, b"q" * 1200))

    assert [cause.key for cause in _causes(scene)] == [(SERVER, 0)]


def test_the_longest_that_was_answered_is_told(tmp_path: Path) -> None:
    """Beside the shortest first fragment that was not, by server and port."""
    scene = Scene(tmp_path)
    for number, size in enumerate((20, 300, 100)):
        _short(scene, number * 10, size=size)
    for number in range(2):
        _in_two(scene, 100 + number * 100, 50 + number, first=800 - 80 * number)
    (cause,) = _causes(scene)
    told = cause.told(list(cause.packets))

    assert cause.key == (SERVER, 7)
    assert (told.facts["server"], told.facts["port"], told.facts["last"]) == (SERVER, 7, "wlan0")
    assert told.facts["fits"].settled() == 328  # type: ignore[union-attr]
    assert told.facts["least"].settled() == 740  # type: ignore[union-attr]
