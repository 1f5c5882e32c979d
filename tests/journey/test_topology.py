"""What is drawn of a host: which nodes there are, what each is told with, and what its edges carry."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.journey.topology import Volumes, topology
from analyzer.model import Basis, Container, HostState, Link, Mac, Network, Point, Role, Route
from analyzer.model.overview import Node, NodeKind, Topology
from analyzer.schema import Layer
from tests.packet.tables import BRIDGE, GATEWAY, INNER, UDP, UPLINK, Frame, Packet, at, context, packet, seen

VETH = at(0, "veth-c1", Role.VETH, interface="veth1a", container="c1", network="bridge")
DOCKER0 = at(1, "docker0", Role.BRIDGE, network="bridge")
WLAN0 = at(2, "wlan0", Role.UPLINK)
OUT = {"eth_src": UPLINK, "eth_dst": GATEWAY, "ttl": 63, "src": "192.168.1.100"}
DEFAULT = Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default via 192.168.1.1")


def _at_each(time_ns: int, *points: int, **columns: Any) -> Packet:
    """One packet on its way out, at these points; it is routed before the uplink."""
    return packet(*(seen(n, time_ns + n, **(OUT if n == 2 else {}) | columns) for n in points))


def _drawn(points: tuple[Point, ...], *packets: Packet, hosts: tuple[HostState, ...] = ()) -> Topology:
    numbered = tuple(replace(point, id=number) for number, point in enumerate(points))
    here = context(numbered, packets, hosts=hosts)
    volumes = Volumes()
    volumes.add(here)
    return topology(here, volumes)


def _edges(drawn: Topology) -> dict[tuple[str, str], tuple[int, int]]:
    return {(drawn.nodes[e.a].name, drawn.nodes[e.b].name): (e.frames, e.length) for e in drawn.edges}


def _node(drawn: Topology, name: str) -> Node:
    (found,) = (node for node in drawn.nodes if node.name == name)
    return found


def test_the_way_out_of_a_container() -> None:
    """Each edge carries what its captured end counted; a bridge's only what goes through the host."""
    drawn = _drawn((VETH, DOCKER0, WLAN0), _at_each(10, 0, 1, 2), _at_each(20, 0, 1, 2, dst="9.9.9.9", orig_len=100),
                   _at_each(30, 0, 1, eth_dst=0x0242_AC11_0003))  # fmt: skip

    assert [(node.kind, node.name) for node in drawn.nodes] == [
        (NodeKind.INTERFACE, "veth-c1"),
        (NodeKind.BRIDGE, "docker0"),
        (NodeKind.UPLINK, "wlan0"),
        (NodeKind.HOST, "host"),
        (NodeKind.CONTAINER, "c1"),
        (NodeKind.REMOTE, "2 addresses"),
    ]
    assert _edges(drawn) == {
        ("c1", "veth-c1"): (3, 224),
        ("veth-c1", "docker0"): (3, 224),
        ("docker0", "host"): (2, 162),
        ("host", "wlan0"): (2, 162),
        ("wlan0", "2 addresses"): (2, 0),
    }


def test_what_nodes_are_told_with() -> None:
    """Basis, host and point; the host's part is inferred."""
    points = tuple(replace(point, host="h") for point in (VETH, DOCKER0, WLAN0))
    drawn = _drawn(points, _at_each(10, 0, 1, 2), hosts=(HostState(name="h"),))

    assert _node(drawn, "h") == Node(NodeKind.HOST, "h", Basis.INFERRED, "h", ("routing, netfilter",), None)
    assert _node(drawn, "veth-c1") == Node(NodeKind.INTERFACE, "veth-c1", Basis.INFERRED, "h", (), "veth-c1")
    assert _node(drawn, "c1") == Node(NodeKind.CONTAINER, "c1", Basis.STATED, "h", ("172.17.0.2",), None)
    assert _node(drawn, "8.8.8.8") == Node(NodeKind.REMOTE, "8.8.8.8", Basis.OBSERVED, None, (), None)
    assert _node(drawn, "docker0").details == ("network bridge",)


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (Role.CONTAINER, NodeKind.INTERFACE),
        (Role.VETH, NodeKind.INTERFACE),
        (Role.LOOPBACK, NodeKind.INTERFACE),
        (Role.UNKNOWN, NodeKind.INTERFACE),
        (Role.BRIDGE, NodeKind.BRIDGE),
        (Role.OVERLAY, NodeKind.OVERLAY),
        (Role.UPLINK, NodeKind.UPLINK),
    ],
)
def test_what_a_point_is_drawn_as(role: Role, kind: NodeKind) -> None:
    """By its role."""
    assert _drawn((at(0, "p", role),)).nodes[0].kind is kind


