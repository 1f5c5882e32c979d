"""Subnets that are somebody else's as well."""

from dataclasses import replace

import pytest

from analyzer.explain.host.asked import Host
from analyzer.explain.host.overlap import overlapping, pairs
from analyzer.model import HostState, Network, Route, Severity
from tests.explain.host.state import asked, network, route

check = asked("subnet-overlap")


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        (network("a", "10.0.0.0/16"), network("b", "10.0.1.0/24"), True),
        (network("a", "10.0.1.0/24"), network("b", "10.0.0.0/16"), True),
        (network("a", "10.0.0.0/24"), network("b", "10.0.1.0/24"), False),
        (network("a", "fd00::/48"), network("b", "fd00:0:0:1::/64"), True),
        (network("a", "fd00::/64"), network("b", "fd01::/64"), False),
        (network("a", "10.0.0.0/16"), network("b", "fd00::/64"), False),
        (network("a", "fd00::/64"), network("b", "10.0.0.0/16"), False),
        (network("a", "10.0.0.0/16"), network("a", "10.0.1.0/24"), False),
        (network("a", "10.0.0.0/16", driver="overlay"), network("b", "10.0.1.0/24"), False),
        (network("a", "10.0.0.0/16"), network("b", "10.0.1.0/24", driver="overlay"), False),
        (network("a", "10.0.0.0/16", bridge=None), network("b", "10.0.1.0/24", bridge=None), True),
    ],
    ids=["inside", "around", "beside", "ipv6", "ipv6-beside", "4-and-6", "6-and-4", "same-name", "overlay",
         "other-overlay", "no-bridges"],
)  # fmt: skip
def test_two_networks(one: Network, two: Network, told: bool) -> None:
    """Addresses of one family that both have; networks of one name are of two hosts, and overlays are apart."""
    found = check(HostState(networks=(one, two)))

    assert [f.detail for f in found] == [f"networks a and b overlap: {one.subnets[0]}, {two.subnets[0]}"] * told
    assert [f.proof for f in found] == [
        (f"docker-network-inspect.json: a Subnet {one.subnets[0]}",
         f"docker-network-inspect.json: b Subnet {two.subnets[0]}"),
    ] * told  # fmt: skip


def test_every_pair_of_networks_once() -> None:
    """Three networks make three pairs."""
    networks = tuple(network(name, "10.0.0.0/16", bridge=f"br-{name}") for name in "abc")
    found = [(pair.network.name, pair.other.name if pair.other else "") for pair in pairs(HostState(networks=networks))]

    assert found == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (route("172.17.128.0/20", "tun0"), True),
        (route("172.0.0.0/8", "tun0"), True),
        (route("172.18.0.0/16", "tun0"), False),
        (route("172.17.0.0/16", "docker0"), False),
        (route("172.17.0.0/16", "br-other"), False),
        (route("172.17.128.0/20", None), False),
        (route("172.17.128.0/20", "tun0", kind="local"), False),
        (route("0.0.0.0/0", "wlan0"), False),
        (route("128.0.0.0/1", "tun0"), False),
        (route("fd00::/8", "tun0"), False),
    ],
    ids=["inside", "around", "beside", "own", "another-bridge", "no-device", "local", "default", "half", "ipv6"],
)
def test_a_route(other: Route, told: bool) -> None:
    """One of another interface than Docker's bridges, but not the default route."""
    host = HostState(networks=(network("a", "172.17.0.0/16"), network("b", bridge="br-other")), routes=(other,))
    found = check(host)

    assert [f.detail for f in found] == ["network a 172.17.0.0/16 overlaps with what is behind tun0"] * told
    assert [f.proof[1] for f in found] == [f"ip-route.json: {other.text}"] * told


@pytest.mark.parametrize(
    ("subnet", "severity"),
    [("172.17.128.0/20", None), ("172.17.0.0/16", None), ("172.16.0.0/12", Severity.INFO)],
    ids=["inside", "the-same", "around"],
)
def test_a_route_that_is_less_specific_takes_nothing_away(subnet: str, severity: Severity | None) -> None:
    """The network's own route comes first: only who has its addresses behind the other one is hidden."""
    host = HostState(networks=(network("a", "172.17.0.0/16"),), routes=(route(subnet, "tun0"),))

    assert [told.severity for told in overlapping(Host(host))] == [severity]


def test_a_network_without_a_bridge_has_no_routes_beside_it() -> None:
    """A macvlan's subnet is the LAN's, on purpose."""
    lan = route("192.168.1.0/24", "wlan0")
    networks = (network("lan", "192.168.1.0/24", bridge=None, driver="macvlan"),)

    assert check(HostState(networks=networks, routes=(lan,))) == []
    assert check(HostState(networks=(replace(networks[0], bridge="br0"),), routes=(lan,))) != []


def test_what_a_pair_is() -> None:
    """It says whose subnet, what it meets, and whose that is."""
    tunnel = route("172.17.128.0/20", "tun0")
    one, two = network("a", "172.17.0.0/16"), network("b", "172.17.1.0/24", bridge="br-b")
    by_network, by_route = list(pairs(HostState(networks=(one, two), routes=(tunnel,))))

    assert (by_network.network, by_network.subnet, by_network.other) == (one, one.subnets[0], two)
    assert (by_network.foreign, by_network.route) == (two.subnets[0], None)
    assert (by_route.network, by_route.subnet, by_route.other) == (one, one.subnets[0], None)
    assert (by_route.foreign, by_route.route) == (tunnel.dst, tunnel)
