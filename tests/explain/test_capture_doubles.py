"""Packets that a promiscuous bridge routed once more."""

import json
from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, T0, udp
from tests.explain.scene import INSIDE, MS, Scene, frame, packet

HYPOTHESIS = "capture-doubles-packets"


def _double(
    scene: Scene, ms: float, *, ttl: int = 63, mac: str = C2, point: str = "veth-web", src: str = INSIDE,
    dst: str = "172.17.0.3", sent: int = 64,
) -> None:  # fmt: skip
    """Let a container send to another one; *point* shows it once more, with another TTL."""
    scene.ident += 1
    body = udp(40_000, 7777, b"x" * (8 + scene.ident))
    plain = packet(src, dst, 17, body, ident=scene.ident, ttl=sent)
    for place, name in enumerate(("veth-c2", "docker0", point)):
        scene.see(name, ms + place * 0.02, frame(C1, C2, plain))
    again = packet(src, dst, 17, body, ident=scene.ident, ttl=ttl)
    scene.see("docker0", ms + 0.08, frame(BRIDGE, mac, again))
    scene.see(point, ms + 0.1, frame(BRIDGE, mac, again))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"src": "fd00:17::2", "dst": "fd00:17::3"}, True),
        ({"sent": 255, "ttl": 254}, True),
        ({"ttl": 64}, False),
        ({"ttl": 62}, False),
        ({"mac": "02:42:ac:11:00:09"}, False),
        ({"point": "eno1"}, False),
        ({"point": "ct-web"}, True),
    ],
    ids=["routed", "ipv6", "higher-ttl", "same-ttl", "two-lower", "other-mac", "uplink", "container"],
)
def test_one_hop_later_at_a_containers_port(tmp_path: Path, fields: dict[str, object], told: bool) -> None:
    """The same packet for the same MAC, its TTL one lower."""
    scene = Scene(tmp_path)
    _double(scene, 0, **fields)  # type: ignore[arg-type]

    assert bool(scene.titles(HYPOTHESIS)) is told


def test_by_port(tmp_path: Path) -> None:
    """All that one port shows together, five frames of it."""
    scene = Scene(tmp_path)
    for number in range(6):
        _double(scene, number * 10, sent=64 + number, ttl=63 + number)
    _double(scene, 100, point="veth-db")
    found = scene.findings(HYPOTHESIS)

    assert [(finding.detail, finding.severity) for finding in found] == [
        ("1 packet came to container db twice, because of the capture", Severity.INFO),
        ("6 packets came to container web twice, because of the capture", Severity.INFO),
    ]
    assert found[1].explanation.startswith("veth-web shows them once as the bridge forwarded them, and once more ")
    assert [str(one) for one in found[1].evidence] == [f"veth-web #{number}" for number in (2, 4, 6, 8, 10)]


def test_a_port_of_nobody_known(tmp_path: Path) -> None:
    """Its container has no name."""
    scene = Scene(tmp_path)
    _double(scene, 0, point="veth1a2b3c4")

    assert scene.titles(HYPOTHESIS) == ["1 packet came to its container twice, because of the capture"]


@pytest.mark.parametrize(
    ("quiet", "told"), [(None, True), ("docker0", False), ("veth-web", True)], ids=["none", "bridge", "port"]
)
def test_a_quiet_capture(tmp_path: Path, quiet: str | None, told: bool) -> None:
    """Where the manifest says that the bridge was not made promiscuous, it was not the capture."""
    scene = Scene(tmp_path)
    _double(scene, 0)
    scene.recorded(1000)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for point in manifest["points"]:
        if point["name"] == quiet:
            point["unseen"] = "what passes between ports"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    assert bool(scene.titles(HYPOTHESIS)) is told


def test_two_packets_are_no_double(tmp_path: Path) -> None:
    """Those of one connection may have two TTLs."""
    scene = Scene(tmp_path)
    for number, ttl in ((1, 64), (2, 63)):
        data = packet(INSIDE, "172.17.0.3", 17, udp(40_000, 7777, bytes([number]) * 8), ident=number, ttl=ttl)
        for place, name in enumerate(("veth-c2", "docker0", "veth-web")):
            scene.points[name].append((T0 + number * MS + place, frame(C1, C2, data)))

    assert scene.titles(HYPOTHESIS) == []
