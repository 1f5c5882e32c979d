"""Which bridge a point is a port of: by frames that pass between them unrouted, else by dumps."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from analyzer.model import HostState, Link, Network, Point, Role
from analyzer.packet.context import Context
from analyzer.packet.ports import bridge_names, bridge_of_port
from tests.packet.tables import Packet, at, context, packet, seen

VETH, OTHER = at(0, "veth-c1", Role.VETH, interface="veth1a"), at(1, "veth-c2", Role.VETH)
ONE, TWO = at(2, "docker0", Role.BRIDGE), at(3, "br-a", Role.BRIDGE, interface="br-1234")
POINTS = (VETH, OTHER, ONE, TWO)


def _host(*links: tuple[str, str | None], network: str | None = None, name: str | None = None) -> HostState:
    """A host with interfaces and their masters, and a network called ``net``."""
    found = tuple(Link(n, link, None, None, master) for n, (link, master) in enumerate(links))
    nets = (Network("net", "1234", "bridge", network, (ip_network("172.17.0.0/16"),), ()),) if network else ()
    return HostState(name=name, links=found, networks=nets)


def _passed(*ways: tuple[int, int], ttl: tuple[int, int] = (64, 64)) -> list[Packet]:
    return [
        packet(seen(here, n * 100, ttl=ttl[0]), seen(there, n * 100 + 9, ttl=ttl[1]))
        for n, (here, there) in enumerate(ways)
    ]


def _found(here: Context) -> dict[int, int | str]:
    """Bridges of what is no bridge itself."""
    return {port: bridge for port, bridge in bridge_of_port(here).items() if here.points[port].role is not Role.BRIDGE}


@pytest.mark.parametrize(
    ("ways", "bridges"),
    [
        ([(0, 2)], {0: 2}),
        ([(2, 1)], {1: 2}),
        ([(0, 2), (3, 0), (0, 3)], {0: 3}),
        ([(0, 3), (0, 2), (2, 0), (0, 2), (3, 0)], {0: 2}),
        ([(0, 3), (3, 0), (0, 3), (0, 2), (0, 2)], {0: 3}),
        ([(0, 2), (1, 3)], {0: 2, 1: 3}),
        ([(0, 1)], {}),
    ],
)
def test_frames_show_a_ports_bridge(ways: list[tuple[int, int]], bridges: dict[int, int]) -> None:
    """In both directions together, and of several bridges the one that exchanged most with it."""
    assert _found(context(POINTS, _passed(*ways))) == bridges


def test_both_directions_count_whatever_the_points_numbers() -> None:
    """A port that comes after its bridges in the list of points is joined with them likewise."""
    points = tuple(replace(point, id=number) for number, point in enumerate((ONE, TWO, VETH)))

    assert _found(context(points, _passed((0, 2), (1, 2), (0, 2), (1, 2), (2, 0)))) == {2: 0}


def test_what_is_routed_between_shows_no_port() -> None:
    """Its TTL is another one; and two packets one after the other are no way."""
    alone = [packet(seen(0, 1)), packet(seen(2, 2))]

    assert _found(context(POINTS, _passed((0, 2), ttl=(64, 63)))) == {}
    assert _found(context(POINTS, alone)) == {}


@pytest.mark.parametrize(
    ("port", "host", "bridge"),
    [
        (VETH, _host(("veth1a", "docker0")), 2),
        (VETH, _host(("veth-c1", "docker0")), 2),
        (VETH, _host(("veth1a", "br-a"), ("veth-c1", "docker0")), 3),
        (VETH, _host(("veth1a", "br-1234")), 3),
        (VETH, _host(("veth1a", "br-unseen")), "br-unseen"),
        (VETH, _host(("veth1a", None)), None),
        (VETH, _host(), None),
        (replace(VETH, network="net"), _host(("veth1a", None), network="docker0"), 2),
        (replace(VETH, network="net"), _host(network="br-1234"), 3),
        (replace(VETH, network="net"), _host(("veth1a", "docker0"), network="br-1234"), 2),
        (replace(VETH, network="other"), _host(network="br-1234"), None),
        (replace(VETH, role=Role.CONTAINER), _host(("veth1a", "docker0")), 2),
        (replace(VETH, role=Role.UPLINK), _host(("veth1a", "docker0")), None),
        (replace(VETH, interface=None), _host(("veth-c1", "docker0")), 2),
    ],
)
def test_without_frames_dumps_state_it(port: Point, host: HostState, bridge: int | str | None) -> None:
    """The interface's recorded master, else its network's bridge; by its name where it was not captured."""
    assert _found(context((port, OTHER, ONE, TWO), [], hosts=[host])).get(0) == bridge


def test_frames_come_before_dumps() -> None:
    """What was seen is not stated otherwise."""
    assert _found(context(POINTS, _passed((0, 3)), hosts=[_host(("veth1a", "docker0"))])) == {0: 3}


def test_a_bridge_of_the_same_name_on_another_host_is_another_one() -> None:
    """Each host has a docker0 of its own."""
    points = (replace(VETH, host="a"), replace(OTHER, host="b"), replace(ONE, host="b"), replace(TWO, host="b"))
    hosts = [_host(("veth1a", "docker0"), name="a"), _host(("veth-c2", "docker0"), name="b")]

    assert _found(context(points, [], hosts=hosts)) == {0: "docker0", 1: 2}


def test_bridges_are_named_by_their_interfaces() -> None:
    """Not by what their captures are called."""
    here = context(POINTS, _passed((0, 3)), hosts=[_host(("veth-c2", "br-unseen"))])
    unnamed = context((VETH, OTHER, replace(ONE, interface=None), TWO), _passed((0, 2)))

    assert (bridge_names(here)[0], bridge_names(here)[1]) == ("br-1234", "br-unseen")
    assert bridge_names(unnamed)[0] == "docker0"
