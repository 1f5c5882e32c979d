"""Connections that a process on the host relays."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet

HYPOTHESIS = "docker-proxy-in-path"
SYN, ACK, PSH = 0x02, 0x10, 0x18


def _relay(scene: Scene, number: int, *, of_container: bool = False) -> None:
    """Let a client talk to the host, or to a container, which opens a connection of its own and passes all on."""
    client, near, far = "192.168.1.7", (INSIDE if of_container else HOST), "172.17.0.3"
    own = INSIDE if of_container else "172.17.0.1"
    data = bytes([65 + number]) * 90 + b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"
    steps = [(SYN, b"", False), (SYN | ACK, b"", True), (ACK, b"", False), (PSH, data, False), (PSH, data[::-1], True)]
    seq = {False: 1, True: 7}
    start = number * 1000
    for place, (flags, body, back) in enumerate(steps):
        ack = 0 if flags == SYN else seq[not back]
        ports = (8080, 40_000 + number) if back else (40_000 + number, 8080)
        others = (80, 50_000 + number) if back else (50_000 + number, 80)
        said, passed_on = tcp(*ports, seq[back], ack, flags, body), tcp(*others, seq[back] + 900, ack and ack + 900,
                                                                        flags, body)  # fmt: skip
        outer = packet(*((near, client) if back else (client, near)), 6, said, ident=100 + start + place)
        inner = packet(*((far, own) if back else (own, far)), 6, passed_on, ident=500 + start + place)
        ms = start + place * 10
        if of_container:
            ends = (C1, BRIDGE) if back else (BRIDGE, C1)
            for step, point in enumerate(("veth-proxy", "docker0") if back else ("docker0", "veth-proxy")):
                scene.see(point, ms + step * 0.02, frame(*ends, outer))
            crossing = (C2, C1) if back else (C1, C2)
            way = ("veth-proxy", "docker0", "veth-web")
        else:
            scene.see("wlan0", ms, frame(*((UPLINK, GATEWAY) if back else (GATEWAY, UPLINK)), outer))
            crossing = (C2, BRIDGE) if back else (BRIDGE, C2)
            way = ("docker0", "veth-web")
        later = ms - 0.5 if back else ms + 0.5
        for step, point in enumerate(reversed(way) if back else way):
            scene.see(point, later + step * 0.02, frame(*crossing, inner))
        seq[back] += len(body) + (1 if flags & SYN else 0)


@pytest.mark.parametrize("count", [1, 6])
def test_by_the_port_they_came_for(tmp_path: Path, count: int) -> None:
    """All connections to it, five of them shown where they were seen first."""
    scene = Scene(tmp_path)
    for number in range(count):
        _relay(scene, number)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "docker-proxy relays 192.168.1.100:8080 to 172.17.0.3:80"
    assert finding.severity is Severity.INFO
    assert f"{count} connection{'s' if count > 1 else ''}: the container sees 172.17.0.1 as the client, and every " in (
        finding.explanation
    )
    assert [str(one) for one in finding.evidence] == [f"wlan0 #{1 + 5 * number}" for number in range(min(count, 5))]


def test_a_container_that_relays(tmp_path: Path) -> None:
    """Is a reverse proxy."""
    scene = Scene(tmp_path)
    _relay(scene, 0, of_container=True)
    case = scene.case()

    assert (case.context.connections["relayed_to"] >= 0).tolist().count(True) == 1
    assert scene.titles(HYPOTHESIS) == []
