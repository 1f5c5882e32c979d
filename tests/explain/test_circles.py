"""Questions that go round between two name servers, and who these are."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.circles import ROUNDS, party, ring
from tests.build import C1, udp
from tests.explain.dns import message
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import NAT, container, dumps, rules

ROUTER = "192.168.1.1"


def _scene(folder: Path) -> Scene:
    pihole: dict[str, Any] = container("pihole", INSIDE, C1)  # type: ignore[assignment]
    pihole["NetworkSettings"]["Ports"] = {"53/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}]}
    nat = f"-A PREROUTING ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination {INSIDE}:53\n{NAT}"
    return Scene(folder, dumps=dumps(docker_inspect=[pihole], iptables_save=rules(nat=nat)))


def _asks(scene: Scene, number: int, *, name: str = "nas.fritz.box", back: bool = True) -> None:
    """Let the container ask the router, and the router the host, which is the container."""
    scene.out(number * 20, 17, udp(1000 + number, 53, message(number, name)), dst=ROUTER)
    if back:
        scene.back(number * 20 + 10, 17, udp(2000 + number, 53, message(number, name)), src=ROUTER, ident=500 + number)


@pytest.mark.parametrize(
    ("count", "back", "told"),
    [(ROUNDS, True, True), (ROUNDS - 1, True, False), (3 * ROUNDS, False, False)],
    ids=["round", "too-few", "one-way"],
)
def test_each_asks_the_other_one(tmp_path: Path, count: int, back: bool, told: bool) -> None:
    """For one name, again and again; whoever only asks often is no circle."""
    scene = _scene(tmp_path)
    for number in range(count):
        _asks(scene, number, back=back)
    scene.out(9000, 6, b"\0" * 20, until="veth-c2")
    found = [one for one in scene.findings("dns-unanswered") if "ring" in one.facts]

    assert [one.facts["ring"] for one in found] == [[ROUTER, "pihole"]] * told
    assert all(one.facts["questions"] == 2 * count and "in a circle" in one.cause for one in found)


def test_the_host_s_address_is_the_container_s_that_is_asked_there(tmp_path: Path) -> None:
    """By what it publishes; others are called by their address."""
    scene = _scene(tmp_path)
    for number in range(ROUNDS):
        _asks(scene, number)
    case = scene.case()
    sides = {(party(case, query, query.asker), party(case, query, query.server)) for query in case.names}

    assert sides == {("pihole", ROUTER), (ROUTER, "pihole")}
    assert {pair: len(queries) for pair, queries in ring(case).items()} == {(ROUTER, "pihole"): 2 * ROUNDS}
