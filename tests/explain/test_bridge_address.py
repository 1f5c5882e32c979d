"""Bridges that have lost their networks' gateways."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.doctor import examine
from analyzer.report.words import worded
from analyzer.state.load import load_host
from tests.build import C1, C2, GATEWAY, UPLINK, arp, ether, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import NAT, container, dumps, links, network, routes, rules

HYPOTHESIS = "bridge-address-lost"
ALL, NOBODY, CLIENT = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "203.0.113.9"
WEB = "172.17.0.3"
COMMAND = "ip addr add 172.17.0.1/16 dev docker0"
DOCKERS = ":DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
DNAT = "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
PASSES = ":DOCKER - [0:0]\n-A FORWARD -o docker0 -j DOCKER\n-A FORWARD -o docker0 -j ACCEPT\n"


def _files(has: tuple[str, ...] = ("169.254.17.9",), routed: bool = False, **options: Any) -> dict[str, object]:
    """Return dumps of a host whose docker0 has these addresses, and perhaps the route all the same."""
    changed = links()
    changed[1]["addr_info"] = [{"local": ip} for ip in has]
    way = routes() if routed else [route for route in routes() if route["dst"] != "172.17.0.0/16"]
    text = rules(nat=f"{DOCKERS}{DNAT}{NAT}", forward=PASSES, policy="DROP")
    return dumps(ip_addr=changed, ip_route=way, iptables_save=text, **options)


def _asks(scene: Scene) -> None:
    """Let c2 ask for the gateway in vain."""
    for ms in (10, 20, 30):
        scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, "172.17.0.1"), 0x0806))
    scene.out(9000, 17, b"\0" * 8, dst="1.1.1.1", until="veth-c2")


def test_who_asks_for_it_and_who_asks_for_a_published_port(tmp_path: Path) -> None:
    """What is for a container leaves by the default route then, and a policy that drops it there is no cause."""
    scene = Scene(tmp_path, dumps=_files())
    _asks(scene)
    scene.see("wlan0", 40, frame(GATEWAY, UPLINK, packet(CLIENT, HOST, 6, tcp(40_000, 8080, 1, 0, 2))))
    (finding,) = (one for one in scene.findings() if one.severity.value == "error")

    assert finding.check == HYPOTHESIS
    assert finding.cause == "docker0 has lost 172.17.0.1, the gateway of network bridge"
    assert finding.commands == (COMMAND,)
    assert finding.facts["has"] == ["169.254.17.9"]
    assert "Without it the host has no route to them either" in finding.explanation


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (_files(), True),
        (_files(has=()), True),
        (_files(has=("172.17.0.1",)), False),
        (_files(docker_network_inspect=[network(Options={"com.docker.network.bridge.name": "docker0",
                                                         "com.docker.network.bridge.inhibit_ipv4": "true"})]), False),
        (_files(docker_network_inspect=[network(Driver="macvlan")]), False),
        (_files(docker_network_inspect=[network(bridge="br-gone")]), False),
        (_files(docker_inspect=[container("far", "172.18.0.2", C2, "other")]), False),
        (_files(docker_inspect=[container("router", "172.17.0.1", C2)]), False),
    ],
    ids=["another", "none", "has-it", "without-on-purpose", "macvlan", "no-bridge", "nobody-there", "a-container"],
)  # fmt: skip
def test_the_state_alone_tells(tmp_path: Path, files: dict[str, object], told: bool) -> None:
    """A bridge with containers and without the gateway, unless that is on purpose."""
    Scene(tmp_path, dumps=files).write()
    found = [one for one in worded(examine(load_host(tmp_path / "host"))) if one.check == HYPOTHESIS]

    assert [one.commands for one in found] == [(COMMAND,)] * told


def test_nothing_is_wrong_and_nothing_is_told(tmp_path: Path) -> None:
    """Containers of one network reach each other without it."""
    scene = Scene(tmp_path, dumps=_files())
    for number, (ends, ports) in enumerate((((INSIDE, WEB), (5000, 80)), ((WEB, INSIDE), (80, 5000)))):
        scene.see("veth-c2", number, frame(C1, C2, packet(*ends, 17, udp(*ports, b"x"))))

    assert not scene.findings(HYPOTHESIS)
