"""The lookups that all parts of a journey share."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import numpy as np
import pytest

from analyzer.model import Clock, Container, HostState, Link, Mac, Network, Point, Role, Route
from analyzer.packet.connections import Doubts
from analyzer.packet.context import MOST_ALIKE, NEAR_NS, Share
from analyzer.schema import Layer
from tests.packet.tables import (
    ARP,
    BRIDGE,
    ETHERNET,
    GATEWAY,
    INNER,
    UDP,
    UPLINK,
    Packet,
    at,
    connection,
    context,
    packet,
    seen,
)

POINTS = (
    at(0, "veth-c1", Role.VETH, container="c1"),
    at(1, "docker0", Role.BRIDGE),
    at(2, "wlan0", Role.UPLINK),
    at(3, "veth-c2", Role.VETH, container="c2"),
)
OTHER = 0x0242_AC11_0003
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 53)
PLAIN = connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]))
PARTS = packet([seen(0, 10), seen(0, 11)], [seen(1, 12)], [seen(2, 13), seen(2, 14), seen(2, 15)])


def test_packets_hops_and_frames() -> None:
    """A packet's rows, by hop and in the order of its way."""
    here = context(POINTS, [PARTS, packet(seen(3, 1)), packet(seen(1, 20), seen(0, 21))])

    assert (here.packets, here.packet_start.tolist(), here.hop_start.tolist()) == (3, [0, 6, 7, 9], [0, 2, 3, 6, 7, 8])
    assert here.rows_of(0) == [0, 1, 3, 5, 6, 7]
    assert [here.hop_rows(number) for number in range(3)] == [[0, 3, 5], [8], [4, 2]]
    assert here.packet_of_row.tolist() == [0, 0, 2, 0, 2, 0, 0, 0, 1]


def test_a_packet_of_parts_at_one_point() -> None:
    """Its row is the first one."""
    here = context(POINTS, [packet([seen(0, 10), seen(0, 11)])])

    assert here.hop_rows(0) == [0]


def test_crossings_are_from_hop_to_hop() -> None:
    """The first frame of each, within one packet."""
    before, after = context(POINTS, [PARTS, packet(seen(3, 1)), packet(seen(1, 20), seen(0, 21))]).crossings()

    assert list(zip(before.tolist(), after.tolist(), strict=True)) == [(0, 3), (3, 5), (4, 2)]


def test_no_packets() -> None:
    """Everything is empty."""
    here = context(POINTS, [])

    assert (here.packets, here.points_seen.tolist()) == (0, [])


def test_which_points_saw_a_packet() -> None:
    """As bits."""
    assert context(POINTS, [PARTS, packet(seen(3, 1)), packet(seen(3, 2), seen(0, 3))]).points_seen.tolist() == [
        7,
        8,
        9,
    ]


def test_what_connections_are_called() -> None:
    """Their row, or in a part the number that they have among all; -1 stays none."""
    here = context(POINTS, [], connections=[PLAIN, PLAIN])
    numbers = np.array([1, -1, 0])

    assert here.connection_id(numbers).tolist() == [1, -1, 0]
    assert replace(here, share=Share(connections=np.array([70, 80]))).connection_id(numbers).tolist() == [80, -1, 70]


def test_a_connections_packets() -> None:
    """In order of time, none of any other's, nor of none."""
    here = context(POINTS, [packet(seen(0, n), connection=c) for n, c in enumerate((1, -1, 0, 1, 1))],
                   connections=[PLAIN, PLAIN, PLAIN])  # fmt: skip

    assert [here.packets_of(number).tolist() for number in range(3)] == [[2], [0, 3, 4], []]


def test_points_of_a_role() -> None:
    """Of any of several; asked again with others, it tells those."""
    here = context(POINTS, [packet(seen(0, 1), seen(1, 2), seen(2, 3))])
    rows = np.array([2, 0, 1])

    assert here.with_role(rows, Role.VETH).tolist() == [False, True, False]
    assert here.with_role(rows, Role.UPLINK, Role.BRIDGE).tolist() == [True, False, True]
    assert here.with_role(rows, Role.VETH).tolist() == [False, True, False]


def test_the_hosts_own_macs() -> None:
    """Those that change where a packet is routed, and its interfaces'; not a container's, and not a veth's."""
    links = (
        Link(1, "eth1", Mac(0x11), None, None),
        Link(2, "docker0", Mac(0x22), "bridge", None),
        Link(3, "veth1a", Mac(0x33), "veth", "docker0"),
        Link(4, "lo", Mac(0), None, None),
        Link(5, "tun0", None, "tun", None),
    )
    host = HostState(links=links, containers=(Container("c1", "net", Mac(BRIDGE), ()),))
    routed = packet(seen(0, 1), seen(2, 2, eth_src=UPLINK, eth_dst=GATEWAY, ttl=63))

    assert context(POINTS, [routed]).host_macs == {BRIDGE, UPLINK}
    assert context(POINTS, [routed], hosts=[host]).host_macs == {UPLINK, 0x11, 0x22}


