"""A host's ways out, its networks, and who is inside and outside."""

from ipaddress import ip_address

import pytest

from analyzer.explain.host.networks import bridges, inside, outside, uplinks
from analyzer.model import HostState, Network
from tests.explain.host.state import link, network, route

LINKS = (link("wlan0"), link("eth1"), link("docker0", kind="bridge"))


@pytest.mark.parametrize(
    ("routes", "version", "names"),
    [
        ([("0.0.0.0/0", "wlan0", 600), ("0.0.0.0/0", "eth1", 100)], 4, ["eth1", "wlan0"]),
        ([("0.0.0.0/0", "wlan0", 100), ("0.0.0.0/0", "eth1", 100)], 4, ["wlan0", "eth1"]),
        ([("0.0.0.0/0", "wlan0", 0), ("0.0.0.0/0", "wlan0", 9)], 4, ["wlan0"]),
        ([("10.0.0.0/8", "wlan0", 0), ("0.0.0.0/0", "eth1", 9)], 4, ["eth1"]),
        ([("::/0", "wlan0", 0), ("0.0.0.0/0", "eth1", 9)], 4, ["eth1"]),
        ([("::/0", "wlan0", 0), ("0.0.0.0/0", "eth1", 9)], 6, ["wlan0"]),
        ([("0.0.0.0/0", "gone", 0), ("0.0.0.0/0", None, 1), ("0.0.0.0/0", "eth1", 9)], 4, ["eth1"]),
    ],
    ids=["metric", "equal", "twice", "no-default", "other-family", "ipv6", "no-such-link"],
)
def test_uplinks(routes: list[tuple[str, str | None, int]], version: int, names: list[str]) -> None:
    """The interfaces of default routes of one family, each once, the lowest metric first."""
    made = tuple(route(dst, dev, metric=metric) for dst, dev, metric in routes)

    assert [one.name for one in uplinks(HostState(links=LINKS, routes=made), version)] == names


def test_a_route_that_leads_nowhere_is_no_uplink() -> None:
    """Only unicast routes lead out; IPv4 is meant where nobody says."""
    routes = (route("0.0.0.0/0", "wlan0", kind="unreachable"), route("0.0.0.0/0", "eth1", metric=5))

    assert [one.name for one in uplinks(HostState(links=LINKS, routes=routes))] == ["eth1"]


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (network("a", "172.17.0.0/16"), ["docker0"]),
        (network("a", "172.17.0.0/16", internal=True), []),
        (network("a", "172.17.0.0/16", driver="macvlan"), []),
        (network("a", "172.17.0.0/16", bridge=None), []),
        (network("a", "172.17.0.0/16", bridge="br-gone"), []),
    ],
    ids=["bridge", "internal", "macvlan", "unnamed", "gone"],
)
def test_bridges(made: Network, found: list[str]) -> None:
    """Bridge networks with a way out, whose bridge is there."""
    assert [one.name for _, one in bridges(HostState(links=LINKS, networks=(made,)))] == found


def test_bridges_go_on_after_one_that_is_none() -> None:
    """All networks are looked at."""
    networks = (network("a", internal=True), network("b"), network("c", driver="ipvlan"), network("d"))

    assert [one.name for one, _ in bridges(HostState(links=LINKS, networks=networks))] == ["b", "d"]


@pytest.mark.parametrize(
    ("subnets", "gateways", "version", "found"),
    [
        (("10.0.0.0/24",), (), 4, "10.0.0.1"),
        (("10.0.0.0/24",), ("10.0.0.1",), 4, "10.0.0.2"),
        (("10.0.0.0/30",), ("10.0.0.1",), 4, "10.0.0.2"),
        (("10.0.0.0/30",), ("10.0.0.1", "10.0.0.2"), 4, None),
        (("10.0.0.0/31",), (), 4, None),
        (("10.0.0.0/31", "10.1.0.0/24"), (), 4, "10.1.0.1"),
        (("fd00::/64", "10.0.0.0/24"), (), 4, "10.0.0.1"),
        (("10.0.0.0/24", "fd00::/64"), ("fd00::1",), 6, "fd00::2"),
        (("10.0.0.0/24",), (), 6, None),
        (("10.0.0.0/24",), tuple(f"10.0.0.{n}" for n in range(1, 8)), 4, "10.0.0.8"),
        (("10.0.0.0/24",), tuple(f"10.0.0.{n}" for n in range(1, 9)), 4, None),
    ],
)
def test_an_address_inside(subnets: tuple[str, ...], gateways: tuple[str, ...], version: int, found: str) -> None:
    """The first of eight that is no gateway, of the first subnet of that family that has room."""
    address = inside(network("a", *subnets, gateways=gateways), version)

    assert address == (ip_address(found) if found else None)


@pytest.mark.parametrize(
    ("near", "version", "found"),
    [
        ((), 4, "192.0.2.7"),
        (("192.0.2.0/24",), 4, "198.51.100.7"),
        (("192.0.0.0/8", "198.51.100.0/24"), 4, "203.0.113.7"),
        (("192.0.0.0/8", "198.0.0.0/8", "203.0.0.0/8"), 4, None),
        (("0.0.0.0/0",), 4, "192.0.2.7"),
        (("192.0.2.0/24",), 6, "2001:db8::7"),
        (("2001:db8::/32",), 6, "3fff::7"),
    ],
)
def test_somebody_outside(near: tuple[str, ...], version: int, found: str | None) -> None:
    """An address that only a default route leads to: a laboratory may have the first one itself."""
    host = HostState(routes=tuple(route(prefix, "eth1") for prefix in near))

    assert outside(host, version) == (ip_address(found) if found else None)
