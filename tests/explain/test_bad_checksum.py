"""Wrong checksums: of the packet itself, not of the one around it, and with what they keep from being answered."""

import struct
from pathlib import Path

import pytest

from analyzer.explain.hypotheses.bad_checksum import causes
from analyzer.model import Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, ether, ipv4, tcp
from tests.explain.scene import Scene, frame, packet

HYPOTHESIS = "bad-checksum"
SYN, SYN_ACK, PSH = 2, 0x12, 0x18
PORT = 40_000
WAY = ("veth-c2", "docker0", "wlan0")


def _spoil(scene: Scene, *points: str) -> None:
    """Change the end of what was seen last at these points, and leave its checksum."""
    for name in points:
        time, data = scene.points[name][-1]
        scene.points[name][-1] = (time, data[:-2] + b"\1" + data[-1:])


def test_each_point_that_is_the_first_to_show_it_is_a_cause(tmp_path: Path) -> None:
    """Packets are told by the point where they were wrong first, whatever other points saw later."""
    scene = Scene(tmp_path)
    for number, wrong in enumerate((WAY, WAY[2:], WAY, ())):
        scene.out(number * 100, 6, tcp(PORT + number, 80, 1, 0, SYN))
        _spoil(scene, *wrong)
    found = {cause.key: list(cause.packets) for cause in causes(scene.case())}

    assert found == {("veth-c2",): [0, 2], ("wlan0",): [1]}


@pytest.mark.parametrize(("inner", "told"), [(True, [("wlan0",)]), (False, [])], ids=["inside", "around"])
def test_the_sum_of_the_packet_around_it_is_another_matter(tmp_path: Path, inner: bool, told: list[tuple[str]]) -> None:
    """Only what a tunnel carries is told here, not the tunnel's own UDP checksum."""
    scene = Scene(tmp_path)
    carried = frame(C1, BRIDGE, packet("10.0.0.2", "10.0.0.3", 6, tcp(PORT, 80, 1, 0, SYN)))
    carried = carried[:-2] + b"\1" + carried[-1:] if inner else carried
    body = struct.pack("!BBHI", 8, 0, 0, 7 << 8) + carried
    around = struct.pack("!HHHH", 50_000, 4789, 8 + len(body), 0 if inner else 0x0101) + body
    scene.see("wlan0", 0, ether(UPLINK, GATEWAY, ipv4("192.168.1.100", "192.168.1.101", 17, around)))

    assert [cause.key for cause in causes(scene.case())] == told


def test_what_was_sent_again_is_looked_at_in_an_answered_connection(tmp_path: Path) -> None:
    """A segment that nobody takes, amid others that are right; the last try is no original."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, PORT, 7, 2, SYN_ACK))
    for number in range(3):
        scene.out(10 + 300 * number, 6, tcp(PORT, 80, 2, 8, PSH, b"GET"))
        _spoil(scene, "wlan0")
    (cause,) = causes(scene.case())
    (finding,) = scene.findings(HYPOTHESIS)

    assert (cause.key, cause.packets[0]) == (("wlan0",), 2)
    assert (finding.severity, finding.facts["where"]) == (Severity.ERROR, "wlan0")


def test_it_says_more_than_that_nobody_answers(tmp_path: Path) -> None:
    """The same SYNs with right sums are only unanswered."""
    checks = []
    for name, wrong in (("right", ()), ("wrong", WAY)):
        folder = tmp_path / name
        folder.mkdir()
        scene = Scene(folder)
        scene.out(0, 6, tcp(PORT, 80, 1, 0, SYN))
        _spoil(scene, *wrong)
        scene.out(9000, 17, struct.pack("!HHHH", 7, 7, 8, 0), dst="9.9.9.9")
        checks.append({finding.check for finding in scene.findings()})

    assert checks == [{"syn-unanswered"}, {HYPOTHESIS}]
