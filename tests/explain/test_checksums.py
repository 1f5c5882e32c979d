"""Wrong checksums of packets that nobody answered: at which point they are wrong first."""

import struct
from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, ether, ipv4, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet

HYPOTHESIS = "bad-checksum"
SYN, ACK = 0x02, 0x10
WAY = ("veth-c2", "docker0", "wlan0")


def _spoilt(data: bytes) -> bytes:
    """Change the last byte but one of a SYN: its urgent pointer."""
    return data[:-2] + b"\1" + data[-1:]


def _syn(scene: Scene, ms: float, sport: int = 40_000, *, wrong_from: str | None) -> None:
    """Let a container send a SYN, whose checksum is wrong from a point on."""
    scene.out(ms, 6, tcp(sport, 80, 1, 0, SYN))
    for name in WAY[WAY.index(wrong_from) :] if wrong_from else ():
        time, data = scene.points[name][-1]
        scene.points[name][-1] = (time, _spoilt(data))


@pytest.mark.parametrize("point", WAY)
def test_the_first_point_that_shows_it(tmp_path: Path, point: str) -> None:
    """What changes the packet is at or before it; the frames there are the evidence."""
    scene = Scene(tmp_path)
    _syn(scene, 0, wrong_from=point)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == f"1 packet with a wrong checksum from {point} on"
    assert finding.severity is Severity.ERROR
    assert finding.explanation == (
        "Their TCP, UDP or ICMP checksum does not fit their bytes, so receivers drop them. "
        "Of 172.17.0.2:40000 → 8.8.8.8:80."
    )
    assert [str(one) for one in finding.evidence] == [f"{point} #1"]


def test_right_ones_are_not_told(tmp_path: Path) -> None:
    """However unanswered they are."""
    scene = Scene(tmp_path)
    _syn(scene, 0, wrong_from=None)

    assert scene.titles(HYPOTHESIS) == []


def test_by_point(tmp_path: Path) -> None:
    """Each with its packets, five frames of them."""
    scene = Scene(tmp_path)
    for number in range(6):
        _syn(scene, number, 40_000 + number, wrong_from="docker0")
    _syn(scene, 9, 41_000, wrong_from="wlan0")
    found = sorted(scene.findings(HYPOTHESIS), key=lambda finding: finding.detail)

    assert [finding.detail for finding in found] == [
        "1 packet with a wrong checksum from wlan0 on",
        "6 packets with a wrong checksum from docker0 on",
    ]
    assert [str(one) for one in found[1].evidence] == [f"docker0 #{number}" for number in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize(
    ("answers", "told"),
    [([], True), ([SYN | ACK], False)],
    ids=["unanswered", "answered"],
)
def test_connections_that_were_answered(tmp_path: Path, answers: list[int], told: bool) -> None:
    """A wrong sum that did no harm was only recorded so."""
    scene = Scene(tmp_path)
    _syn(scene, 0, wrong_from="veth-c2")
    for flags in answers:
        scene.back(5, 6, tcp(80, 40_000, 7, 2, flags))

    assert bool(scene.titles(HYPOTHESIS)) is told


def test_one_that_was_sent_again(tmp_path: Path) -> None:
    """In a connection that was answered, the original is asked; its copy is right."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, SYN | ACK))
    scene.out(6, 6, tcp(40_000, 80, 2, 8, ACK | 8, b"GET / HTTP/1.1"))
    for name in WAY:
        time, data = scene.points[name][-1]
        scene.points[name][-1] = (time, data[:-1] + b"2")
    scene.out(300, 6, tcp(40_000, 80, 2, 8, ACK | 8, b"GET / HTTP/1.1"))
    scene.back(310, 6, tcp(80, 40_000, 8, 16, ACK))

    assert scene.titles(HYPOTHESIS) == ["1 packet with a wrong checksum from veth-c2 on"]


def test_one_that_an_error_quotes(tmp_path: Path) -> None:
    """Somebody got it, and says what is wrong with it."""
    scene = Scene(tmp_path)
    body = udp(40_000, 7777, b"ask")
    body = body[:6] + b"\1\1" + body[8:]
    scene.out(0, 17, body, ident=5)
    scene.error(5, 3, 3, 17, body, ident=5)

    assert scene.titles(HYPOTHESIS) == []


def test_one_that_was_lost_on_the_way(tmp_path: Path) -> None:
    """Of a connection that was answered otherwise."""
    scene = Scene(tmp_path)
    for number in range(5):
        body = udp(40_000, 7777, bytes([number]) * 8)
        wrong = body[:6] + b"\1\1" + body[8:]
        scene.out(number * 6000, 17, wrong if number == 2 else body, until="docker0" if number == 2 else "wlan0")
        if number != 2:
            scene.back(number * 6000 + 5, 17, udp(7777, 40_000, bytes([number]) * 9))

    assert scene.titles(HYPOTHESIS) == ["1 packet with a wrong checksum from veth-c2 on"]


def test_of_no_container_it_is_a_warning(tmp_path: Path) -> None:
    """The host's own packets."""
    scene = Scene(tmp_path)
    scene.see("wlan0", 0, frame(UPLINK, GATEWAY, _spoilt(packet(HOST, SERVER, 6, tcp(40_000, 80, 1, 0, SYN)))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.WARNING


def test_a_hundred_packets_are_read(tmp_path: Path) -> None:
    """No more."""
    scene = Scene(tmp_path)
    for number in range(101):
        data = _spoilt(packet(INSIDE, SERVER, 6, tcp(40_000 + number, 80, 1, 0, SYN)))
        scene.see("veth-c2", number, frame(C1, BRIDGE, data))

    assert scene.titles(HYPOTHESIS) == ["100 packets with a wrong checksum from veth-c2 on"]


def test_what_is_explained_is_not_read_again(tmp_path: Path) -> None:
    """SYNs are told as broken, and not as unanswered."""
    scene = Scene(tmp_path)
    _syn(scene, 0, wrong_from="wlan0")
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(1, 2, b"x"))))

    assert {finding.check for finding in scene.findings()} == {HYPOTHESIS}


def _vxlan(inner: bytes, *, outer_sum: int) -> bytes:
    """Put a frame into a VXLAN packet between two hosts."""
    body = struct.pack("!BBHI", 8, 0, 0, 7 << 8) + inner
    head = struct.pack("!HHHH", 50_000, 4789, 8 + len(body), outer_sum)
    return ipv4("192.168.1.100", "192.168.1.101", 17, head + body)


@pytest.mark.parametrize(
    ("outer", "inner", "check", "what"),
    [
        (0x0101, False, "vxlan-checksum", "outer UDP"),
        (0, True, HYPOTHESIS, "TCP, UDP or ICMP"),
        (0x0101, True, "vxlan-checksum", "outer UDP"),
        (0, False, None, ""),
    ],
    ids=["outer", "inner", "both", "none"],
)
def test_the_packet_around_it(tmp_path: Path, outer: int, inner: bool, check: str | None, what: str) -> None:
    """The outer one is looked at first; each is told by a check of its own."""
    scene = Scene(tmp_path)
    data = packet("10.0.0.2", "10.0.0.3", 6, tcp(40_000, 80, 1, 0, SYN))
    data = _spoilt(data) if inner else data
    scene.see("wlan0", 0, ether(UPLINK, GATEWAY, _vxlan(frame(C1, BRIDGE, data), outer_sum=outer)))
    found = [one for one in scene.findings() if one.check in (HYPOTHESIS, "vxlan-checksum")]

    assert [(one.check, one.explanation.partition(" checksum")[0]) for one in found] == (
        [(check, f"Their {what}")] if check else []
    )
