"""Containers with few local ports, nearly all of which they used towards one server."""

from pathlib import Path

import pytest

from tests.build import tcp, udp
from tests.explain.scene import SERVER, Scene
from tests.explain.state import dumps

HYPOTHESIS = "ports-exhausted"
SYN, RST, SYN_ACK = 0x02, 0x04, 0x12
RANGE = "net.ipv4.ip_local_port_range"
FIRST = 40_000


def _scene(folder: Path, ports: str) -> Scene:
    return Scene(folder, dumps=dumps() | {"containers/c2/sysctl.txt": f"{RANGE} = {ports}\n"})


def _connect(scene: Scene, ports: range, *, server: str = SERVER, dport: int = 80, at: float = 0,
             seq: int = 1) -> None:  # fmt: skip
    """Let the container use these local ports towards a server."""
    for number, sport in enumerate(ports):
        scene.out(at + 20 * number, 6, tcp(sport, dport, seq, 0, SYN), dst=server)
        scene.back(at + 20 * number + 5, 6, tcp(dport, sport, 9, seq + 1, SYN_ACK), src=server)


@pytest.mark.parametrize(("used", "told"), [(18, True), (17, False), (20, True)], ids=["nine-tenths", "less", "all"])
def test_nine_tenths_of_the_ports_are_nearly_all(tmp_path: Path, used: int, told: bool) -> None:
    """Of twenty ports, eighteen; the numbers, the setting and what widens it are told."""
    scene = _scene(tmp_path, f"{FIRST} {FIRST + 19}")
    _connect(scene, range(FIRST, FIRST + used))
    found = scene.findings(HYPOTHESIS)

    assert [(one.facts["used"], one.facts["count"], one.facts["server"]) for one in found] == [
        (used, 20, f"{SERVER}:80")
    ] * told
    assert all(one.proof == (f"containers/c2/sysctl.txt: {RANGE} = {FIRST} {FIRST + 19}",) for one in found)
    assert all(one.commands[0].endswith(f" -n sysctl -w {RANGE}='32768 60999'") for one in found)
    assert all(len(one.evidence) == 3 for one in found)


@pytest.mark.parametrize(
    ("ports", "told"), [(f"{FIRST} 40001", True), (f"{FIRST}", False), ("none known", False), ("40001 40000", False)],
    ids=["two", "one-word", "no-numbers", "empty"],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_says_nothing(tmp_path: Path, ports: str, told: bool) -> None:
    """It is two numbers, the lower one first."""
    scene = _scene(tmp_path, ports)
    _connect(scene, range(FIRST, FIRST + 2))

    assert len(scene.findings(HYPOTHESIS)) == told


@pytest.mark.parametrize(("count", "told"), [(1_000, True), (1_001, False)])
def test_nobody_runs_out_of_more_than_a_thousand_ports(tmp_path: Path, count: int, told: bool) -> None:
    """Nine tenths of so many is what a busy client needs."""
    scene = _scene(tmp_path, f"{FIRST} {FIRST + count - 1}")
    for number in range(901):
        scene.out(number, 6, tcp(FIRST + number, 80, 1, 0, SYN), until="veth-c2")

    assert len(scene.findings(HYPOTHESIS)) == told


@pytest.mark.parametrize(("server", "dport", "told"), [(SERVER, 80, True), ("9.9.9.9", 80, False), (SERVER, 81, False)])
def test_ports_towards_different_servers_do_not_add_up(tmp_path: Path, server: str, dport: int, told: bool) -> None:
    """One local port serves many servers at once, and many ports of one server."""
    scene = _scene(tmp_path, f"{FIRST} {FIRST + 9}")
    _connect(scene, range(FIRST, FIRST + 5))
    _connect(scene, range(FIRST + 5, FIRST + 10), server=server, dport=dport)

    assert len(scene.findings(HYPOTHESIS)) == told


def test_tcp_and_udp_do_not_share_ports(tmp_path: Path) -> None:
    """The same port is free for the other."""
    scene = _scene(tmp_path, f"{FIRST} {FIRST + 9}")
    _connect(scene, range(FIRST, FIRST + 5))
    for number in range(5, 10):
        scene.out(20 * number, 17, udp(FIRST + number, 80, b"ask"))

    assert scene.findings(HYPOTHESIS) == []


def test_a_port_that_was_used_twice_counts_once(tmp_path: Path) -> None:
    """And one outside of the range, which the program chose itself, not at all."""
    scene = _scene(tmp_path, f"{FIRST} {FIRST + 9}")
    _connect(scene, range(FIRST, FIRST + 8))
    for sport in range(FIRST, FIRST + 8):
        scene.out(3000, 6, tcp(sport, 80, 2, 0, RST))
    _connect(scene, range(FIRST, FIRST + 8), at=5000, seq=1_000_000)
    _connect(scene, range(FIRST + 10, FIRST + 14))
    _connect(scene, range(FIRST - 4, FIRST))

    assert len(scene.case().context.connections["proto"]) == 24
    assert scene.findings(HYPOTHESIS) == []


def test_datagrams_use_ports_up_and_other_containers_ports_are_their_own(tmp_path: Path) -> None:
    """Each container has a range of its own."""
    scene = _scene(tmp_path, f"{FIRST} {FIRST + 3}")
    for number in range(4):
        scene.out(20 * number, 17, udp(FIRST + number, 7777, b"ask"))
        scene.back(20 * number + 5, 17, udp(7777, FIRST + number, b"tell"))
        scene.out(500 + 20 * number, 6, tcp(FIRST + number, 80, 1, 0, SYN), src="172.17.0.3")
        scene.back(505 + 20 * number, 6, tcp(80, FIRST + number, 9, 2, SYN_ACK), dst="172.17.0.3")

    assert [(one.facts["who"], one.facts["server"]) for one in scene.findings(HYPOTHESIS)] == [
        (["c2"], f"{SERVER}:7777")
    ]