@pytest.mark.parametrize(
    ("role", "edges"),
    [
        (Role.LOOPBACK, {("p", "host"): (1, 62)}),
        (Role.UNKNOWN, {("p", "host"): (1, 62)}),
        (Role.OVERLAY, {("p", "host"): (1, 62)}),
        (Role.UPLINK, {("host", "p"): (1, 62)}),
        (Role.VETH, {("behind p", "p"): (1, 62), ("p", "host"): (1, 62)}),
        (Role.CONTAINER, {("behind p", "p"): (1, 62)}),
        (Role.BRIDGE, {("p", "host"): (0, 0)}),
    ],
)
def test_what_a_point_alone_is_joined_with(role: Role, edges: dict[tuple[str, str], tuple[int, int]]) -> None:
    """A container is behind its interface, the inner end of which nobody knows the way of."""
    assert _edges(_drawn((at(0, "p", role),), packet(seen(0, 10)))) == edges


def test_a_container_is_told_by_its_addresses() -> None:
    """Those that Docker gave it, three at the most; without, those that it sends from."""
    many = tuple(ip_address(f"172.17.0.{n}") for n in (2, 3, 4, 5))
    stated = HostState(containers=(Container("c1", "bridge", None, many[:1]), Container("c2", "x", None, many[2:3]),
                                   Container("c1", "other", None, (*many[1:2], *many[3:], many[2]))))  # fmt: skip
    packets = [_at_each(100 * n, 0, 1, src=f"172.17.0.{ip}") for n, ip in enumerate((6, 9, 9, 8, 8, 8, 7, 7, 7, 7))]

    assert _node(_drawn((VETH, DOCKER0), *packets, hosts=(stated,)), "c1").details == (
        "172.17.0.2", "172.17.0.3", "172.17.0.5",
    )  # fmt: skip
    assert _node(_drawn((VETH, DOCKER0), *packets), "c1").details == ("172.17.0.7", "172.17.0.8", "172.17.0.9")


@pytest.mark.parametrize(
    ("point", "name", "basis"),
    [(VETH, "c1", Basis.STATED), (replace(VETH, container=None), "behind veth-c1", Basis.INFERRED)],
)
def test_a_container_without_a_name(point: Point, name: str, basis: Basis) -> None:
    """It is behind its interface."""
    drawn = _drawn((point,))

    assert [(node.name, node.basis) for node in drawn.nodes if node.kind is NodeKind.CONTAINER] == [(name, basis)]


@pytest.mark.parametrize(
    "shown",
    [
        packet(seen(0, 10)),
        packet(seen(1, 10), seen(0, 12)),
        packet(seen(0, 10, src="224.0.0.1"), seen(1, 12)),
        packet(seen(0, 10, src="169.254.0.1"), seen(1, 12)),
        packet(seen(0, 10, layers=UDP & ~Layer.IPV4), seen(1, 12)),
    ],
    ids=["one point", "came in", "group", "link-local", "no IP"],
)
def test_what_is_no_containers_address(shown: Packet) -> None:
    """Only sources of what goes on from its interface are."""
    assert _node(_drawn((VETH, DOCKER0), shown), "c1").details == ()


def test_ipv6_addresses_are_whole() -> None:
    """Both halves of them."""
    six = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6, "src": "fd00:1::2"}

    assert _node(_drawn((VETH, DOCKER0), packet(seen(0, 10, **six), seen(1, 11, **six))), "c1").details == (
        "fd00:1::2",
    )


@pytest.mark.parametrize(
    ("links", "details"),
    [
        (
            [("wlan0", ["10.0.0.1", "10.0.0.2", "fe80::1", "10.0.0.3", "10.0.0.4"])],
            ("10.0.0.1", "10.0.0.2", "10.0.0.3"),
        ),
        ([("w", ["10.0.0.1"]), ("wlan0", ["10.0.0.2"])], ("10.0.0.2",)),
        ([("w", ["10.0.0.1"])], ("10.0.0.1",)),
        ([("eth0", ["10.0.0.1"])], ()),
    ],
)
def test_a_point_is_told_by_its_interfaces_addresses(
    links: list[tuple[str, list[str]]], details: tuple[str, ...]
) -> None:
    """Three of them, those of the link left out; by the interface's name, else the capture's."""
    host = HostState(links=tuple(Link(1, name, None, None, None, tuple(map(ip_address, ips))) for name, ips in links))

    assert _drawn((at(0, "w", Role.UPLINK, interface="wlan0"),), hosts=(host,)).nodes[0].details == details


