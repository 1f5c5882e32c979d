"""Why nothing comes back by an uplink: the other default route, or a TTL that gives hosts away."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.uplinks import by_the_way_out, taken_first
from tests.build import BRIDGE, C1, tcp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import dumps, links, routes

SYN, SYN_ACK = 2, 0x12
GATE = "172.17.0.1"
MINE = {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0", "metric": 100}
OTHER = {"dst": "default", "gateway": "10.0.0.1", "dev": "eth9", "metric": 600}


def _open(scene: Scene, number: int, *, answered: bool, ttl: int = 64, dst: str = SERVER, until: str = "wlan0") -> None:
    ms, port = 100 * number, 40_000 + number
    scene.out(ms, 6, tcp(port, 80, 1, 0, SYN), dst=dst, ttl=ttl, until=until)
    if answered:
        scene.back(ms + 5, 6, tcp(80, port, 5, 2, SYN_ACK), src=dst)


def _told(scene: Scene, number: int = 0) -> dict[str, Any]:
    """Ask about the packet that begins one of the connections."""
    case = scene.case()
    return dict(by_the_way_out(case, [int(case.packets_of(number)[0])]))


@pytest.mark.parametrize(
    ("ways", "answered", "told"),
    [
        ((MINE, OTHER), False, True),
        ((MINE, OTHER), True, False),
        ((MINE | {"metric": 600}, OTHER), False, False),
        ((MINE | {"metric": 700}, OTHER), False, False),
        ((MINE,), False, False),
        ((MINE, OTHER | {"dev": "wlan0"}), False, False),
        ((MINE, OTHER | {"table": "vpn"}), False, False),
        ((MINE, OTHER | {"type": "unreachable"}), False, False),
        ((MINE, OTHER | {"dst": "10.0.0.0/8"}), False, False),
        ((OTHER,), False, False),
    ],
    ids=["dead", "somebody-answers", "as-good", "worse", "one", "the-same-way", "other-table", "no-way", "no-default",
         "not-by-this"],
)  # fmt: skip
def test_a_default_route_by_which_nothing_at_all_comes_back(
    tmp_path: Path, ways: tuple[dict[str, object], ...], answered: bool, told: bool
) -> None:
    """It came first by its metric, and another one, by another interface, is there."""
    scene = Scene(tmp_path, dumps=dumps(ip_route=[*ways, *routes()[1:]]))
    _open(scene, 0, answered=False)
    _open(scene, 1, answered=answered, dst="9.9.9.9")
    found = _told(scene)

    assert bool(found) is told
    if told:
        assert (found["other_dev"], found["gateway"]) == ("eth9", "192.168.1.1")
        assert "192.168.1.1" in found["by_default"]
        assert "10.0.0.1" in found["other_default"]


def _ttls(folder: Path, *opened: tuple[int, bool, str]) -> dict[str, Any]:
    scene = Scene(folder, dumps=dumps())
    for number, (ttl, answered, dst) in enumerate(opened):
        _open(scene, number, answered=answered, ttl=ttl, dst=dst)
    return _told(scene)


DEAD, LIVE = (64, False, SERVER), (65, True, SERVER)


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        ((DEAD, DEAD, LIVE, LIVE), True),
        ((DEAD, LIVE, LIVE), False),
        ((DEAD, DEAD, LIVE), False),
        ((DEAD, DEAD, (65, True, "9.9.9.9"), (65, True, "9.9.9.9")), False),
        ((DEAD, DEAD, LIVE, LIVE, (64, True, "9.9.9.9")), False),
        ((DEAD, DEAD, LIVE, LIVE, (66, False, "9.9.9.9")), False),
        ((DEAD, DEAD, (63, True, SERVER), (63, True, SERVER)), False),
        ((DEAD, DEAD, LIVE, LIVE, (63, False, SERVER)), True),
    ],
    ids=["dead", "once", "answered-once", "other-servers", "answered-elsewhere", "a-larger-one-is-dead", "smaller",
         "a-smaller-one-is-dead"],
)  # fmt: skip
def test_a_ttl_with_which_nothing_is_answered(
    tmp_path: Path, opened: tuple[tuple[int, bool, str], ...], told: bool
) -> None:
    """The same servers answer each that has a larger one; two of both tell it from chance."""
    assert _ttls(tmp_path, *opened) == ({"dead_ttl": 63, "live_ttl": 64} if told else {})


def test_what_did_not_leave_tells_nothing_of_the_way_out(tmp_path: Path) -> None:
    """It was seen last before the uplink."""
    scene = Scene(tmp_path, dumps=dumps(ip_route=[MINE, OTHER, *routes()[1:]]))
    _open(scene, 0, answered=False, until="docker0")
    _open(scene, 1, answered=False)

    assert _told(scene) == {}
    assert _told(scene, 1) != {}


def test_a_bridge_is_no_way_out(tmp_path: Path) -> None:
    """What the host itself answers there, or does not, says nothing of TTLs beyond."""
    scene = Scene(tmp_path, dumps=dumps())
    for number, (ttl, answered) in enumerate([(63, False), (63, False), (64, True), (64, True)]):
        port, ms = 40_000 + number, 100 * number
        ways = [(C1, BRIDGE, packet(INSIDE, GATE, 6, tcp(port, 22, 1000 * number, 0, SYN), ttl=ttl, ident=number))]
        ways += [(BRIDGE, C1, packet(GATE, INSIDE, 6, tcp(22, port, 5, 1000 * number + 1, SYN_ACK)))] * answered
        for way, (src, dst, data) in enumerate(ways):
            for place, point in enumerate(("docker0", "veth-c2") if way else ("veth-c2", "docker0")):
                scene.see(point, ms + 5 * way + 0.02 * place, frame(src, dst, data))

    assert _told(scene) == {}


def test_only_what_begins_a_connection_is_compared(tmp_path: Path) -> None:
    """A later packet is lost for other reasons."""
    scene = Scene(tmp_path, dumps=dumps(ip_route=[MINE, OTHER, *routes()[1:]]))
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 0x10))

    assert _told(scene) == {}


@pytest.mark.parametrize(("at", "told"), [("wlan0", {"xdp": "drop", "xdp_at": "wlan0"}), ("docker0", {}), ("", {})])
def test_who_takes_answers_before_captures_see_them(tmp_path: Path, at: str, told: dict[str, str]) -> None:
    """Where the packet left, not elsewhere."""
    known = [link | ({"xdp": {"prog": {"id": 7, "name": "drop"}}} if link["ifname"] == at else {}) for link in links()]
    scene = Scene(tmp_path, dumps=dumps(ip_addr=known))
    _open(scene, 0, answered=False)
    scene.recorded(9000)
    case = scene.case()

    assert taken_first(case, 0) == told
    assert {name: fact for name, fact in scene.findings()[0].facts.items() if name.startswith("xdp")} == told


MARKED, PLAIN = (True, False, SERVER), (False, True, SERVER)


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        ((MARKED, MARKED, PLAIN, PLAIN), True),
        ((MARKED, PLAIN, PLAIN), False),
        ((MARKED, MARKED, PLAIN), False),
        ((MARKED, MARKED, (True, True, SERVER), PLAIN, PLAIN), False),
        ((MARKED, MARKED, (False, False, SERVER), PLAIN, PLAIN), False),
        ((MARKED, MARKED, (False, True, "9.9.9.9"), (False, True, "9.9.9.9")), False),
        (((False, False, SERVER), MARKED, MARKED, (True, True, SERVER)), False),
    ],
    ids=["dropped", "once", "answered-once", "answered-with-it", "dropped-without-it", "other-servers", "plain"],
)
def test_syns_that_offer_ecn_and_are_not_answered(
    tmp_path: Path, opened: tuple[tuple[bool, bool, str], ...], told: bool
) -> None:
    """The same servers answer those without it."""
    scene = Scene(tmp_path, dumps=dumps())
    for number, (marked, answered, dst) in enumerate(opened):
        ms, port = 100 * number, 40_000 + number
        scene.out(ms, 6, tcp(port, 80, 1, 0, SYN | 0xC0 * marked), dst=dst)
        if answered:
            scene.back(ms + 5, 6, tcp(80, port, 5, 2, SYN_ACK), src=dst)

    assert _told(scene) == ({"ecn": True} if told else {})
