"""Veths that are no port of their network's bridge."""

from pathlib import Path

import pytest

from analyzer.explain.doctor import examine
from analyzer.model import Finding
from analyzer.state.load import load_host
from tests.build import BRIDGE, C1, C2, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, links, network

HYPOTHESIS = "veth-off-the-bridge"
SYN = 0x02


def _scene(folder: Path, *, port: str = "veth-c2", master: str | None = None, kind: str = "veth",
           driver: str = "bridge", status: str = "running") -> Scene:  # fmt: skip
    """Return a host whose container c2 ends at a port that is none of its bridge."""
    outer = {"ifindex": 7, "ifname": port, "operstate": "UP", "linkinfo": {"info_kind": kind}}
    inner = {"ifindex": 2, "ifname": "eth0", "address": C1, "operstate": "UP", "link_index": 7,
             "linkinfo": {"info_kind": "veth"}, "addr_info": [{"local": INSIDE}]}  # fmt: skip
    made = container("c2", INSIDE, C1)
    made["State"] = {"Status": status}  # type: ignore[index]
    files = dumps(
        ip_addr=[*links(), outer | ({"master": master} if master else {})],
        docker_inspect=[made, container("web", "172.17.0.3", C2)],
        docker_network_inspect=[network(Driver=driver)],
    )
    return Scene(folder, dumps=files | {"containers/c2/ip-addr.json": [inner]})


def _asks(scene: Scene, answered: bool = False) -> None:
    """Let the container open a connection."""
    for number in range(1 if answered else 3):
        scene.out(1000 * number, 6, tcp(40_000, 80, 1, 0, SYN), until="wlan0" if answered else "veth-c2")
    if answered:
        scene.back(5, 6, tcp(80, 40_000, 7, 2, SYN | 0x10))


def _found(scene: Scene) -> list[Finding]:
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"), ident=90)))
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, True),
        ({"master": "br-other"}, True),
        ({"master": "docker0"}, False),
        ({"driver": "macvlan"}, False),
        ({"status": "exited"}, False),
        ({"kind": "dummy"}, False),
    ],
    ids=["in-the-air", "on-another-bridge", "as-docker-made-it", "no-bridge-network", "not-running", "no-veth"],
)
def test_only_the_veth_of_a_running_container_belongs_there(
    tmp_path: Path, options: dict[str, str], told: bool
) -> None:
    """On a network that is a bridge; where it is instead is told, and the command puts it back."""
    scene = _scene(tmp_path, **options)
    _asks(scene)
    found = _found(scene)

    assert [one.facts["master"] for one in found] == [options.get("master", "")] * told
    assert all(one.commands == ("ip link set veth-c2 master docker0",) for one in found)
    assert all(one.proof == (f"ip-addr.json: veth-c2 master {options.get('master', 'none')}",) for one in found)


def test_nobody_is_accused_while_all_goes_well(tmp_path: Path) -> None:
    """Then somebody may have meant it so."""
    scene = _scene(tmp_path)
    _asks(scene, answered=True)

    assert _found(scene) == []


def test_what_others_send_to_the_container_is_lost_for_the_same_reason(tmp_path: Path) -> None:
    """It is seen only at who sends it."""
    scene = _scene(tmp_path)
    for number in range(3):
        syn = packet("172.17.0.3", INSIDE, 6, tcp(40_000, 80, 1, 0, SYN), ident=number)
        scene.see("veth-web", 1000 * number, frame(C2, C1, syn))
    (finding,) = _found(scene)

    assert finding.title.startswith("web cannot reach c2:80 (TCP): ")
    assert finding.facts["packets"] == 3


@pytest.mark.parametrize(("master", "told"), [(None, True), ("docker0", False)])
def test_a_host_is_told_of_it_without_captures(tmp_path: Path, master: str | None, told: bool) -> None:
    """The dumps alone show it; a name that a shell would take apart is quoted."""
    _scene(tmp_path, port="veth c2", master=master).write()
    found = [one for one in examine(load_host(tmp_path / "host")) if one.check == HYPOTHESIS]

    assert [one.facts["commands"] for one in found] == [["ip link set 'veth c2' master docker0"]] * told