@pytest.mark.parametrize(
    ("name", "network", "details"), [("docker0", "bridge", ("network bridge",)), ("net", "net", ()), ("br0", None, ())]
)
def test_a_bridge_is_told_by_its_network(name: str, network: str | None, details: tuple[str, ...]) -> None:
    """Unless it is called the same."""
    assert _drawn((at(0, name, Role.BRIDGE, network=network),)).nodes[0].details == details


def test_only_a_bridge_is_told_by_its_network() -> None:
    """A port's network is its bridge's matter."""
    assert _drawn((VETH,)).nodes[0].details == ()


@pytest.mark.parametrize(
    ("networks", "details"),
    [
        ([], ()),
        ([("bridge", "docker0")], ("172.17.0.1", "network bridge")),
        ([("docker0", "docker0")], ("172.17.0.1",)),
        ([("other", "br-1")], ()),
    ],
)
def test_a_bridge_that_was_not_captured(networks: list[tuple[str, str]], details: tuple[str, ...]) -> None:
    """A dump names it as the port's master: it stands between the port and the host, with its network's gateway."""
    nets = tuple(Network(name, "1", "bridge", bridge, (), (ip_address("172.17.0.1"),)) for name, bridge in networks)
    host = HostState(links=(Link(1, "veth1a", None, "veth", "docker0"),), networks=nets)
    drawn = _drawn((VETH,), packet(seen(0, 10)), hosts=(host,))

    assert _node(drawn, "docker0") == Node(NodeKind.BRIDGE, "docker0", Basis.STATED, None, details)
    assert _edges(drawn) == {
        ("c1", "veth-c1"): (1, 62), ("veth-c1", "docker0"): (1, 62), ("docker0", "host"): (1, 62),
    }  # fmt: skip


def _frames_of_bridge(*frames: Frame) -> tuple[int, int] | None:
    """Return what goes from a bridge to the host, whose MAC a packet shows that is routed."""
    drawn = _drawn((VETH, DOCKER0, WLAN0), packet(seen(0, 1), seen(2, 2, **OUT)), *(packet(one) for one in frames))
    return _edges(drawn).get(("docker0", "host"))


@pytest.mark.parametrize(
    ("columns", "counted"),
    [
        ({"eth_dst": BRIDGE}, True),
        ({"eth_src": BRIDGE, "eth_dst": INNER}, True),
        ({"eth_dst": 0x0242_AC11_0003}, False),
    ],
)
def test_frames_between_containers_do_not_reach_the_host(columns: dict[str, int], counted: bool) -> None:
    """Only those from or to a MAC of its own."""
    assert _frames_of_bridge(seen(1, 10, **columns)) == ((1, 62) if counted else (0, 0))


def _overlay(*packets: Packet, bridge_host: HostState | None = None) -> dict[tuple[str, str], tuple[int, int]]:
    points = (VETH, DOCKER0, at(2, "vxlan0", Role.OVERLAY), at(3, "wlan0", Role.UPLINK))
    return _edges(_drawn(points, *packets, hosts=(bridge_host or HostState(),)))


def test_a_bridge_of_an_overlay_leads_into_the_tunnel() -> None:
    """The host does not route for it, unless frames show that it does."""
    inside = packet(seen(0, 10), seen(1, 11), seen(2, 12))
    routed = packet(seen(0, 20, dst="9.9.9.9"), seen(1, 21, dst="9.9.9.9"), seen(3, 22, **OUT))
    other = {"eth_dst": 0x0242_AC11_0003}

    assert _overlay(inside) == {
        ("c1", "veth-c1"): (1, 62),
        ("veth-c1", "docker0"): (1, 62),
        ("docker0", "vxlan0"): (1, 62),
        ("vxlan0", "host"): (1, 62),
        ("host", "wlan0"): (0, 0),
    }
    assert _overlay(packet(seen(0, 10, **other), seen(1, 11, **other), seen(2, 12, **other)), routed)[
        "docker0", "host"
    ] == (1, 62)  # fmt: skip


def _outside(*packets: Packet, **host: Any) -> dict[tuple[str, str], tuple[int, int]]:
    drawn = _drawn((VETH, DOCKER0, WLAN0), *packets, hosts=(HostState(**host),))
    return {ends: carried for ends, carried in _edges(drawn).items() if "host" not in ends and "docker0" not in ends}


