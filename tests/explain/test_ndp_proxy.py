"""A container's IPv6 address that a router asks for on the LAN, and that nobody answers for."""

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.model import Basis, Finding, Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, arp, ether, mac, tcp
from tests.explain.scene import INSIDE, INSIDE6, SERVER6, Scene, frame, packet
from tests.explain.state import dumps

HYPOTHESIS = "ndp-proxy-missing"
SYN = 0x02
ROUTER6, GROUP = "fe80::1", "33:33:ff:00:00:02"
SETTING = "net.ipv6.conf.wlan0.proxy_ndp"


def _scene(folder: Path, sysctl: str = "") -> Scene:
    """Return a host whose container c2 has an IPv6 address of its own."""
    six = {"bridge": {"IPAddress": INSIDE, "GlobalIPv6Address": INSIDE6, "MacAddress": C1}}
    inspect = [{"Name": "/c2", "NetworkSettings": {"Networks": six}}]
    return Scene(folder, dumps=dumps(docker_inspect=inspect, sysctl=f"net.ipv4.ip_forward = 1\n{sysctl}"))


def _solicit(scene: Scene, ms: float, asked: str = INSIDE6, *, by: str = GATEWAY, point: str = "wlan0") -> None:
    """Let somebody ask who has an address."""
    body = struct.pack("!BBHI", 135, 0, 0, 0) + ip_address(asked).packed + b"\1\1" + mac(by)
    scene.see(point, ms, frame(by, GROUP, packet(ROUTER6, "ff02::1:ff00:2", 58, body, ttl=255)))


def _advertise(scene: Scene, ms: float, asked: str = INSIDE6) -> None:
    """Let the host say that it has it."""
    body = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + ip_address(asked).packed + b"\2\1" + mac(UPLINK)
    scene.see("wlan0", ms, frame(UPLINK, GATEWAY, packet(asked, ROUTER6, 58, body, ttl=255)))


def _found(scene: Scene) -> list[Finding]:
    scene.see("wlan0", 9000, frame(GATEWAY, UPLINK, packet("2001:4860::9", "fd00:1::100", 17, b"\0\1\0\2\0\x08\0\0")))
    return scene.findings(HYPOTHESIS)


def test_a_question_that_nobody_answers_names_the_container(tmp_path: Path) -> None:
    """The finding says who is asked for, by whom and where, and how the host would answer."""
    scene = _scene(tmp_path)
    for number in range(3):
        _solicit(scene, 10 + 1000 * number)
    (finding,) = _found(scene)

    assert {name: finding.facts[name] for name in ("container", "address", "asker", "where")} == {
        "container": "c2", "address": INSIDE6, "asker": ROUTER6, "where": "wlan0",
    }  # fmt: skip
    assert finding.commands == (f"sysctl -w {SETTING}=1", f"ip -6 neigh add proxy {INSIDE6} dev wlan0")
    assert finding.basis is Basis.STATED
    assert [one.point for one in finding.evidence] == ["wlan0"]


@pytest.mark.parametrize(
    ("sysctl", "proof"),
    [(f"{SETTING} = 0\n", (f"sysctl.txt: {SETTING} = 0",)), ("net.ipv6.conf.eth9.proxy_ndp = 0\n", ())],
    ids=["recorded", "of-another-interface"],
)
def test_the_setting_is_proof_only_where_it_was_recorded(tmp_path: Path, sysctl: str, proof: tuple[str, ...]) -> None:
    """It is the one of the interface that the question came by."""
    scene = _scene(tmp_path, sysctl)
    _solicit(scene, 10)
    (finding,) = _found(scene)

    assert finding.proof == proof


def test_a_question_that_the_host_answers_is_well(tmp_path: Path) -> None:
    """Then the router knows the way."""
    scene = _scene(tmp_path)
    _solicit(scene, 10)
    _advertise(scene, 11)

    assert _found(scene) == []


@pytest.mark.parametrize(
    ("asked", "by", "point"),
    [("fd00:17::99", GATEWAY, "wlan0"), (INSIDE6, UPLINK, "wlan0"), (INSIDE6, C2, "docker0")],
    ids=["nobodys-address", "the-host-asks", "on-the-bridge"],
)
def test_other_questions_are_not_for_the_host_to_answer(tmp_path: Path, asked: str, by: str, point: str) -> None:
    """Only a container's address counts, asked for by somebody else at an uplink."""
    scene = _scene(tmp_path)
    _solicit(scene, 10, asked, by=by, point=point)

    assert _found(scene) == []


def test_arp_for_a_container_is_another_matter(tmp_path: Path) -> None:
    """The remedy helps with IPv6 alone."""
    scene = _scene(tmp_path)
    asks = arp(1, GATEWAY, "192.168.1.1", "00:00:00:00:00:00", INSIDE)
    scene.see("wlan0", 10, ether(GATEWAY, "ff:ff:ff:ff:ff:ff", asks, 0x0806))

    assert _found(scene) == []


def test_what_the_container_asked_in_vain_belongs_to_it(tmp_path: Path) -> None:
    """Its connections get no answer for the same reason, so they are told once."""
    scene = _scene(tmp_path)
    for number in range(3):
        scene.out(1000 * number, 6, tcp(40_000, 80, 1, 0, SYN), src=INSIDE6, dst=SERVER6, masked=None)
        _solicit(scene, 5 + 1000 * number)
    scene.see("docker0", 9000, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, b"\0\1\0\2\0\x08\0\0")))
    found = [finding for finding in scene.findings() if finding.severity is Severity.ERROR]

    assert [finding.check for finding in found] == [HYPOTHESIS]
    assert found[0].title.startswith(f"c2 gets no answer from [{SERVER6}]:80 (TCP): ")
