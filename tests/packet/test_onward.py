"""Where packets go on: what others of the stream and to the same address did, and what dumps say."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import Container, HostState, Link, Mac, Point, Role, Route
from analyzer.packet.onward import Onward
from analyzer.schema import Layer
from tests.packet.tables import ARP, BRIDGE, GATEWAY, INNER, UDP, UPLINK, Packet, at, connection, context, packet, seen

POINTS = (
    at(0, "veth-c1", Role.VETH, interface="veth1a", container="c1", network="net"),
    at(1, "docker0", Role.BRIDGE),
    at(2, "wlan0", Role.UPLINK),
    at(3, "veth-c2", Role.VETH, container="c2", network="net"),
    at(4, "eth0", Role.CONTAINER, container="c1", network="net"),
)
OTHER, GROUP = 0x0242_AC11_0003, 0x0100_5E00_00FB
OUT = {"eth_src": UPLINK, "eth_dst": GATEWAY, "ttl": 63}
ENDS = ("172.17.0.2", 4000, "8.8.8.8", 53)
PLAIN = connection(original=ENDS, reply=(*ENDS[2:], *ENDS[:2]))
PUBLISHED = connection(original=("1.2.3.4", 5000, "192.168.1.100", 8080), reply=("172.17.0.2", 80, "1.2.3.4", 5000))
HIDDEN = connection(original=ENDS, reply=("8.8.8.8", 53, "192.168.1.100", 4000))


def _onward(*packets: Packet, points: tuple[Point, ...] = POINTS, connections: tuple[dict[str, Any], ...] = (),
            hosts: tuple[HostState, ...] = ()) -> tuple[Onward, list[list[int]]]:  # fmt: skip
    """Return the lookups, and each packet's rows."""
    rows = connections or (PLAIN, PLAIN)
    here = context(points, packets, connections=rows, hosts=hosts)
    return Onward(here), [here.rows_of(number) for number in range(here.packets)]


def _passed(*points: int, number: int = 0, reply: bool = False, **columns: Any) -> Packet:
    return packet(*(seen(point, 10 + n, **columns) for n, point in enumerate(points)), connection=number, reply=reply)


@pytest.mark.parametrize(
    ("other", "onward"),
    [
        (_passed(0, 1, 2), {1}),
        (_passed(1, 2), set()),
        (_passed(0, 1, number=1), set()),
        (_passed(0, 1, reply=True), set()),
        (_passed(0, 1, number=-1), set()),
        (packet([seen(0, 10), seen(0, 11)], connection=0), set()),
        (packet([seen(0, 10), seen(0, 11)], [seen(3, 12), seen(3, 13)], connection=0), {3}),
        (_passed(0, 1, dst="9.9.9.9"), {1}),
        (_passed(0, 1, eth_dst=GROUP), {1}),
    ],
    ids=["same", "elsewhere", "connection", "direction", "none", "parts", "parts on", "address", "group"],
)
def test_where_others_of_its_stream_went_on(other: Packet, onward: set[int]) -> None:
    """From the point that saw it last; of the same connection and direction, whole hops only."""
    lookups, rows = _onward(_passed(0), other)

    assert lookups.of_stream(0, rows[0]) == onward


def test_every_point_that_they_went_on_to() -> None:
    """Not the points where it was seen itself."""
    lookups, rows = _onward(_passed(3, 0), _passed(0, 1), _passed(0, 2), _passed(0, 3), _passed(0, 2))

    assert lookups.of_stream(0, rows[0]) == {1, 2}


def test_streams_without_a_connection_are_none() -> None:
    """What belongs to no connection has no others."""
    lookups, rows = _onward(_passed(0, number=-1), _passed(0, 1, number=-1))

    assert lookups.of_stream(0, rows[0]) == set()


def test_what_a_bridge_floods_to_another_container_leads_nowhere() -> None:
    """By Docker's MACs the receiver is not behind the port that saw it."""
    host = HostState(containers=(Container("c1", "net", Mac(INNER), ()), Container("c2", "net", Mac(OTHER), ())))
    lookups, rows = _onward(_passed(1), _passed(1, 3, eth_dst=INNER), _passed(1, 0, eth_dst=INNER), hosts=(host,))

    assert lookups.of_stream(0, rows[0]) == {0}


