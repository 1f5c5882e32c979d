"""Source ports that SNAT changed."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import GATEWAY, UPLINK, echo, udp
from tests.explain.scene import HOST, SERVER, Scene, frame, packet

HYPOTHESIS = "nat-port-rewritten"


def _out(scene: Scene, number: int, port: int) -> None:
    """Let a container's datagram leave from some port."""
    scene.ident += 1
    body, other = udp(40_000 + number, 7777, b"ask"), udp(port, 7777, b"ask")
    scene.out(number, 17, body, until="docker0", ident=scene.ident)
    data = packet(HOST, SERVER, 17, other, ttl=63, ident=scene.ident)
    scene.see("wlan0", number + 0.04, frame(UPLINK, GATEWAY, data))


@pytest.mark.parametrize(
    ("ports", "title"),
    [
        ([40_000, 40_001], None),
        ([40_000, 50_001], "1 connection got another source port from SNAT"),
        ([50_000 + number for number in range(6)], "6 connections got another source port from SNAT"),
    ],
    ids=["kept", "one", "six"],
)
def test_source_ports_that_snat_changed(tmp_path: Path, ports: list[int], title: str | None) -> None:
    """An info: the first one is the example, five are shown."""
    scene = Scene(tmp_path)
    for number, port in enumerate(ports):
        _out(scene, number, port)
    found = scene.findings(HYPOTHESIS)

    assert [finding.detail for finding in found] == ([title] if title else [])
    for finding in found:
        assert finding.severity is Severity.INFO
        changed = [number for number, port in enumerate(ports) if port != 40_000 + number]
        first = changed[0]
        assert finding.explanation.startswith(
            f"E.g. 172.17.0.2:{40_000 + first} → 8.8.8.8:7777 left from port {ports[first]}: another connection "
        )
        assert len(finding.evidence) == min(len(changed), 5)


def test_pings_have_no_ports(tmp_path: Path) -> None:
    """Their ids may change, too, and nobody asks for a fixed one."""
    scene = Scene(tmp_path)
    scene.out(0, 1, echo(8, 7, 1, b"ping"), until="docker0", ident=5)
    data = packet(HOST, SERVER, 1, echo(8, 9, 1, b"ping"), ttl=63, ident=5)
    scene.see("wlan0", 0.04, frame(UPLINK, GATEWAY, data))

    assert scene.titles(HYPOTHESIS) == []
