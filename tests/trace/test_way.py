"""A packet's way through a recorded state: what stops it, what only seems to, and what nobody can tell."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from analyzer.host.netfilter.packet import Packet
from analyzer.host.netfilter.ruleset import parse_ruleset
from analyzer.model import Disposition, HostState, Link, Neighbour, Route, RoutingRule
from analyzer.trace.way import Cause, Way, acquitted, moved

RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
[4:240] -A FORWARD -p tcp -m tcp --dport 7 -j DROP
[0:0] -A FORWARD -p tcp -m tcp --dport 9 -j DROP
[9:540] -A FORWARD -i docker0 -o wlan0 -j ACCEPT
COMMIT
"""
LINKS = (
    Link(2, "wlan0", None, None, None, (ip_address("192.168.1.100"),), 1500),
    Link(3, "docker0", None, "bridge", None, (ip_address("172.17.0.1"),), 1500),
)
ROUTES = (
    Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default via 192.168.1.1 dev wlan0"),
    Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", "172.17.0.0/16 dev docker0"),
)
HOST = HostState(links=LINKS, routes=ROUTES, rulesets=(parse_ruleset(RULES.splitlines(), 4),))


def _syn(port: int = 80, **fields: object) -> Packet:
    known = Packet("tcp", ip_address("172.17.0.2"), ip_address("8.8.8.8"), 4000, port, tcp_flags=2, length=60, ttl=64,
                   iif="docker0")  # fmt: skip
    return replace(known, **fields)  # type: ignore[arg-type]


def _stop(host: HostState, packet: Packet, **options: object) -> Cause | None:
    return Way(host, packet, **options).stopped(bridged=False)  # type: ignore[arg-type]


def test_a_rule_that_counted() -> None:
    """Named with its dump; what passes is told with the rule that accepts it."""
    cause, way = _stop(HOST, _syn(7)), Way(HOST, _syn(80))

    assert cause is not None
    assert cause.proof == ("iptables-save.txt: -A FORWARD -p tcp -m tcp --dport 7 -j DROP",)
    assert way.stopped(bridged=False) is None
    assert way.passed.text == "accepted by “-A FORWARD -i docker0 -o wlan0 -j ACCEPT”, and leaves by wlan0"


def test_a_counter_that_did_not_move_acquits() -> None:
    """The rule would stop it, but stopped nothing: so it is not known what did."""
    cause = _stop(HOST, _syn(9))
    old = replace(HOST, rulesets_before=HOST.rulesets)

    assert cause is not None
    assert cause.unknown
    assert "counted nothing" in cause.text
    assert all(moved(old, rule) == 0 for rule in HOST.rulesets[0].rules())
    assert all(acquitted(old, rule) for rule in HOST.rulesets[0].rules())


def test_a_past_state_has_no_say_about_its_counters() -> None:
    """A rule that was there before may have counted later."""
    cause = _stop(HOST, _syn(9), past=True)

    assert cause is not None
    assert not cause.unknown


def test_without_routes_the_way_out_is_a_guess_or_unknown() -> None:
    """A rule that asks for the interface then decides by the guess, or leaves it open."""
    blind = replace(HOST, routes=())
    guessed, unknown = _stop(blind, _syn(), guess="wlan0"), _stop(blind, _syn())

    assert guessed is None
    assert unknown is not None
    assert unknown.unknown


@pytest.mark.parametrize(
    ("change", "check", "text"),
    [
        (
            {"sysctls": {"net.ipv4.ip_forward": "0"}},
            "forwarding-disabled",
            "forwarding is off: net.ipv4.ip_forward = 0",
        ),
        (
            {"sysctls": {"net.ipv4.conf.all.rp_filter": "1"}, "routes": (ROUTES[0],)},
            "reverse-path-filtered",
            "rp_filter on docker0: the way back to 172.17.0.2 goes by wlan0",
        ),
        (
            {"routes": (*ROUTES, replace(ROUTES[0], dst=ip_network("8.0.0.0/8"), kind="blackhole"))},
            "host-unreachable",
            "blackhole route 8.0.0.0/8",
        ),
        (
            {
                "routing_rules": (
                    RoutingRule(9, 4, None, None, "docker0", None, False, None, "prohibit", "9: prohibit"),
                )
            },
            "host-unreachable",
            "rule “9: prohibit”",
        ),
        (
            {"neighbours": (Neighbour(ip_address("192.168.1.1"), "wlan0", None, "FAILED"),)},
            "arp-unanswered",
            "192.168.1.1 does not answer on wlan0",
        ),
    ],
    ids=["forwarding", "reverse-path", "blackhole", "prohibit", "neighbour"],
)
def test_what_else_stops_it(change: dict[str, object], check: str, text: str) -> None:
    """Each in the kernel's order, before or after the rules."""
    cause = _stop(replace(HOST, **change), _syn())  # type: ignore[arg-type]

    assert cause is not None
    assert (cause.check, cause.text) == (check, text)
    assert cause.disposition is Disposition.DROPPED


def test_longer_than_the_link() -> None:
    """A datagram; what TCP shows may be a segment that offload splits."""
    long = {"length": 1501}

    assert _stop(HOST, _syn(**long)) is None
    assert getattr(_stop(HOST, _syn(protocol="udp", tcp_flags=None, **long)), "check", "") == "mtu-exceeded"


def test_rules_that_shall_not_match() -> None:
    """What nobody can decide is left out, and the next rule is asked."""
    rules = list(HOST.rulesets[0].rules())

    assert _stop(HOST, _syn(7), skip=[rules[0]]) is None


def test_the_hosts_own_packets() -> None:
    """Go through OUTPUT and its policy."""
    text = "*filter\n:OUTPUT DROP [3:180]\nCOMMIT\n"
    host = replace(HOST, rulesets=(parse_ruleset(text.splitlines(), 4),))
    answer = _syn(src=ip_address("172.17.0.1"), dst=ip_address("172.17.0.2"), iif=None)
    cause = Way(host, answer).sent()

    assert cause is not None
    assert cause.policy == ("filter", "OUTPUT")
