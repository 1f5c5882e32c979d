"""MACs and addresses that moved."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, arp, ether, udp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, links

HYPOTHESIS = "mac-moved"


def _send(scene: Scene, ms: float, port: str) -> None:
    """Let a MAC send by one port of a bridge."""
    scene.ident += 1
    data = packet("172.17.0.2", "172.17.0.3", 17, udp(1, 2, b"x" * scene.ident), ident=scene.ident)
    for place, point in enumerate((port, "docker0")):
        scene.see(point, ms + place * 0.02, frame(C1, C2, data))


@pytest.mark.parametrize(
    ("ports", "title", "said"),
    [
        (["veth-a", "veth-a"], None, ""),
        (["veth-a", "veth-b"], f"{C1} moved from veth-a to veth-b", "A container moved there."),
        (["veth-a", "veth-b", "veth-a"], f"{C1} moved from veth-a to veth-b and on", "A MAC that keeps moving is a"),
    ],
    ids=["stayed", "moved", "keeps-moving"],
)
def test_a_mac_at_another_port(tmp_path: Path, ports: list[str], title: str | None, said: str) -> None:
    """Once, or again and again."""
    scene = Scene(tmp_path)
    for number, port in enumerate(ports):
        _send(scene, number * 100, port)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == ([title] if title else [])
    for finding in found:
        assert finding.severity is Severity.WARNING
        assert said in finding.explanation
        assert len(finding.evidence) == len(ports) - 1


@pytest.mark.parametrize(("other", "told"), [(C1, False), (C2, True)], ids=["one-mac", "its-own"])
def test_a_mac_that_containers_share_is_told_as_such(tmp_path: Path, other: str, told: bool) -> None:
    """It moves for that reason."""
    both = [container("c2", INSIDE, C1), container("web", "172.17.0.3", other)]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=both))
    for number, port in enumerate(("veth-a", "veth-b")):
        _send(scene, number * 100, port)

    assert bool(scene.findings(HYPOTHESIS)) is told


def test_a_host_answers_at_each_of_its_interfaces(tmp_path: Path) -> None:
    """By the MAC that each has (arp_ignore = 0): nothing has moved."""
    changed = links()
    changed.append({"ifindex": 9, "ifname": "veth9", "address": "da:6f:b6:9e:2c:c5", "operstate": "UP"})
    scene = Scene(tmp_path, dumps=dumps(ip_addr=changed))
    for number, mac in enumerate(("da:6f:b6:9e:2c:c5", BRIDGE)):
        scene.see("veth-c2", number * 1000, ether(mac, C1, arp(2, mac, "172.17.0.1", C1, INSIDE), 0x0806))
    scene.out(9000, 17, b"\0" * 8)

    assert not scene.findings("mac-moved")


def test_an_address_that_another_mac_announced(tmp_path: Path) -> None:
    """From the first to the last, with the frames."""
    scene = Scene(tmp_path)
    macs = (C2, "02:00:00:00:00:07", BRIDGE)
    for number, sender in enumerate(macs):
        announced = arp(1, sender, "172.17.0.9", "00:00:00:00:00:00", "172.17.0.9")
        scene.see("wlan0", number * 900, ether(sender, "ff:ff:ff:ff:ff:ff", announced, 0x0806))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == f"172.17.0.9 moved from {C2} to {BRIDGE}"
    assert [str(one) for one in finding.evidence] == ["wlan0 #1", "wlan0 #2", "wlan0 #3"]
