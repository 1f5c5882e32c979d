"""Which route the kernel takes, of several that fit."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import HostState, Route, RoutingRule
from analyzer.model.question import ABSENT, Missing, Unknown
from analyzer.state.routing import Sought, choose


def _route(prefix: str, dev: str, metric: int = 0, table: str = "main", kind: str = "unicast") -> Route:
    return Route(ip_network(prefix), dev, None, metric, table, f"{prefix} dev {dev} metric {metric}", kind)


def _dev(routes: list[Route], dst: str = "8.8.8.8", rules: tuple[RoutingRule, ...] = ()) -> str | None:
    chosen = choose(HostState(routes=tuple(routes), routing_rules=rules), Sought(ip_address(dst)))
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


def _rule(priority: int, table: str | None = "main", version: int = 4, **selectors: Any) -> RoutingRule:
    given = {"src": None, "dst": None, "iif": None, "mark": None, "negated": False, "action": None, **selectors}
    return RoutingRule(priority=priority, version=version, table=table, text=f"{priority}: a rule", **given)


LAN, OTHER = _route("0.0.0.0/0", "lan"), _route("0.0.0.0/0", "other", table="7")
SRC = ip_address("10.0.0.1")


@pytest.mark.parametrize(
    ("selectors", "given", "dev"),
    [
        ({}, {}, "other"),
        ({"dst": ip_network("8.8.8.0/24")}, {}, "other"),
        ({"dst": ip_network("8.8.9.0/24")}, {}, "lan"),
        ({"src": ip_network("10.0.0.0/8")}, {"src": SRC}, "other"),
        ({"src": ip_network("10.1.0.0/16")}, {"src": SRC}, "lan"),
        ({"src": ip_network("10.0.0.0/8")}, {}, "lan"),
        ({"iif": "eth0"}, {"iif": "eth0"}, "other"),
        ({"iif": "eth0"}, {"iif": "eth1"}, "lan"),
        ({"iif": "eth0"}, {}, "lan"),
        ({"iif": "lo"}, {}, "other"),
        ({"iif": "lo"}, {"iif": "eth0"}, "lan"),
        ({"mark": (1, 0xFF)}, {"mark": 0x101}, "other"),
        ({"mark": (1, 0xFF)}, {"mark": 0x102}, "lan"),
        ({"mark": (1, 0xFF)}, {}, "lan"),
        ({"mark": (0, 0xFF)}, {}, "other"),
        ({"mark": (1, 0xFF), "negated": True}, {}, "other"),
        ({"mark": (1, 0xFF), "negated": True}, {"mark": 1}, "lan"),
        ({"negated": True}, {}, "lan"),
        ({"oif": "other"}, {"oif": "other"}, "other"),
        ({"protocol": 17}, {"protocol": 17}, "other"),
        ({"protocol": 17}, {"protocol": 6}, "lan"),
        ({"dport": (53, 53)}, {"dport": 53}, "other"),
        ({"dport": (50, 52)}, {"dport": 53}, "lan"),
        ({"dport": (50, 60)}, {"dport": ABSENT}, "lan"),
        ({"sport": (50, 60)}, {"sport": 60}, "other"),
        ({"suppress": 0}, {}, "lan"),
        ({"unread": ("uidrange",)}, {"iif": "eth0"}, "lan"),
        ({"src": ip_network("10.0.0.0/8"), "iif": "eth0"}, {"src": SRC, "iif": "eth1"}, "lan"),
        ({"src": ip_network("10.0.0.0/8"), "iif": "eth0", "negated": True}, {"src": SRC, "iif": "eth1"}, "other"),
    ],
    ids=str,
)
def test_rules_select_packets(selectors: dict[str, Any], given: dict[str, Any], dev: str) -> None:
    """All that a rule asks for must be so, or not all of it where it is negated; then its table is asked first."""
    host = HostState(routes=(LAN, OTHER), routing_rules=(_rule(32766), _rule(100, "7", **selectors)))
    chosen = choose(host, Sought(ip_address("8.8.8.8"), **given))

    assert chosen is not None
    assert chosen.route.dev == dev
    assert chosen.rule.priority == (100 if dev == "other" else 32766)


@pytest.mark.parametrize(("dst", "everything"), [("8.8.8.8", "0.0.0.0/0"), ("2001:db8::1", "::/0")])
@pytest.mark.parametrize("action", ["blackhole", "unreachable", "prohibit"])
def test_rules_that_lead_nowhere(action: str, dst: str, everything: str) -> None:
    """They are the answer, as a route of their kind, before rules behind them."""
    version = 4 if dst == "8.8.8.8" else 6
    rules = (_rule(32766, version=version), _rule(5, None, version, action=action))
    chosen = choose(HostState(routes=(LAN, _route("::/0", "lan")), routing_rules=rules), Sought(ip_address(dst)))

    assert chosen is not None
    assert chosen.route == Route(ip_network(everything), None, None, 0, "", "5: a rule", action)
    assert chosen.rule is rules[1]


@pytest.mark.parametrize("action", ["goto", "nop", None])
def test_rules_that_neither_look_up_nor_refuse(action: str | None) -> None:
    """They are passed over."""
    rules = (_rule(5, None, action=action), _rule(32766))
    chosen = choose(HostState(routes=(LAN,), routing_rules=rules), Sought(ip_address("8.8.8.8")))

    assert chosen is not None
    assert chosen.rule is rules[1]


def test_a_throw_route_sends_on_to_the_next_rule() -> None:
    """Other kinds of routes that lead nowhere are the answer."""
    rules = (_rule(100, "7"), _rule(32766))
    throw, blackhole = (
        choose(HostState(routes=(LAN, _route("8.0.0.0/8", "", table="7", kind=kind)), routing_rules=rules),
               Sought(ip_address("8.8.8.8")))
        for kind in ("throw", "blackhole")
    )  # fmt: skip

    assert throw is not None
    assert blackhole is not None
    assert (throw.route, blackhole.route.kind) == (LAN, "blackhole")


@pytest.mark.parametrize("dst", ["8.8.8.8", "2001:db8::1"])
def test_without_recorded_rules_the_kernels_own_are_assumed(dst: str) -> None:
    """Table local is asked first, then main, then default; rules of the other family say nothing."""
    everything = "0.0.0.0/0" if dst == "8.8.8.8" else "::/0"
    other = _rule(1, "7", 6 if dst == "8.8.8.8" else 4)
    tables = [("local", 0), ("main", 32766), ("default", 32767)]
    routes = [_route(everything, table, table=table) for table, _ in tables]
    chosen = [
        choose(HostState(routes=tuple(routes[n:]), routing_rules=(other,)), Sought(ip_address(dst)))
        for n in range(len(tables))
    ]

    assert [(c.route.dev, c.rule.text) for c in chosen if c] == [
        (table, f"{priority}: from all lookup {table}") for table, priority in tables
    ]


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("8.8.0.0/16", "longest prefix /16 in table main, by rule “32766: from all lookup main”"),
        ("0.0.0.0/0", "no other prefix fits in table main, by rule “32766: from all lookup main”"),
    ],
)
def test_why_a_route_was_chosen(prefix: str, why: str) -> None:
    """Its prefix, its table and the rule that led there."""
    chosen = choose(HostState(routes=(_route(prefix, "eth0"),)), Sought(ip_address("8.8.8.8")))

    assert chosen is not None
    assert chosen.why == why


def test_what_finds_nothing_longer_does_not_count() -> None:
    """``suppress_prefixlength 0`` of wg-quick: table main is asked, but its default route is not taken."""
    routes = (_route("0.0.0.0/0", "lan"), _route("10.0.0.0/8", "inside"), _route("0.0.0.0/0", "wg0", table="51820"))
    rules = (
        _rule(32764, suppress=0), _rule(32765, "51820", mark=(0xCA6C, 0xFFFF_FFFF), negated=True), _rule(32766)
    )  # fmt: skip
    host = HostState(routes=routes, routing_rules=rules)
    ways = [choose(host, Sought(ip_address(dst), mark=mark)) for dst, mark in (
        ("8.8.8.8", 0), ("10.1.1.1", 0), ("8.8.8.8", 0xCA6C)
    )]  # fmt: skip

    assert [way.route.dev for way in ways if way is not None] == ["wg0", "inside", "lan"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [("unicast", "unicast"), ("local", "unicast"), ("throw", "unicast"), ("blackhole", "blackhole"),
     ("unreachable", "unreachable"), ("prohibit", "prohibit")],
)  # fmt: skip
@pytest.mark.parametrize(("dst", "prefix"), [("10.1.1.1", "10.0.0.0/8"), ("2001:db8::1", "2001:db8::/32")])
def test_what_is_an_error_counts_whatever_its_prefix(dst: str, prefix: str, kind: str, found: str) -> None:
    """Only routes that lead somewhere are suppressed; of throw, the next rule is asked. (Kernel: by ip route get.)"""
    version = ip_address(dst).version
    everything = LAN if version == 4 else _route("::/0", "lan")
    rules = (_rule(100, "7", version, suppress=32), _rule(32766, version=version))
    host = HostState(routes=(everything, _route(prefix, "", table="7", kind=kind)), routing_rules=rules)
    chosen = choose(host, Sought(ip_address(dst)))

    assert chosen is not None
    assert chosen.route.kind == found


def test_a_rule_that_goes_on_elsewhere() -> None:
    """``goto`` skips the rules between; one that leads back ends all the same."""
    skips = (_rule(10, None, action="goto", goto=30), _rule(20, "7"), _rule(30))
    turns = (_rule(10, None, action="nop"), _rule(20, None, action="goto", goto=10), _rule(30))
    chosen = [choose(HostState(routes=(LAN, OTHER), routing_rules=rules), Sought(ip_address("8.8.8.8")))
              for rules in (skips, turns)]  # fmt: skip

    assert [way.rule.priority for way in chosen if way is not None] == [30, 30]


@pytest.mark.parametrize(
    ("selectors", "given", "missing"),
    [
        ({"mark": (1, 1)}, {"mark": None}, "mark"),
        ({"iif": "eth0"}, {"iif": None}, "way in"),
        ({"protocol": 17}, {}, "protocol"),
        ({"dport": (53, 53)}, {}, "destination port"),
        ({"unread": ("tos",)}, {}, "tos"),
        ({"unread": ("l3mdev",)}, {}, "l3mdev"),
    ],
    ids=str,
)
def test_selectors_that_nobody_can_decide(selectors: dict[str, Any], given: dict[str, Any], missing: str) -> None:
    """Whoever asks assumes an answer; without one, the rule does not fit."""
    host = HostState(routes=(LAN, OTHER), routing_rules=(_rule(32766), _rule(100, "7", **selectors)))
    asked: list[Unknown] = []

    def assume(rule: RoutingRule, unknown: Unknown) -> bool:
        asked.append(unknown)
        return rule.priority == 100

    sought = Sought(ip_address("8.8.8.8"), **given)
    alone, assumed = choose(host, sought), choose(host, sought, assume)

    assert alone is not None
    assert assumed is not None
    assert (alone.route.dev, assumed.route.dev) == ("lan", "other")
    assert asked == [Unknown(Missing.FIELD, missing)]
