"""What Docker keeps apart on purpose: whom is told to be apart from whom, and how they may meet."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, C2, GATEWAY, UPLINK, tcp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import container, dumps, network, routes, rules

HYPOTHESIS = "network-isolation"
DB = "172.18.0.3"
ISOLATION = "-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n-A DOCKER-ISOLATION-STAGE-1 {match} -j DROP\n"
NETWORKS = [network(), network("back", "172.18.0.0/16", "br-back")]


def _scene(folder: Path, match: str, *, networks: list[object] = NETWORKS, known: list[object] | None = None) -> Scene:
    """Return a host whose isolation drops what matches."""
    text = rules(forward=ISOLATION.format(match=match)).replace(
        ":OUTPUT ACCEPT [0:0]\n", ":OUTPUT ACCEPT [0:0]\n:DOCKER-ISOLATION-STAGE-1 - [0:0]\n"
    )
    way = [*routes(), {"dst": "172.18.0.0/16", "dev": "br-back"}]
    containers = known if known is not None else [container("c2", INSIDE, C1), container("db", DB, C2, "back")]
    return Scene(folder, dumps=dumps(iptables_save=text, docker_network_inspect=networks, ip_route=way,
                                     docker_inspect=containers))  # fmt: skip


def _send(scene: Scene, dst: str, dport: int = 5432) -> None:
    """Let a container send a SYN that goes no further than its bridge."""
    data = packet(INSIDE, dst, 6, tcp(40_000, dport, 1, 0, 2))
    for place, point in enumerate(("veth-c2", "docker0")):
        scene.see(point, place * 0.02, frame(C1, BRIDGE, data))


@pytest.mark.parametrize(
    ("known", "remedy"),
    [
        (
            [container("c2", INSIDE, C1), container("db", DB, C2, "back")],
            "docker network connect back c2, and use db's name or its address there.",
        ),
        ([], "The sender is on another network: docker network connect."),
    ],
    ids=["both", "nobody"],
)
def test_from_one_network_to_another(tmp_path: Path, known: list[object], remedy: str) -> None:
    """The containers are named, as far as they are known."""
    scene = _scene(tmp_path, "-i docker0 -o br-back", known=known)
    _send(scene, DB)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail.startswith(
        "1 packet dropped: rule “-A DOCKER-ISOLATION-STAGE-1 -i docker0 -o br-back -j DROP”"
    )
    assert finding.severity is Severity.ERROR
    assert finding.explanation.startswith("Docker drops what goes from one of its bridge networks to another, on purp")
    assert finding.remedy == remedy
    assert finding.tried is None


@pytest.mark.parametrize(
    ("internal", "dst", "told"),
    [("bridge", "8.8.8.8", True), ("bridge", DB, True), ("back", "8.8.8.8", False), ("back", DB, False)],
)
def test_an_internal_network(tmp_path: Path, internal: str, dst: str, told: bool) -> None:
    """Nothing leaves it: that is told of the sender's network only."""
    networks = [network(Internal=internal == "bridge"), network("back", "172.18.0.0/16", "br-back",
                                                                Internal=internal == "back")]  # fmt: skip
    scene = _scene(tmp_path, "-i docker0", networks=networks)
    _send(scene, dst)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith("Network bridge is internal: Docker lets nothing out of it, ") is told
    assert finding.remedy.startswith("docker network connect a network with a way out, or create it without") is told


@pytest.mark.parametrize(
    ("ports", "remedy"),
    [
        ({"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "it is published as 0.0.0.0:8080->80/tcp: use the host's"),
        ({"81/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "docker run -p 80:80"),
        ({"8080/tcp": [{"HostIp": "", "HostPort": "80"}]}, "docker run -p 80:80"),
        ({}, "docker run -p 80:80"),
    ],
    ids=["published", "other-port", "other-way-round", "not-published"],
)
def test_from_outside_to_a_containers_own_address(
    tmp_path: Path, ports: dict[str, list[dict[str, str]]], remedy: str
) -> None:
    """Whoever is no container must use a published port."""
    web = container("web", "172.17.0.3", C2)
    web["NetworkSettings"]["Ports"] = ports  # type: ignore[index]
    scene = _scene(tmp_path, "-i wlan0 -o docker0", known=[web])
    scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet("192.168.1.7", "172.17.0.3", 6, tcp(40_000, 80, 1, 0, 2))))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith(
        "Docker lets nobody outside a network, here 192.168.1.7, reach the address in it of container web, 172.17.0.3,"
    )
    assert remedy in finding.remedy
