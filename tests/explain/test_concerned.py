"""Which packets concern containers, wherever they were seen."""

from pathlib import Path

import pytest

from analyzer.explain.concerned import beside_containers
from tests.build import GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.explain.state import dumps, links

PUBLISHED = [
    {"Name": "/web", "NetworkSettings": {
        "Networks": {"bridge": {"IPAddress": "172.17.0.3"}},
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
    }},
]  # fmt: skip


@pytest.mark.parametrize(
    ("dst", "port", "beside"),
    [
        (HOST, 8080, True),
        ("fd00:1::100", 8080, True),
        (HOST, 8081, False),
        (HOST, 80, False),
        ("192.168.1.99", 8080, False),
        ("fd00:1::101", 8080, False),
        ("fd00:2::100", 8080, False),
    ],
)
def test_packets_for_a_published_port(tmp_path: Path, dst: str, port: int, beside: bool) -> None:
    """They concern a container, although only the uplink saw them: for an address of the host, of either family."""
    made = links()
    made[0]["addr_info"] = [{"local": HOST}, {"local": "fd00:1::100"}]
    scene = Scene(tmp_path, dumps=dumps(ip_addr=made, docker_inspect=PUBLISHED))
    src = "fd00:1::7" if ":" in dst else "192.168.1.7"
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet(src, dst, 6, tcp(40_000, port, 1, 0, 2))))
    scene.see("wlan0", 5, frame(UPLINK, GATEWAY, packet(dst, src, 6, tcp(port, 40_000, 0, 2, 0x14))))

    assert beside_containers(scene.case()).tolist() == [beside, beside]


def test_packets_beside_containers(tmp_path: Path) -> None:
    """What was seen there, and all of its connection."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(40_000, 7777, b"ask"))
    scene.back(5, 17, udp(7777, 40_000, b"tell"), until="wlan0")
    scene.see("wlan0", 10, frame(UPLINK, GATEWAY, packet(HOST, "9.9.9.9", 17, udp(1, 2, b"x"))))

    assert beside_containers(scene.case()).tolist() == [True, True, False]


@pytest.mark.parametrize(("mode", "state", "beside"), [("host", "running", True), ("host", "exited", False),
                                                       ("bridge", "running", False)])  # fmt: skip
def test_packets_of_a_host_whose_network_containers_have(tmp_path: Path, mode: str, state: str, beside: bool) -> None:
    """What a host sends may be theirs, as long as they run."""
    inspected = {"Name": "/agent", "HostConfig": {"NetworkMode": mode}, "State": {"Status": state},
                 "NetworkSettings": {"Networks": {mode: {}}}}  # fmt: skip
    made = links()
    made[0]["addr_info"] = [{"local": HOST}]
    scene = Scene(tmp_path, dumps=dumps(ip_addr=made, docker_inspect=[inspected]))
    scene.see("wlan0", 0, frame(UPLINK, GATEWAY, packet(HOST, "9.9.9.9", 17, udp(1, 2, b"x"))))

    assert beside_containers(scene.case()).tolist() == [beside]


def test_packets_with_a_containers_address(tmp_path: Path) -> None:
    """Also at the uplink, where an address was not translated."""
    scene = Scene(tmp_path, dumps=dumps())
    for ms, src in ((0, "172.17.0.3"), (5, "172.17.0.99")):
        scene.see("wlan0", ms, frame(UPLINK, GATEWAY, packet(src, "9.9.9.9", 17, udp(1, 2, b"x"))))

    assert beside_containers(scene.case()).tolist() == [True, False]
