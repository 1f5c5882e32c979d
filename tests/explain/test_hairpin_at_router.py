"""Packets that a router sends back to the host with the host's own address as their source."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.hairpin_at_router import causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Basis
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, echo, tcp, udp
from tests.explain.scene import HOST, SERVER, Scene, frame, packet
from tests.explain.state import dumps, links

SYN, SYN_ACK, ACK = 2, 0x12, 0x10
PORT, PUBLIC = 40_000, "203.0.113.1"


def _scene(folder: Path, host: bool = True) -> Scene:
    return Scene(folder, dumps=dumps() if host else {})


def _turned(
    scene: Scene, ms: float = 0, *, sport: int = PORT, dport: int = 8080, asked: str = PUBLIC, src: str = HOST,
    dst: str = HOST, macs: tuple[str, str] = (GATEWAY, UPLINK), point: str = "wlan0", proto: int = 6, to: int = 8080,
) -> None:  # fmt: skip
    """Let the container ask, and the router send that to somebody else."""
    scene.ident += 1
    bodies = [tcp(sport, port, 1, 0, SYN) if proto == 6 else echo(8, sport, 1) for port in (dport, to)]
    scene.out(ms, proto, bodies[0], dst=asked, ident=scene.ident)
    scene.see(point, ms + 1, frame(*macs, packet(src, dst, proto, bodies[1], ttl=62, ident=scene.ident)))


def _causes(scene: Scene) -> list[Cause]:
    scene.out(9000, 17, udp(1, 2, b"x"), dst="1.1.1.1")
    return list(causes(scene.case()))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"src": "192.168.1.1"}, False),
        ({"dst": "192.168.1.7"}, False),
        ({"macs": (UPLINK, GATEWAY)}, False),
        ({"macs": (GATEWAY, GATEWAY)}, False),
        ({"macs": (UPLINK, UPLINK)}, False),
        ({"point": "docker0", "macs": (C1, BRIDGE)}, False),
        ({"proto": 1}, False),
    ],
    ids=[
        "turned",
        "masqueraded",
        "for-another",
        "going-out",
        "for-another-card",
        "own-card",
        "at-a-bridge",
        "no-ports",
    ],
)
def test_only_what_comes_from_the_host_for_the_host_by_another_card_is_told(
    tmp_path: Path, fields: dict[str, str], told: bool
) -> None:
    """At an uplink, between two of the host's own addresses, from a MAC that is none of its own."""
    scene = _scene(tmp_path)
    _turned(scene, **fields)  # type: ignore[arg-type]

    assert [(list(cause.packets)[:1], cause.basis) for cause in _causes(scene)] == [([0], Basis.STATED)] * told


def test_whose_addresses_nobody_recorded_is_not_told(tmp_path: Path) -> None:
    """Which ones are the host's own is known from its dumps alone."""
    scene = _scene(tmp_path, host=False)
    _turned(scene)

    assert _causes(scene) == []


def test_loopback_addresses_are_no_sign(tmp_path: Path) -> None:
    """Every host has them."""
    scene = _scene(tmp_path)
    loopback = {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "addr_info": [{"local": "127.0.0.1"}]}
    scene.dumps["ip-addr.json"] = [loopback, *links()]
    _turned(scene, src="127.0.0.1")

    assert _causes(scene) == []


def test_each_address_and_port_is_one_cause(tmp_path: Path) -> None:
    """With all that asks for it, in order of time; the ports before and after the router's translation are named."""
    scene = _scene(tmp_path)
    _turned(scene, 0)
    _turned(scene, 100, sport=PORT + 1, dport=443, to=8443)
    _turned(scene, 200, sport=PORT + 2)
    found = _causes(scene)
    told = found[0].told(list(found[0].packets))

    assert {cause.key: list(cause.packets) for cause in found} == {
        (f"{PUBLIC}:8080", f"{HOST}:8080"): [0, 2], (f"{PUBLIC}:443", f"{HOST}:8443"): [1],
    }  # fmt: skip
    assert told.facts == {"asked_as": f"{PUBLIC}:8080", "to": f"{HOST}:8080", "where": "wlan0"}


def test_every_try_belongs_to_it(tmp_path: Path) -> None:
    """Also those that nobody saw come back; what another server is asked does not."""
    scene = _scene(tmp_path)
    _turned(scene)
    scene.out(1000, 6, tcp(PORT, 8080, 1, 0, SYN), dst=PUBLIC)
    scene.out(1500, 6, tcp(PORT + 1, 8080, 1, 0, SYN), dst=SERVER)
    (cause,) = _causes(scene)

    assert list(cause.packets) == [0, 1]
