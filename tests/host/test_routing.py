"""Which route the kernel takes, of several that fit."""

from ipaddress import ip_address, ip_network

import pytest

from analyzer.host.routing import choose
from analyzer.model import HostState, Route, RoutingRule


def _route(prefix: str, dev: str, metric: int = 0, table: str = "main", kind: str = "unicast") -> Route:
    return Route(ip_network(prefix), dev, None, metric, table, f"{prefix} dev {dev} metric {metric}", kind)


def _dev(routes: list[Route], dst: str = "8.8.8.8", rules: tuple[RoutingRule, ...] = ()) -> str | None:
    chosen = choose(HostState(routes=tuple(routes), routing_rules=rules), ip_address(dst))
    return None if chosen is None else chosen.route.dev


@pytest.mark.parametrize(
    ("eth0", "wlan0", "dev"), [(100, 600, "eth0"), (600, 100, "wlan0"), (0, 100, "eth0"), (1, 0, "wlan0")]
)
@pytest.mark.parametrize("prefix", ["0.0.0.0/0", "8.8.0.0/16"])
def test_the_lowest_metric_wins(prefix: str, eth0: int, wlan0: int, dev: str) -> None:
    """Of routes to one prefix the kernel takes the one that costs least, whatever their order."""
    routes = [_route(prefix, "eth0", eth0), _route(prefix, "wlan0", wlan0)]

    assert _dev(routes) == dev
    assert _dev(routes[::-1]) == dev


def test_the_lowest_metric_wins_for_ipv6() -> None:
    """As for IPv4, where the kernel's own default is 1024."""
    routes = [_route("::/0", "eth0", 1024), _route("::/0", "wlan0", 600)]

    assert _dev(routes, "2001:db8::80") == "wlan0"


def test_a_longer_prefix_wins_over_a_lower_metric() -> None:
    """Metrics decide between equal prefixes only."""
    routes = [_route("0.0.0.0/0", "eth0", 0), _route("8.8.8.0/24", "wlan0", 600), _route("8.8.0.0/16", "tun0", 10)]

    assert _dev(routes) == "wlan0"
    assert _dev(routes, "8.8.9.9") == "tun0"
    assert _dev(routes, "9.9.9.9") == "eth0"


def test_routes_of_one_table_do_not_compete_with_those_of_another() -> None:
    """The first table in the order of rules that has a route decides, even with a worse metric."""
    routes = [_route("0.0.0.0/0", "eth0", 0), _route("0.0.0.0/0", "wg0", 600, "51820")]
    rules = tuple(
        RoutingRule(priority, 4, None, None, None, None, False, table, None, f"{priority}: lookup {table}")
        for priority, table in ((32766, "main"), (100, "51820"))
    )

    assert _dev(routes) == "eth0"
    assert _dev(routes, rules=rules) == "wg0"


def test_no_route() -> None:
    """Other prefixes and the other IP version lead nowhere."""
    assert _dev([_route("10.0.0.0/8", "eth0"), _route("::/0", "eth0")]) is None