@pytest.mark.parametrize(
    ("one", "change", "strays"),
    [
        (packet(seen(1, 10), seen(3, 11, eth_dst=INNER)), {}, 1),
        (packet(seen(1, 10), seen(3, 11, eth_dst=OTHER)), {}, 0),
        (packet(seen(1, 10), seen(3, 11, eth_dst=GATEWAY)), {}, 0),
        (packet(seen(3, 10, eth_dst=INNER), seen(1, 11)), {}, 0),
        (packet(seen(1, 10), seen(3, 11, eth_dst=INNER)), {"role": Role.CONTAINER}, 1),
        (packet(seen(1, 10), seen(3, 11, eth_dst=INNER)), {"role": Role.UPLINK}, 0),
        (packet(seen(1, 10), seen(3, 11, eth_dst=INNER)), {"container": "c9"}, 0),
        (packet(seen(1, 10), seen(3, 11, eth_dst=INNER)), {"container": None}, 1),
        (packet(seen(1, 10), seen(3, 11, eth_dst=OTHER)), {"container": None}, 0),
        (packet(seen(1, 10), seen(3, 11, eth_dst=INNER)), {"host": "b"}, 0),
    ],
    ids=["flooded", "own", "unknown", "sent there", "inner", "uplink", "unknown port", "no container",
         "nor the receiver's", "other host"],
)  # fmt: skip
def test_frames_that_were_flooded_to_another_container(one: Packet, change: dict[str, Any], strays: int) -> None:
    """At a port whose container has another MAC, if the packet did not begin there."""
    containers = (Container("c1", "net", Mac(INNER), ()), Container("c2", "net", Mac(OTHER), ()))
    containers += (Container("c3", "net", None, ()),)
    points = (*POINTS[:3], replace(POINTS[3], **change))

    assert context(points, [one], hosts=[HostState(containers=containers)]).strays.sum() == strays


@pytest.mark.parametrize(
    ("reply", "moved"),
    [
        (("8.8.8.8", 53, "172.17.0.2", 4000), (False, False)),
        (("8.8.8.8", 53, "192.168.1.100", 4000), (True, False)),
        (("8.8.4.4", 53, "172.17.0.2", 4000), (False, True)),
        (("8.8.8.8", 54, "172.17.0.2", 4001), (False, False)),
    ],
)
def test_which_addresses_nat_moves(reply: tuple[str, int, str, int], moved: tuple[bool, bool]) -> None:
    """Ports alone are none."""
    here = context(POINTS, [], connections=[connection(original=FLOW, reply=reply)])

    assert (here.source_moved.tolist(), here.target_moved.tolist()) == ([moved[0]], [moved[1]])


def test_ipv6_addresses_move_in_either_half() -> None:
    """The network part, or the host part."""
    flow = ("fd00:1::2", 1, "fd00:2::3", 2)
    rows = [
        connection(original=flow, reply=(dst, 2, src, 1))
        for src, dst in (("fd00:9::2", "fd00:2::3"), ("fd00:1::2", "fd00:9::3"), ("fd00:1::9", "fd00:2::9"))
    ]
    here = context(POINTS, [], connections=rows)

    assert here.source_moved.tolist() == [True, False, True]
    assert here.target_moved.tolist() == [False, True, True]


def _route(dev: str, kind: str = "unicast") -> Route:
    return Route(ip_network("0.0.0.0/0"), dev, None, 0, "main", dev, kind)


def test_routes_are_their_own_hosts() -> None:
    """The same address leads elsewhere on another one, and nowhere by a route that leads nowhere."""
    points = tuple(replace(point, host=host) for point, host in zip(POINTS, "abcd", strict=True))
    hosts = [HostState(name="a", routes=(_route("x"),)), HostState(name="b", routes=(_route("y"),)),
             HostState(name="c", routes=(_route("z", "blackhole"),))]  # fmt: skip
    here = context(points, [packet(*(seen(n, n) for n in range(4)))], hosts=hosts)
    chosen = [here.route_to(ip_address("8.8.8.8"), row) for row in (0, 1, 2, 3, 0)]

    assert [one.route.dev if one else None for one in chosen] == ["x", "y", None, None, "x"]
    assert [here.host_at(row).name for row in range(4)] == ["a", "b", "c", None]


def test_whose_an_address_or_a_mac_is() -> None:
    """The container's on this host, or on an overlay of several."""
    own = Container("c1", "net", Mac(INNER), (ip_address("172.17.0.2"),))
    far = Container("c2", "over", Mac(OTHER), (ip_address("10.0.0.2"),))
    hidden = Container("c3", "net", Mac(GATEWAY), (ip_address("172.17.0.3"),))
    nets = (Network("over", "1", "overlay", None, (), ()),)
    hosts = [HostState(name="a", containers=(own,)), HostState(name="b", containers=(far, hidden), networks=nets)]
    here = context((replace(POINTS[0], host="a"),), [packet(seen(0, 1))], hosts=hosts)
    owners = [here.owner_of_mac(mac, 0) for mac in (INNER, OTHER, GATEWAY)]
    owners += [here.owner_of_address(ip_address(ip), 0) for ip in ("172.17.0.2", "10.0.0.2", "172.17.0.3")]

    assert [one.name if one else None for one in owners] == ["c1", "c2", None, "c1", "c2", None]


