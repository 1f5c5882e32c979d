"""Tunnels whose other end never answers, and what is told of them."""

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.explain.tunnels import one_way
from analyzer.model import Finding, Severity
from tests.build import C1, C2, GATEWAY, UPLINK, echo, ether, ipv4, udp
from tests.explain.scene import HOST, Scene
from tests.explain.state import dumps

HYPOTHESIS = "vxlan-unanswered"
PEER, VNI = "192.168.2.100", 4097
INNER = ("10.30.0.11", "10.30.0.12")


def _vxlan(src: str, dst: str, inner: bytes, ident: int) -> bytes:
    header = struct.pack("!II", 0x08000000, VNI << 8)
    return ipv4(src, dst, 17, udp(50_000, 4789, header + ether(C1, C2, inner)), ident=ident)


def _pings(scene: Scene, count: int, *, answered: bool = False, other: bool = False) -> None:
    """Let a container ping one on another host; perhaps it answers, or another one there does."""
    for number in range(count):
        ping = ipv4(*INNER, 1, echo(8, 7, number), ident=number)
        scene.see("veth-o1", number * 100, ether(C1, C2, ping))
        scene.see("wlan0", number * 100 + 0.1, ether(UPLINK, GATEWAY, _vxlan(HOST, PEER, ping, number)))
        if answered or other:
            ends = INNER[::-1] if answered else ("10.30.0.99", "10.30.0.11")
            pong = ipv4(*ends, 1, echo(0, 7, number), ident=100 + number)
            scene.see("wlan0", number * 100 + 1, ether(GATEWAY, UPLINK, _vxlan(PEER, HOST, pong, 100 + number)))
    scene.see("wlan0", 9000, ether(UPLINK, GATEWAY, ipv4(HOST, "1.1.1.1", 17, udp(7, 7, b"x"), ident=999)))


@pytest.mark.parametrize(
    ("count", "ways", "told"),
    [
        (3, {}, True),
        (2, {}, True),
        (3, {"answered": True}, False),
        (3, {"other": True}, False),
    ],
    ids=["none", "too-few", "answered", "something-else-comes"],
)
def test_nothing_at_all_comes_back(tmp_path: Path, count: int, ways: dict[str, bool], told: bool) -> None:
    """One packet from there, of whomever, shows that the port is open."""
    scene = Scene(tmp_path, dumps=dumps())
    _pings(scene, count, **ways)
    found: list[Finding] = scene.findings(HYPOTHESIS)

    assert all((one.severity is Severity.ERROR) is (count > 2) for one in found)
    assert [(one.facts["peer"], one.facts["port"], one.facts["vni"]) for one in found] == [(PEER, 4789, VNI)] * told
    assert all("UDP port 4789" in str(one.remedy) for one in found)


def test_between_whom(tmp_path: Path) -> None:
    """By the outer addresses, with all that went wrong."""
    scene = Scene(tmp_path, dumps=dumps())
    _pings(scene, 3)

    assert one_way(scene.case()) == {(ip_address(HOST), ip_address(PEER)): [0, 1, 2]}


def test_without_a_tunnel(tmp_path: Path) -> None:
    """There is nothing to look at."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 17, udp(1, 2, b"x"))

    assert one_way(scene.case()) == {}
