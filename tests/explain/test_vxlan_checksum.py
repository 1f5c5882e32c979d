"""VXLAN packets with a wrong outer checksum, from a recording and from captures made by hand."""

import struct
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Finding, Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, ether, ipv4, tcp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.lab.faults.cases import RECORDED

HYPOTHESIS = "vxlan-checksum"
SYN, SYN_ACK = 0x02, 0x12
OTHER = "192.168.1.101"


def _told(findings: tuple[Finding, ...] | list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.check == HYPOTHESIS]


def _around(inner: bytes, checksum: int, *, back: bool = False) -> bytes:
    """Put a frame into a VXLAN packet between two hosts."""
    body = struct.pack("!BBHI", 8, 0, 0, 7 << 8) + inner
    head = struct.pack("!HHHH", 50_000, 4789, 8 + len(body), checksum)
    ends, macs = ((OTHER, HOST), (GATEWAY, UPLINK)) if back else ((HOST, OTHER), (UPLINK, GATEWAY))
    return ether(*macs, ipv4(*ends, 17, head + body))


def _asks(scene: Scene, checksum: int, count: int = 1, answered: bool = False) -> None:
    for number in range(count):
        syn = packet("10.0.0.2", "10.0.0.3", 6, tcp(40_000 + number, 80, 1, 0, SYN), ident=number)
        scene.see("wlan0", 10 * number, _around(frame(C1, BRIDGE, syn), checksum))
        if answered:
            told = packet("10.0.0.3", "10.0.0.2", 6, tcp(80, 40_000 + number, 7, 2, SYN_ACK), ident=500 + number)
            scene.see("wlan0", 10 * number + 5, _around(frame(BRIDGE, C1, told), 0, back=True))


def test_what_a_card_spoilt_is_told_at_the_uplink() -> None:
    """A recording of an overlay network whose packets nobody took."""
    (finding,) = _told(analyze([RECORDED / "overlay-checksum.overlay.tar.zst"]).findings)

    assert finding.severity is Severity.ERROR
    assert finding.explanation.startswith("Their outer UDP checksum")
    assert "tx-udp_tnl-csum-segmentation off" in finding.remedy
    assert {one.point for one in finding.evidence} == {finding.facts["where"]}


def test_a_well_overlay_is_not_accused() -> None:
    """Its packets are answered, and what is lost for another reason has a right checksum."""
    for name in ("overlay-healthy", "overlay-absent"):
        assert _told(analyze([RECORDED / f"{name}.overlay.tar.zst"]).findings) == []


@pytest.mark.parametrize(
    ("checksum", "answered", "told"),
    [(0x0101, False, True), (0, False, False), (0x0101, True, False)],
    ids=["wrong", "none", "answered"],
)
def test_a_packet_without_a_checksum_is_well(tmp_path: Path, checksum: int, answered: bool, told: bool) -> None:
    """UDP need not have one; and whatever was answered came there."""
    scene = Scene(tmp_path)
    _asks(scene, checksum, answered=answered)

    assert len(_told(scene.findings())) == told


def test_five_frames_show_it(tmp_path: Path) -> None:
    """However many packets it is about."""
    scene = Scene(tmp_path)
    _asks(scene, 0x0101, 7)
    (finding,) = _told(scene.findings())

    assert finding.facts["packets"] == 7
    assert [str(one) for one in finding.evidence] == [f"wlan0 #{number}" for number in range(1, 6)]