@pytest.mark.parametrize(
    ("other", "came"),
    [
        (_passed(2, 1, reply=True), {2}),
        (_passed(2, 1), set()),
        (_passed(2, 1, reply=True, number=1), set()),
        (_passed(2, 0, reply=True), set()),
    ],
    ids=["back", "there", "connection", "point"],
)
def test_by_which_points_answers_came(other: Packet, came: set[int]) -> None:
    """To the point where the packet was seen last."""
    lookups, rows = _onward(_passed(0, 1), other, _passed(0, 1, reply=True))

    assert lookups.way_back((0, False), rows[0]) == came


@pytest.mark.parametrize(
    ("other", "onward"),
    [
        (_passed(1, 2, number=1), {2}),
        (_passed(1, 2, number=-1), {2}),
        (_passed(1, 2, reply=True), {2}),
        (_passed(0, 2), set()),
        (_passed(1, 2, dst="9.9.9.9"), set()),
        (packet(seen(1, 10), seen(2, 12, dst="9.9.9.9")), set()),
        (_passed(1, 2, eth_dst=GROUP), set()),
        (packet(seen(1, 10, layers=ARP), seen(2, 12, layers=ARP)), set()),
    ],
    ids=["connection", "none", "direction", "elsewhere", "address", "translated", "group", "neighbour"],
)
def test_where_packets_to_the_same_address_went_on(other: Packet, onward: set[int]) -> None:
    """Of any connection, if it still was the same address; what is flooded shows no way."""
    lookups, rows = _onward(_passed(1), other)

    assert lookups.to_target(rows[0]) == onward


def test_both_halves_of_an_address_are_compared() -> None:
    """Networks of IPv6 differ in the upper one, their hosts in the lower one."""
    six = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6, "src": "fd00::9"}
    others = [_passed(1, 2, **six, dst="fd00:2::1"), _passed(1, 0, **six, dst="fd00:1::2")]
    through = packet(seen(1, 10, **six, dst="fd00:1::1"), seen(3, 12, **six, dst="fd00:3::1"))
    lookups, rows = _onward(_passed(1, **six, dst="fd00:1::1"), *others, through)

    assert lookups.to_target(rows[0]) == set()
    assert lookups.to_target(rows[1][:1]) == {2}


def test_a_point_that_saw_it_is_not_onward() -> None:
    """It went there already."""
    lookups, rows = _onward(_passed(2, 1), _passed(1, 2))

    assert lookups.to_target(rows[0]) == set()


HOME = _passed(3, 1, eth_src=OTHER, dst="9.9.9.9")
"""The other container's packets come from its port."""


def _to_other(*others: Packet, host: HostState | None = None, **columns: Any) -> set[int]:
    frame = seen(1, 90, **{"eth_dst": OTHER, "dst": "172.17.0.3"} | columns)
    lookups, rows = _onward(packet(frame), *others, hosts=(host or HostState(),))
    return lookups.to_target(rows[0])


@pytest.mark.parametrize(
    ("others", "columns", "onward"),
    [
        ((HOME,), {}, {3}),
        ((HOME, HOME), {}, {3}),
        ((), {}, set()),
        ((HOME,), {"eth_dst": GATEWAY}, set()),
        ((HOME,), {"layers": UDP & ~Layer.MAC_DST}, set()),
        ((HOME, _passed(0, eth_src=OTHER)), {}, set()),
        ((_passed(2, eth_src=OTHER),), {}, set()),
        ((_passed(4, eth_src=OTHER),), {}, {4}),
        ((_passed(3, eth_src=OTHER, eth_dst=GROUP),), {}, set()),
        ((_passed(3, eth_src=OTHER, layers=UDP & ~Layer.MAC_SRC),), {}, set()),
        ((HOME, packet(seen(0, 50, eth_dst=OTHER), seen(2, 51, **OUT))), {}, set()),
    ],
    ids=["home", "often", "unknown", "other", "cooked", "two ports", "uplink", "inner end", "group", "no sender",
         "host"],
)  # fmt: skip
def test_the_port_behind_which_the_receiver_is(
    others: tuple[Packet, ...], columns: dict[str, Any], onward: set[int]
) -> None:
    """The only one that its frames come from, if that is a container's; a MAC of the host is at no port."""
    assert _to_other(*others, **columns) == onward


@pytest.mark.parametrize(("owner", "onward"), [("c2", {3}), ("c1", set()), (None, {3})])
def test_dockers_macs_say_whose_port_it_is(owner: str | None, onward: set[int]) -> None:
    """Another container's frames were flooded to the port where they were seen first."""
    containers = (Container(owner, "net", Mac(OTHER), ()),) if owner else ()

    assert _to_other(HOME, host=HostState(containers=containers)) == onward


