"""Who refused outside this host: its own router, and what whoever was refused did next."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.case import Case
from analyzer.explain.refuser import answers_at, at_router, of_same_service, turned_to
from tests.build import C1, GATEWAY, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, routes

SYN, SYN_ACK, RST_ACK = 2, 0x12, 0x14
FAR = "203.0.113.1"
PORT = 40_000


def _try(
    scene: Scene, ms: float, dst: str = SERVER, dport: int = 80, sport: int = PORT, *, granted: bool = False,
    ttl: int = 54, src: str = INSIDE,
) -> None:  # fmt: skip
    scene.out(ms, 6, tcp(sport, dport, 1, 0, SYN), dst=dst, src=src)
    scene.back(ms + 5, 6, tcp(dport, sport, 5, 2, SYN_ACK if granted else RST_ACK), src=dst, dst=src, ttl=ttl)


def _refused(folder: Path, *, ttl: int = 64, neighbour: str | None = GATEWAY, by: str | None = "192.168.1.1",
             published: int = 8080, answer: str | None = "wlan0") -> Case:  # fmt: skip
    """Let a container ask port 8080 of somebody far away, of whom a RST comes with a TTL."""
    web = container("web", "172.17.0.3", "02:42:ac:11:00:03")
    assert isinstance(web, dict)
    web["NetworkSettings"]["Ports"] = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(published)}]}
    default = {"dst": "default", "dev": "wlan0", **({} if by is None else {"gateway": by})}
    scene = Scene(folder, dumps=dumps(ip_route=[default, *routes()[1:]], docker_inspect=[web]))
    if neighbour is not None:
        known = {"dst": "192.168.1.1", "dev": "wlan0", "lladdr": neighbour, "state": ["REACHABLE"]}
        scene.dumps["ip-neigh.json"] = [known]
    scene.out(0, 6, tcp(PORT, 8080, 1, 0, SYN), dst=FAR)
    if answer == "docker0":
        data = packet(FAR, INSIDE, 6, tcp(8080, PORT, 0, 2, RST_ACK), ttl=ttl)
        scene.see("docker0", 5, frame(GATEWAY, C1, data))
    elif answer is not None:
        scene.back(5, 6, tcp(8080, PORT, 0, 2, RST_ACK), src=FAR, ttl=ttl)
    return scene.case()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"ttl": 255}, True),
        ({"ttl": 63}, False),
        ({"neighbour": None}, True),
        ({"neighbour": "00:1d:aa:00:00:99"}, False),
        ({"by": None}, False),
        ({"answer": None}, False),
        ({"answer": "docker0"}, False),
    ],
    ids=[
        "fresh",
        "another-fresh-one",
        "counted-down",
        "no-entry",
        "other-mac",
        "no-gateway",
        "no-answer",
        "from-inside",
    ],
)
def test_a_refusal_that_nobody_counted_down_is_the_gateways(tmp_path: Path, fields: dict[str, Any], told: bool) -> None:
    """It comes from the next hop, by its MAC as far as that is known; not from who was asked."""
    found = at_router(_refused(tmp_path, **fields), 0)

    assert found.get("router") == ("192.168.1.1" if told else None)


@pytest.mark.parametrize(("published", "told"), [(8080, "web"), (8081, None)])
def test_what_the_router_forwards_elsewise_may_be_published_here(
    tmp_path: Path, published: int, told: str | None
) -> None:
    """A container of this host has that very port."""
    assert at_router(_refused(tmp_path, published=published), 0).get("published_by") == told


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ({"ms": 50}, "9.9.9.9"),
        ({"ms": 105.04}, "9.9.9.9"),
        ({"ms": 105.041}, None),
        ({"ms": 50, "dport": 81}, None),
        ({"ms": 50, "granted": False}, None),
        ({"ms": 50, "dst": SERVER}, None),
        ({"ms": 50, "src": "172.17.0.9"}, None),
    ],
    ids=["at-once", "just-so", "later", "other-port", "refused-too", "same-address", "other-client"],
)
def test_who_gets_through_elsewhere_at_once_has_a_list_of_addresses(
    tmp_path: Path, then: dict[str, Any], told: str | None
) -> None:
    """The same client, the same port, another address, within a tenth of a second of the refusal."""
    scene = Scene(tmp_path)
    _try(scene, 0)
    _try(scene, **{"dst": "9.9.9.9", "granted": True, "sport": PORT + 1, **then})
    found = turned_to(scene.case(), [0])

    assert (str(found) if found is not None else None) == told


def test_each_that_was_refused_has_to_get_through(tmp_path: Path) -> None:
    """One that did not is trouble; the first address that was turned to is told."""
    scene = Scene(tmp_path)
    for number, dst in enumerate(("9.9.9.9", "1.1.1.1")):
        _try(scene, 1000 * number, sport=PORT + 2 * number)
        _try(scene, 1000 * number + 20, dst, granted=True, sport=PORT + 2 * number + 1)
    _try(scene, 5000, sport=PORT + 9)
    case = scene.case()
    asked = [int(case.packets_of(number)[0]) for number in (0, 2, 4)]

    assert str(turned_to(case, asked[:2])) == "9.9.9.9"
    assert turned_to(case, asked) is None


def test_a_service_is_an_address_protocol_and_port_as_the_server_has_them(tmp_path: Path) -> None:
    """Whatever the clients' ports are, and whoever they are."""
    scene = Scene(tmp_path)
    _try(scene, 0)
    _try(scene, 10, sport=PORT + 1, src="172.17.0.9")
    _try(scene, 20, dport=81, sport=PORT + 2)
    _try(scene, 30, dst="9.9.9.9", sport=PORT + 3)
    scene.out(40, 17, udp(PORT, 80, b"x"))

    assert of_same_service(scene.case(), 0).tolist() == [True, True, False, False, False]


def test_ports_at_which_the_server_takes_the_same_client(tmp_path: Path) -> None:
    """Each once, in order; what refuses, other clients and other servers tell nothing."""
    scene = Scene(tmp_path)
    _try(scene, 0, dport=7)
    tries: list[tuple[int, dict[str, Any]]] = [
        (443, {}), (22, {}), (443, {}), (23, {"granted": False}), (24, {"src": "172.17.0.9"}), (25, {"dst": "9.9.9.9"}),
    ]  # fmt: skip
    for number, (dport, fields) in enumerate(tries, 1):
        _try(scene, 10 * number, **{"dport": dport, "sport": PORT + number, "granted": True, **fields})

    assert answers_at(scene.case(), 0) == [22, 443]
