"""Which MACs claim an address: at once, by turns, or one after the other."""

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.explain.claims import Claim, claims, contested
from analyzer.model import Mac
from tests.build import BRIDGE, C1, C2, arp, ether, mac
from tests.explain.scene import Scene, frame, packet

ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
MS = 1_000_000


@pytest.mark.parametrize(
    ("made", "both"),
    [
        ([(0, 1), (49.999, 2)], True),
        ([(0, 1), (50, 2)], False),
        ([(0, 1), (900, 2)], False),
        ([(0, 1), (900, 2), (1800, 3)], False),
        ([(0, 1), (900, 2), (1800, 1)], True),
        ([(0, 1), (900, 2), (910, 3)], True),
    ],
    ids=["at-once", "later", "moved", "moved-on", "by-turns", "at-once-later"],
)
def test_contested(made: list[tuple[float, int]], both: bool) -> None:
    """Two answer within 50 ms, or one comes back."""
    assert contested([Claim(0, round(ms * MS), Mac(number)) for ms, number in made]) is both


def _claims(scene: Scene) -> dict[str, list[tuple[float, str]]]:
    """Return who claimed what when."""
    found = claims(scene.case())
    start = min(time for records in scene.points.values() for time, _ in records)
    return {
        str(ip): [((claim.time_ns - start) / MS, claim.mac.to_bytes(6, "big").hex(":")) for claim in made]
        for ip, made in found.items()
    }


def _answer(scene: Scene, ms: float, sender: str, ip: str = "172.17.0.9") -> None:
    scene.see("veth-c2", ms, ether(sender, C1, arp(2, sender, ip, C1, "172.17.0.2"), 0x0806))


def test_answers_in_order_of_time(tmp_path: Path) -> None:
    """What one repeats is left out; an address that only one claims is not there."""
    scene = Scene(tmp_path)
    for ms, sender in ((0, C2), (10, C2), (20, BRIDGE), (30, BRIDGE), (40, C2)):
        _answer(scene, ms, sender)
    _answer(scene, 50, C2, "172.17.0.3")

    assert _claims(scene) == {"172.17.0.9": [(0, C2), (20, BRIDGE), (40, C2)]}


@pytest.mark.parametrize(
    ("op", "sender_ip", "asked", "counts"),
    [(1, "172.17.0.9", "172.17.0.9", True), (1, "172.17.0.3", "172.17.0.9", False), (2, "172.17.0.9", "x", True)],
    ids=["announcement", "question", "answer"],
)
def test_what_is_a_claim(tmp_path: Path, op: int, sender_ip: str, asked: str, counts: bool) -> None:
    """Answers and announcements (RFC 5227); who asks for an address does not have it."""
    scene = Scene(tmp_path)
    _answer(scene, 0, C2)
    target = "172.17.0.2" if op == 2 else asked
    scene.see("veth-c2", 900, ether(BRIDGE, ALL, arp(op, BRIDGE, sender_ip, NOBODY, target), 0x0806))

    assert _claims(scene) == ({"172.17.0.9": [(0, C2), (900, BRIDGE)]} if counts else {})


def _advertise(scene: Scene, ms: float, sender: str, ip: str = "fd00::9") -> None:
    body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + ip_address(ip).packed + b"\2\1" + mac(sender)
    scene.see("veth-c2", ms, frame(sender, C1, packet(ip, "fd00::2", 58, body, ttl=255)))


def test_neighbour_advertisements(tmp_path: Path) -> None:
    """IPv6's answers (RFC 4861)."""
    scene = Scene(tmp_path)
    _advertise(scene, 0, C2)
    _advertise(scene, 900, BRIDGE)

    assert _claims(scene) == {"fd00::9": [(0, C2), (900, BRIDGE)]}


def test_what_each_check_makes_of_it(tmp_path: Path) -> None:
    """Two at once have one address, twice; one after the other, it moved."""
    scene = Scene(tmp_path)
    for ms, sender in ((0, C2), (10, BRIDGE)):
        _answer(scene, ms, sender)
    for ms, sender in ((0, C2), (900, BRIDGE)):
        _answer(scene, ms, sender, "172.17.0.8")

    assert scene.titles("duplicate-address") == ["172.17.0.9 belongs to 2 machines"]
    assert scene.titles("mac-moved") == ["172.17.0.8 moved from 02:42:ac:11:00:03 to 02:42:a5:97:21:da"]


def test_a_host_answers_at_each_of_its_interfaces(tmp_path: Path) -> None:
    """Two interfaces in one subnet have an address of the host by turns: nobody else has it."""
    files = {"ip-addr.json": [{"ifname": f"eth{number}", "address": of} for number, of in enumerate((C2, BRIDGE))]}
    scene = Scene(tmp_path, dumps=dict(files))
    for ms, sender in ((0, C2), (10, BRIDGE), (20, C2)):
        _answer(scene, ms, sender)
    for ms, sender in ((0, C2), (900, BRIDGE)):
        _answer(scene, ms, sender, "172.17.0.8")

    assert scene.titles("duplicate-address") == []
    assert scene.titles("mac-moved") == []