def test_a_port_whose_container_nobody_knows_may_be_anybodys() -> None:
    """The owner does not contradict it."""
    host = HostState(containers=(Container("c2", "net", Mac(OTHER), ()),))
    points = (*POINTS[:3], replace(POINTS[3], container=None))
    lookups, rows = _onward(packet(seen(1, 90, eth_dst=OTHER, dst="172.17.0.3")), HOME, points=points, hosts=(host,))

    assert lookups.to_target(rows[0]) == {3}


def _route(dev: str, dst: str = "0.0.0.0/0", kind: str = "unicast") -> Route:
    return Route(ip_network(dst), dev, None, 0, "main", f"{dst} dev {dev}", kind)


@pytest.mark.parametrize(
    ("routes", "dst", "onward"),
    [
        ([_route("wlan0")], "8.8.8.8", {2}),
        ([_route("veth-c2")], "8.8.8.8", set()),
        ([_route("eth9")], "8.8.8.8", set()),
        ([], "8.8.8.8", set()),
        ([_route("wlan0", "9.0.0.0/8")], "8.8.8.8", set()),
        ([_route("wlan0", kind="blackhole")], "8.8.8.8", set()),
        ([_route("wlan0")], "239.0.0.1", set()),
        ([_route("wlan0")], "192.168.1.100", set()),
    ],
    ids=["uplink", "port", "not captured", "none", "other", "nowhere", "group", "own"],
)
def test_the_uplink_that_a_route_names(routes: list[Route], dst: str, onward: set[int]) -> None:
    """For addresses that are neither groups nor the host's own."""
    link = Link(1, "wlan0", None, None, None, (ip_address("192.168.1.100"),))
    lookups, rows = _onward(_passed(1, dst=dst), hosts=(HostState(routes=tuple(routes), links=(link,)),))

    assert lookups.to_target(rows[0]) == onward


def test_what_others_did_comes_before_what_a_route_says() -> None:
    """Frames show it."""
    lookups, rows = _onward(_passed(1), _passed(1, 3), hosts=(HostState(routes=(_route("wlan0"),)),))

    assert lookups.to_target(rows[0]) == {3}


@pytest.mark.parametrize(
    ("name", "found"), [("veth-c1", {0}), ("veth1a", {0}), ("wlan0", {2}), ("eth9", set()), (None, set())]
)
def test_the_point_of_an_interface(name: str | None, found: set[int]) -> None:
    """By what its capture or the interface is called, on this host."""
    points = (*POINTS[:4], replace(POINTS[4], name="b:wlan0", interface="wlan0", host="b"))
    lookups, rows = _onward(_passed(1), points=points)

    assert lookups.by_interface(name, rows[0][0]) == found


def test_without_an_interface_no_name_fits() -> None:
    """A point whose interface nobody knows is not the one that nobody named."""
    lookups, rows = _onward(_passed(1), points=(replace(POINTS[0], interface=None), *POINTS[1:]))

    assert lookups.by_interface(None, rows[0][0]) == set()


def _bridged_uplink(*links: tuple[str, str | None], host: str | None = None) -> tuple[Onward, Point]:
    points = (
        at(0, "eth0", Role.UPLINK),
        at(1, "out", Role.UPLINK, interface="br0"),
        at(2, "p2", Role.UPLINK, interface="eth2"),
        at(3, "b:eth0", Role.UPLINK, interface="eth0", host="b"),
    )
    found = tuple(Link(n, name, None, None, master) for n, (name, master) in enumerate(links))
    hosts = (HostState(name=None, links=found), HostState(name="b", links=found))
    lookups, _ = _onward(points=points, hosts=hosts)
    return lookups, replace(points[1], host=host)


@pytest.mark.parametrize(
    ("links", "ports", "complete"),
    [
        ([("eth0", "br0")], {0}, True),
        ([("eth0", "br0"), ("eth2", "br0")], {0, 2}, True),
        ([("eth0", "br0"), ("p2", "br0")], {0}, False),
        ([("eth0", "br0"), ("eth9", "br0")], {0}, False),
        ([("eth0", "br1"), ("eth2", "br0")], {2}, True),
        ([("eth0", "out")], set(), True),
        ([("eth9", "br0")], set(), False),
        ([("eth0", None)], set(), True),
    ],
)
def test_the_ports_of_an_uplink_that_is_a_bridge(
    links: list[tuple[str, str | None]], ports: set[int], complete: bool
) -> None:
    """By the recorded masters; and whether all of them were captured."""
    lookups, point = _bridged_uplink(*links)

    assert (lookups.ports_of(point), lookups.has_all_ports(point)) == (ports, complete)


