"""Connections that leave by one uplink and come back by another."""

from pathlib import Path

import pytest

from tests.build import C1, GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, SERVER, Scene, frame, packet
from tests.explain.state import dumps

HYPOTHESIS = "asymmetric-path"


def _talk(scene: Scene, ms: float, sport: int, out: str, back: str) -> None:
    """Let a container's question leave by one uplink, and the answer come by another."""
    scene.ident += 1
    asked = tcp(sport, 80, 1, 0, 2)
    scene.out(ms, 6, asked, until="docker0", ident=scene.ident)
    scene.see(out, ms + 0.04, frame(UPLINK, GATEWAY, packet(HOST, SERVER, 6, asked, ttl=63, ident=scene.ident)))
    scene.ident += 1
    told = tcp(80, sport, 7, 2, 0x12)
    scene.see(back, ms + 5, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 6, told, ttl=54, ident=scene.ident)))
    inner = packet(SERVER, "172.17.0.2", 6, told, ttl=53, ident=scene.ident)
    for place, point in enumerate(("docker0", "veth-c2"), 1):
        scene.see(point, ms + 5 + place * 0.02, frame("02:42:a5:97:21:da", C1, inner))


@pytest.mark.parametrize(
    ("ways", "titles"),
    [
        ([("wlan0", "eth1")], ["1 connection: one way by wlan0, back by eth1"]),
        ([("wlan0", "wlan0")], []),
        ([("wlan0", "wlan0"), ("eth1", "eth1")], []),
        ([("eth1", "wlan0"), ("eth1", "wlan0")], ["2 connections: one way by eth1, back by wlan0"]),
        (
            [("eth1", "wlan0"), ("wlan0", "eth1"), ("wlan0", "eth2")],
            [
                "1 connection: one way by eth1, back by wlan0",
                "1 connection: one way by wlan0, back by eth1",
                "1 connection: one way by wlan0, back by eth2",
            ],
        ),
    ],
    ids=["one", "same", "each-its-own", "two", "three-pairs"],
)
def test_pairs_of_uplinks(tmp_path: Path, ways: list[tuple[str, str]], titles: list[str]) -> None:
    """Each pair by itself, with its connections."""
    scene = Scene(tmp_path)
    for number, (out, back) in enumerate(ways):
        _talk(scene, number * 10, 40_000 + number, out, back)

    assert scene.titles(HYPOTHESIS) == titles


def test_what_shows_it(tmp_path: Path) -> None:
    """The first packet of each connection, where it left."""
    scene = Scene(tmp_path)
    for number in range(2):
        _talk(scene, number * 10, 40_000 + number, "wlan0", "eth1")
    (finding,) = scene.findings(HYPOTHESIS)

    assert [str(one) for one in finding.evidence] == ["wlan0 #1", "wlan0 #2"]
    assert finding.explanation.endswith("Of 172.17.0.2:40000 → 8.8.8.8:80, 172.17.0.2:40001 → 8.8.8.8:80.")


@pytest.mark.parametrize(("table", "told"), [("123", "123"), (None, ""), ("main", "")])
def test_the_table_that_routes_by_the_way_in_is_named(tmp_path: Path, table: str | None, told: str) -> None:
    """Where the host has one already, nobody needs to make another one."""
    scene = Scene(tmp_path, dumps=dumps())
    way = {"dst": "default", "gateway": "10.1.1.1", "dev": "wlan0"} | ({"table": table} if table else {})
    known = scene.dumps["ip-route.json"]
    assert isinstance(known, list)
    scene.dumps["ip-route.json"] = [*known, way]
    _talk(scene, 0, 40_000, "wlan0", "eth1")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["table"] == told


def test_a_connection_that_uses_both(tmp_path: Path) -> None:
    """One packet that came back by the way out is enough."""
    scene = Scene(tmp_path)
    _talk(scene, 0, 40_000, "wlan0", "eth1")
    scene.back(20, 6, tcp(80, 40_000, 8, 2, 0x18, b"data"))

    assert scene.titles(HYPOTHESIS) == []
