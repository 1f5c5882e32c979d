"""Networks whose containers are reached by their own addresses, and to which no answer finds back."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Basis, Finding
from tests.build import tcp
from tests.explain.scene import HOST, INSIDE, Scene
from tests.explain.state import dumps, links, network, rules

HYPOTHESIS = "routed-network-unreachable"
SYN, SYN_ACK = 0x02, 0x12
MODE = "com.docker.network.bridge.gateway_mode_ipv4"


def _scene(folder: Path, mode: str = "routed", **changed: object) -> Scene:
    """Return a host whose network is in that gateway mode, and a container that leaves as itself."""
    options = {"com.docker.network.bridge.name": "docker0", MODE: mode}
    files = dumps(docker_network_inspect=[network(Options=options)], iptables_save=rules(nat=""), **changed)
    scene = Scene(folder, dumps=files)
    for number in range(3):
        scene.out(1000 * number, 6, tcp(40_000, 80, 1, 0, SYN), masked=None)
    return scene


def _found(scene: Scene, *, preview: bool = True) -> list[Finding]:
    scene.out(9000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9", masked=None)
    trace = replace(analyze([scene.write()]), preview=preview)
    return [finding for finding in trace.findings if finding.check == HYPOTHESIS]


def test_it_says_which_route_the_routers_outside_lack(tmp_path: Path) -> None:
    """To the network's subnet, by this host's address on the interface that the packets left by."""
    (finding,) = _found(_scene(tmp_path))

    assert {name: finding.facts[name] for name in ("where", "as_address", "network", "subnet", "host_address")} == {
        "where": "wlan0", "as_address": INSIDE, "network": "bridge", "subnet": "172.17.0.0/16", "host_address": HOST,
    }  # fmt: skip
    assert finding.remedy == f"On the router outside: ip route add 172.17.0.0/16 via {HOST}."
    assert finding.basis is Basis.INFERRED


def test_its_address_is_of_the_same_ip_version(tmp_path: Path) -> None:
    """The first one of that; where it has none, this host is named without it."""
    link, bridge = links()
    both = [link | {"addr_info": [{"local": "fd00:1::100"}, {"local": HOST}]}, bridge]
    six = [link | {"addr_info": [{"local": "fd00:1::100"}]}, bridge]
    found = []
    for name, ends in (("both", both), ("six", six)):
        (tmp_path / name).mkdir()
        (finding,) = _found(_scene(tmp_path / name, ip_addr=ends))
        found.append(finding.facts.get("host_address"))

    assert found == [HOST, None]


@pytest.mark.parametrize("mode", ["nat", "nat-unprotected"])
def test_other_networks_should_have_been_translated(tmp_path: Path, mode: str) -> None:
    """That is another matter, and another check's."""
    assert _found(_scene(tmp_path, mode)) == []


def test_answered_packets_found_their_way_back(tmp_path: Path) -> None:
    """Three SYNs and a datagram did not; one that was answered is no trouble."""
    scene = _scene(tmp_path)
    scene.out(5000, 6, tcp(40_001, 80, 1, 0, SYN), masked=None)
    scene.back(5005, 6, tcp(80, 40_001, 7, 2, SYN_ACK), masked=None)
    (finding,) = _found(scene)

    assert finding.facts["packets"] == 4


def test_only_who_asks_for_what_is_new_is_told(tmp_path: Path) -> None:
    """It is a preview."""
    assert _found(_scene(tmp_path), preview=False) == []