@pytest.mark.parametrize("dev", ["wlan0", "w"])
def test_a_gateway_stands_before_the_world(dev: str) -> None:
    """It carries all that the uplink does; of what lies beyond, packets are counted."""
    drawn = _drawn((replace(WLAN0, name="w"), DOCKER0), packet(seen(1, 10), seen(0, 11, **OUT)), packet(seen(0, 12)),
                   hosts=(HostState(routes=(replace(DEFAULT, dev=dev),)),))  # fmt: skip
    gateway = _node(drawn, "192.168.1.1")

    assert gateway == Node(NodeKind.GATEWAY, "192.168.1.1", Basis.STATED, None)
    assert _edges(drawn)["w", "192.168.1.1"] == (2, 124)
    assert _edges(drawn)["192.168.1.1", "8.8.8.8"] == (1, 0)


@pytest.mark.parametrize(
    ("routes", "ends"),
    [
        ((), ("wlan0", "8.8.8.8")),
        ((replace(DEFAULT, dev="eth1"),), ("wlan0", "8.8.8.8")),
        ((replace(DEFAULT, gateway=None),), ("wlan0", "8.8.8.8")),
        (
            (replace(DEFAULT, gateway=None), replace(DEFAULT, gateway=ip_address("192.168.1.9"))),
            ("192.168.1.9", "8.8.8.8"),
        ),
    ],
)
def test_an_uplink_without_a_gateway(routes: tuple[Route, ...], ends: tuple[str, str]) -> None:
    """No route by it names one."""
    assert _outside(_at_each(10, 0, 1, 2), routes=routes)[ends] == (1, 0)


def test_who_lies_beyond_an_uplink() -> None:
    """Whom packets went to and came from there; not the host itself, nor the gateway."""
    link = Link(1, "wlan0", None, None, None, (ip_address("192.168.1.100"),))
    back = {"src": "9.9.9.9", "dst": "192.168.1.100", "eth_src": GATEWAY, "eth_dst": UPLINK, "ttl": 60}
    packets = [
        _at_each(10, 0, 1, 2),
        packet(seen(2, 30, **back), seen(1, 31)),
        _at_each(50, 0, 1, 2, dst="192.168.1.1"),
        packet(seen(0, 70), seen(1, 71)),
        packet(seen(2, 90, dst="1.1.1.1")),
        _at_each(110, 0, 1, 2, dst="239.0.0.1"),
    ]
    drawn = _drawn((VETH, DOCKER0, WLAN0), *packets, hosts=(HostState(links=(link,), routes=(DEFAULT,)),))

    assert _node(drawn, "2 addresses").details == ("9.9.9.9", "8.8.8.8")
    assert _edges(drawn)["192.168.1.1", "2 addresses"] == (2, 0)


def test_the_most_frequent_addresses_are_named() -> None:
    """Three of them; all are counted, with a comma between thousands."""
    packets = [_at_each(100 * n, 0, 1, 2, dst=f"8.8.0.{n}") for n in range(5)]
    packets += [_at_each(900 + 100 * n, 0, 1, 2, dst=f"8.8.0.{ip}") for n, ip in enumerate((4, 4, 2))]
    many = [_at_each(100 * n, 0, 2, dst=f"8.{n // 250}.0.{n % 250}") for n in range(1001)]

    assert _node(_drawn((VETH, DOCKER0, WLAN0), *packets), "5 addresses").details == ("8.8.0.4", "8.8.0.2", "8.8.0.0")
    assert ("wlan0", "1,001 addresses") in _edges(_drawn((VETH, DOCKER0, WLAN0), *many))


def test_a_containers_own_end_leads_outside() -> None:
    """Where only that was captured, the world lies beyond it."""
    drawn = _drawn((at(0, "eth0", Role.CONTAINER), DOCKER0), packet(seen(0, 10), seen(1, 11, ttl=63)))

    assert _edges(drawn)["behind eth0", "eth0"] == (1, 62)


HOSTS = (HostState(name="a"), HostState(name="b"))


def _two(
    left: Role = Role.UPLINK, right: Role = Role.UPLINK, host: str = "b"
) -> dict[tuple[str, str], tuple[int, int]]:
    """Packets between two hosts' points, in both directions."""
    points = (at(0, "a:x", left, host="a"), at(1, "b:x", right, host=host))
    packets = [packet(seen(a, n * 10), seen(1 - a, n * 10 + 1)) for n, a in enumerate((0, 1, 1))]
    return _edges(_drawn(points, *packets, hosts=HOSTS))


def test_uplinks_of_two_hosts_are_joined() -> None:
    """By what went between them, in both directions together."""
    assert _two()["a:x", "b:x"] == (3, 0)


