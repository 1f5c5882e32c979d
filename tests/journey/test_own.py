"""What a container decided itself, before anybody else: to a gateway, or straight to who is meant."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.journey.own import OwnRoutes
from analyzer.model import Basis, Container, HostState, Mac, Neighbour, OwnRouteStep, Role, Route
from analyzer.packet.sight import sights
from analyzer.schema import Layer
from tests.packet.tables import BRIDGE, INNER, UDP, Packet, at, context, packet, seen

HOSTS = Path(__file__).parents[1] / "hosts"
OTHER, GROUP = 0x0242_AC11_0003, 0x0100_5E00_00FB
C1, C2, DOCKER0 = (ip_address(f"172.17.0.{n}") for n in (2, 3, 1))
DEFAULT = Route(ip_network("0.0.0.0/0"), "eth0", DOCKER0, 0, "main", "default via 172.17.0.1 dev eth0")
LINK = Route(ip_network("172.17.0.0/16"), "eth0", None, 0, "main", "172.17.0.0/16 dev eth0 scope link")
CONTAINERS = (Container("c1", "bridge", Mac(INNER), (C1,)), Container("c2", "bridge", Mac(OTHER), (C2,)))
HOST = HostState(
    containers=CONTAINERS, neighbours=(Neighbour(DOCKER0, "docker0", Mac(BRIDGE), "stated"),),
    inside={"c1": HostState(routes=(DEFAULT, LINK))},
)  # fmt: skip
POINTS = (replace(at(0, "veth-c1", Role.VETH), container="c1"), at(1, "docker0", Role.BRIDGE), at(2, "x", Role.VETH))


def _sent(dst: str, mac: int, *, src: str = "172.17.0.2", point: int = 0, **fields: int) -> Packet:
    return packet(seen(point, 0, eth_src=INNER, eth_dst=mac, src=src, dst=dst, **{"layers": UDP, **fields}))


def _own(one: Packet, host: HostState = HOST) -> OwnRouteStep | None:
    here = context(POINTS, [one], hosts=(host,))
    return OwnRoutes(here, []).of(next(iter(sights(here, np.array([0]))))[0][0])


@pytest.mark.parametrize(
    ("dst", "mac", "gateway", "route"),
    [
        ("8.8.8.8", BRIDGE, DOCKER0, DEFAULT),
        ("172.17.0.3", OTHER, None, LINK),
        ("172.17.0.1", BRIDGE, None, LINK),
    ],
    ids=["outside", "neighbour", "host"],
)
def test_by_its_recorded_routes(dst: str, mac: int, gateway: object, route: Route) -> None:
    """Stated, where the frame shows the same."""
    step = _own(_sent(dst, mac))

    assert step is not None
    assert (step.container, step.gateway, step.route, step.basis) == ("c1", gateway, route.text, Basis.STATED)
    assert "in table main" in (step.why or "")


@pytest.mark.parametrize(
    ("dst", "mac", "gateway"), [("8.8.8.8", BRIDGE, DOCKER0), ("172.17.0.1", BRIDGE, None)], ids=["gateway", "link"]
)
def test_without_its_routes_the_mac_shows_it(dst: str, mac: int, gateway: object) -> None:
    """Inferred from whose MAC the frame is for."""
    step = _own(_sent(dst, mac), replace(HOST, inside={}))

    assert step is not None
    assert (step.gateway, step.route, step.why, step.basis) == (gateway, None, None, Basis.INFERRED)


def test_routes_that_say_something_else_are_not_told() -> None:
    """They were changed, or a packet was sent past them: what the frame shows stands."""
    elsewhere = replace(HOST, neighbours=(Neighbour(ip_address("172.17.0.9"), "docker0", Mac(BRIDGE), "stated"),))

    assert _own(_sent("8.8.8.8", OTHER)) is None
    assert _own(_sent("172.17.0.3", BRIDGE)) == OwnRouteStep("c1", DOCKER0, None, None, Basis.INFERRED)
    assert _own(_sent("8.8.8.8", BRIDGE), elsewhere) == OwnRouteStep(
        "c1", ip_address("172.17.0.9"), None, None, Basis.INFERRED
    )


@pytest.mark.parametrize(
    "one",
    [
        _sent("8.8.8.8", BRIDGE, src="172.17.0.3"),
        _sent("8.8.8.8", BRIDGE, point=1),
        _sent("8.8.8.8", BRIDGE, point=2),
        _sent("224.0.0.251", GROUP),
        _sent("8.8.8.8", BRIDGE, layers=UDP & ~Layer.MAC_DST),
        _sent("8.8.8.8", 0x0242_AC11_0099, src="172.17.0.9"),
    ],
    ids=["another-sender", "bridge", "nobody-known", "group", "no-mac", "not-its-address"],
)
def test_packets_of_nobody_known(one: Packet) -> None:
    """What a container did not send itself, or what everybody gets, tells nothing of its routes."""
    assert _own(one) is None


@pytest.mark.parametrize("kind", ["docker-28", "docker-29", "kubernetes", "podman"])
def test_on_recorded_hosts(kind: str) -> None:
    """Each container's packets begin with its own decision, stated from its namespace; nobody else's do."""
    trace = analyze([HOSTS / f"{kind}.healthy.tar.zst"])
    told = {}
    for journey in trace.journeys():
        own = [step for step in journey.steps if isinstance(step, OwnRouteStep)]
        told.setdefault(journey.summary.partition(" seq")[0], []).extend(own)
        assert not own or (journey.steps[0] == own[0] and own[0].basis is Basis.STATED and own[0].at_hop == 0)

    assert all("default via" in (step.route or "") for step in told["ICMP echo request"])
    assert len(told["ICMP echo request"]) == 2
    assert told["ICMP echo reply"] == []