@pytest.mark.parametrize(
    ("layers", "addresses"),
    [
        (UDP, ("172.17.0.2", "8.8.8.8")),
        (ARP, ("172.17.0.2", "8.8.8.8")),
        (ETHERNET, (None, None)),
    ],
)
def test_addresses_of_a_row(layers: int, addresses: tuple[str | None, str | None]) -> None:
    """IP's and ARP's; others have none."""
    here = context(POINTS, [packet(seen(0, 1, layers=layers))])

    assert tuple(str(ip) if ip else None for ip in (here.src(0), here.dst(0))) == addresses


def test_ipv6_addresses_of_a_row() -> None:
    """Whole ones."""
    six = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6, "src": "fd00:1::2", "dst": "fd00:2::3"}
    here = context(POINTS, [packet(seen(0, 1, **six))])

    assert (str(here.src(0)), str(here.dst(0))) == ("fd00:1::2", "fd00:2::3")


def test_a_row_as_evidence() -> None:
    """Its point and its number there."""
    here = context(POINTS, [packet(seen(0, 1)), packet(seen(1, 2)), packet(seen(1, 3))])

    assert (here.evidence(2).point, here.evidence(2).frame) == ("docker0", 2)


SURE = Clock(0, 0, 30)


@pytest.mark.parametrize(
    ("clocks", "hosts", "took", "latency"),
    [
        ((None, None), "aa", 5, (5, None)),
        ((None, None), "aa", 0, (0, None)),
        ((None, None), "aa", -1, (None, None)),
        ((SURE, SURE), "aa", 5, (5, None)),
        ((None, SURE), "ab", 5, (5, 30)),
        ((SURE, None), "ab", 5, (5, 30)),
        ((SURE, replace(SURE, uncertainty_ns=12)), "ab", 5, (5, 42)),
        ((SURE, SURE), "ab", -1, (None, None)),
        ((None, None), "ab", 5, (None, None)),
        ((replace(SURE, uncertainty_ns=None), None), "ab", 5, (None, None)),
        ((SURE, replace(SURE, uncertainty_ns=None)), "ab", 5, (None, None)),
    ],
)
def test_how_long_it_took(
    clocks: tuple[Clock | None, Clock | None], hosts: str, took: int, latency: tuple[int | None, int | None]
) -> None:
    """Between hosts only if their clocks are known, and as uncertain as both are."""
    points: tuple[Point, ...] = tuple(
        replace(point, host=host, clock=clock) for point, host, clock in zip(POINTS, hosts, clocks, strict=False)
    )

    assert context(points, [packet(seen(0, 50), seen(1, 50 + took))]).latency(0, 1) == latency


def _one(number: int, *, time_ns: int | None = None, connection: int = 0, reply: bool = False, sure: bool = False,
         **columns: Any) -> Packet:  # fmt: skip
    frame = seen(0, 10 + number if time_ns is None else time_ns, **columns)
    return packet(frame, connection=connection, reply=reply, ambiguous=not sure)


def _alike(*told: dict[str, Any], candidates: dict[int, set[int]] | None = None) -> list[int]:
    """Tell whose frames the first packet's may be."""
    packets = [_one(number, **one) for number, one in enumerate(told)]
    return context(POINTS, packets, connections=[PLAIN] * 3, doubts=Doubts(candidates or {})).alike(0)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({}, True),
        ({"sure": True}, False),
        ({"reply": True}, False),
        ({"connection": 1}, True),
        ({"connection": 2}, False),
        ({"payload_len": 21}, False),
        ({"ip_id": 9}, False),
        ({"digest": 9}, False),
        ({"icmp_seq": 9}, False),
        ({"seq": 9}, False),
        ({"ip_len": 9}, False),
        ({"proto": 6}, False),
        ({"ttl": 9}, True),
        ({"time_ns": 10 + NEAR_NS}, True),
        ({"time_ns": 11 + NEAR_NS}, False),
    ],
)
def test_packets_that_could_own_each_others_frames(other: dict[str, Any], alike: bool) -> None:
    """Equal in all that NAT leaves, about the same time, of the connection or a candidate, and ambiguous too."""
    assert _alike({}, other, candidates={0: {1}, 2: {0}}) == ([1] if alike else [])


def test_no_more_than_so_many_are_alike() -> None:
    """By connection, then in order of time."""
    others = [{"connection": n % 2} for n in range(1, MOST_ALIKE + 5)]

    assert _alike({"connection": 1}, *others, candidates={1: {0}})[:3] == [2, 4, 6]
    assert len(_alike({"connection": 1}, *others, candidates={1: {0}})) == MOST_ALIKE