@pytest.mark.parametrize(
    ("left", "right", "host"),
    [(Role.UPLINK, Role.UPLINK, "a"), (Role.UNKNOWN, Role.UPLINK, "b"), (Role.UPLINK, Role.UNKNOWN, "b")],
)
def test_other_points_are_not_joined(left: Role, right: Role, host: str) -> None:
    """Only uplinks, and only of two hosts."""
    assert ("a:x", "b:x") not in _two(left, right, host)


def _containers(*names: str, network: str = "bridge") -> tuple[Container, ...]:
    ips = tuple(ip_address(f"172.17.0.{n}") for n in (2, 3, 4, 5))
    return tuple(Container(name, network, Mac(n), ips) for n, name in enumerate(names))


NET = Network("bridge", "1", "bridge", "docker0", (), ())


def test_containers_that_nothing_was_captured_of() -> None:
    """They hang on their network's bridge if that is drawn, and were stated."""
    drawn = _drawn((DOCKER0,), hosts=(HostState(containers=_containers("db"), networks=(NET,)),))

    assert _node(drawn, "db") == Node(
        NodeKind.CONTAINER, "db", Basis.STATED, None, ("172.17.0.2", "172.17.0.3", "172.17.0.4")
    )
    assert _edges(drawn)["db", "docker0"] == (0, 0)


@pytest.mark.parametrize(
    ("network", "nets", "name", "shown"),
    [
        ("bridge", (NET,), "docker0", True),
        ("other", (NET,), "docker0", False),
        ("bridge", (), "docker0", False),
        ("bridge", (NET,), "br-9", False),
    ],
)
def test_containers_of_bridges_that_are_not_drawn(
    network: str, nets: tuple[Network, ...], name: str, shown: bool
) -> None:
    """Nobody knows where to draw them."""
    host = HostState(containers=_containers("db", network=network), networks=nets)
    drawn = _drawn((at(0, name, Role.BRIDGE),), hosts=(host,))

    assert ("db" in {node.name for node in drawn.nodes}) == shown


def test_a_container_is_drawn_once() -> None:
    """One that is behind a captured interface is not drawn again; eight others are."""
    names = ("c1", *(f"s{n}" for n in range(10)))
    host = HostState(containers=_containers(*names), networks=(NET,))
    drawn = _drawn((VETH, DOCKER0), packet(seen(0, 1), seen(1, 2)), hosts=(host,))
    found = [node.name for node in drawn.nodes if node.kind is NodeKind.CONTAINER]

    assert found == list(names[:9])


def test_silent_containers_are_on_their_own_hosts_bridge() -> None:
    """Points of several hosts have the host before their names."""
    points = tuple(at(n, f"{host}:docker0", Role.BRIDGE, host=host) for n, host in enumerate("ab"))
    hosts = (HostState(name="a"), HostState(name="b", containers=_containers("db"), networks=(NET,)))
    drawn = _drawn(points, hosts=hosts)

    assert ("db", "b:docker0") in _edges(drawn)
    assert _node(drawn, "db").host == "b"


@pytest.mark.parametrize(
    ("route", "drawn"),
    [
        (replace(DEFAULT, dev="eth9"), True),
        (DEFAULT, False),
        (replace(DEFAULT, dev="w"), False),
        (replace(DEFAULT, dev=None), False),
        (replace(DEFAULT, dev="eth9", table="7"), False),
        (replace(DEFAULT, dev="eth9", dst=ip_network("10.0.0.0/8")), False),
    ],
)
def test_an_uplink_that_was_not_captured(route: Route, drawn: bool) -> None:
    """A default route of table main names it."""
    found = _drawn((at(0, "w", Role.UPLINK, interface="wlan0"),), hosts=(HostState(routes=(route,)),))
    others = [node for node in found.nodes if node.kind is NodeKind.UPLINK and node.name != "w"]

    assert others == ([Node(NodeKind.UPLINK, "eth9", Basis.STATED, None)] if drawn else [])
    assert _edges(found).get(("host", "eth9")) == ((0, 0) if drawn else None)


def test_an_uplink_is_captured_on_its_own_host_only() -> None:
    """The other host's wlan0 is another one."""
    hosts = (HostState(name="a", routes=(DEFAULT,)), HostState(name="b"))
    points = (at(0, "a:docker0", Role.BRIDGE, host="a"), at(1, "b:wlan0", Role.UPLINK, interface="wlan0", host="b"))

    assert ("a", "wlan0") in _edges(_drawn(points, hosts=hosts))


def test_all_default_routes_are_looked_at() -> None:
    """One that is captured does not hide the next."""
    routes = (DEFAULT, replace(DEFAULT, dev="eth9"))

    assert ("host", "eth9") in _edges(_drawn((WLAN0,), hosts=(HostState(routes=routes),)))