def test_ports_are_of_their_own_host() -> None:
    """A bridge of the same name elsewhere has others."""
    lookups, point = _bridged_uplink(("eth0", "br0"), host="b")

    assert lookups.ports_of(point) == {3}


@pytest.mark.parametrize(
    ("change", "seen_at", "found"),
    [
        ({}, (1, 0), {4}),
        ({"container": "c2"}, (1, 0), set()),
        ({"network": "other"}, (1, 0), set()),
        ({"role": Role.VETH}, (1, 0), set()),
        ({}, (4, 0), set()),
        ({}, (0, 1), set()),
    ],
    ids=["its own", "container", "network", "no inner end", "came from there", "not at the port"],
)
def test_the_inner_end_of_a_veth(change: dict[str, Any], seen_at: tuple[int, ...], found: set[int]) -> None:
    """The same container's, on the same network."""
    lookups, rows = _onward(_passed(*seen_at), points=(*POINTS[:4], replace(POINTS[4], **change)))

    assert lookups.into_container(rows[0]) == found


def test_a_veth_without_a_container_has_no_inner_end() -> None:
    """Two points of which nobody knows the container are not of one."""
    points = tuple(replace(point, container=None) for point in POINTS)
    lookups, rows = _onward(_passed(1, 0), points=points)

    assert lookups.into_container(rows[0]) == set()


LINK = Link(1, "wlan0", None, None, None, (ip_address("192.168.1.100"),))


@pytest.mark.parametrize(
    ("row", "reply", "dst", "translated"),
    [
        (PUBLISHED, False, "192.168.1.100", True),
        (PUBLISHED, False, "172.17.0.2", False),
        (PUBLISHED, True, "1.2.3.4", False),
        (PLAIN, False, "8.8.8.8", False),
        (PLAIN, True, "172.17.0.2", False),
        (HIDDEN, True, "192.168.1.100", True),
        (HIDDEN, True, "172.17.0.2", False),
        (HIDDEN, False, "8.8.8.8", False),
        (
            connection(original=("1.2.3.4", 1, "192.168.1.9", 80), reply=("192.168.1.100", 80, "1.2.3.4", 1)),
            False,
            "192.168.1.9",
            False,
        ),
    ],
)
def test_an_address_that_only_nat_shows(row: dict[str, Any], reply: bool, dst: str, translated: bool) -> None:
    """The other tuple's end is another one, it is not there yet, and it is not the host itself."""
    lookups, rows = _onward(_passed(1, reply=reply, dst=dst), connections=(row,), hosts=(HostState(links=(LINK,)),))

    assert lookups.translated((0, reply), rows[0][-1]) == translated


def test_an_ipv6_address_that_only_nat_shows() -> None:
    """Both halves count, of what is moved and of what has arrived."""
    six = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6, "src": "fd00::9"}
    row = connection(original=("fd00::9", 1, "fd00:1::1", 80), reply=("fd00:2::1", 80, "fd00::9", 1))
    packets = [_passed(1, **six, dst=dst) for dst in ("fd00:1::1", "fd00:2::1")]
    lookups, rows = _onward(*packets, connections=(row,))

    assert [lookups.translated((0, False), rows[number][0]) for number in (0, 1)] == [True, False]


def test_without_a_connection_nothing_is_translated() -> None:
    """Nor by the last connection that there is."""
    lookups, rows = _onward(_passed(1, number=-1, dst="192.168.1.100"), connections=(PUBLISHED,))

    assert not lookups.translated((-1, False), rows[0][0])


def test_the_bridges_mac_is_the_hosts() -> None:
    """What goes to it goes up, whatever port it is seen at."""
    routed = packet(seen(0, 50), seen(2, 51, **OUT))
    lookups, rows = _onward(packet(seen(0, 10, dst="1.1.1.1")), _passed(3, 1, eth_src=BRIDGE, dst="9.9.9.9"), routed)

    assert lookups.to_target(rows[0]) == set()
