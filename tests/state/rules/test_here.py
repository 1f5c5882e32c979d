"""A recorded host's own evaluator: its addresses, its routes, and how connections come in."""

from ipaddress import ip_address, ip_network

import pytest

from analyzer.model import FlowTuple, HostState, Link, Route, RoutingRule
from analyzer.state.rules.evaluate import Verdict
from analyzer.state.rules.here import address_type, evaluator, first_packet, translate
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.ruleset import parse_ruleset

OWN, WEB, WORLD = map(ip_address, ("192.168.1.100", "172.17.0.2", "8.8.8.8"))
OWN6 = ip_address("fd00::1")
LINKS = (Link(2, "wlan0", None, None, None, (OWN, OWN6)),)
NAT = """
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A PREROUTING -i docker0 -j REDIRECT --to-ports 1
    -A PREROUTING -i wlan0 -j REDIRECT --to-ports 2
    -A OUTPUT -j REDIRECT --to-ports 3
    COMMIT
"""


def _route(prefix: str, dev: str | None, kind: str = "unicast", table: str = "main") -> Route:
    return Route(ip_network(prefix), dev, None, 0, table, prefix, kind)


ROUTES = (
    _route("0.0.0.0/0", "wlan0"),
    _route("172.17.0.0/16", "docker0"),
    _route("192.168.1.255/32", "wlan0", "broadcast", "local"),
    _route("10.9.0.0/16", None, "local", "local"),
    _route("10.1.0.0/16", None, "blackhole"),
    _route("10.2.0.0/16", None, "unreachable"),
    _route("10.3.0.0/16", None, "prohibit"),
)
HOST = HostState(links=LINKS, routes=ROUTES, rulesets=(parse_ruleset(NAT.splitlines(), 4),))


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("192.168.1.100", "LOCAL"), ("127.0.0.9", "LOCAL"), ("fd00::1", "LOCAL"), ("::1", "LOCAL"),
        ("224.0.0.1", "MULTICAST"), ("ff02::1", "MULTICAST"), ("192.168.1.255", "BROADCAST"),
        ("255.255.255.255", "BROADCAST"), ("255.255.255.254", "UNICAST"), ("8.8.8.8", "UNICAST"),
        ("172.17.0.2", "UNICAST"), ("::ffff:ffff", "UNICAST"), ("2001:db8::1", "UNICAST"),
    ],
)  # fmt: skip
def test_address_types(ip: str, kind: str) -> None:
    """The host's own, groups, broadcast addresses as routes have them, and all others."""
    assert address_type(HOST, ip_address(ip)) == kind


def test_without_rules_nothing_can_be_told() -> None:
    """A family of which no rules were recorded has no evaluator, unless nftables' own are there."""
    native = tuple(parse_native('{"nftables": [{"table": {"family": "inet", "name": "own"}}]}'))

    assert evaluator(HOST, 4) is not None
    assert evaluator(HOST, 6) is None
    assert evaluator(HostState(native=native), 6) is not None
    assert translate(HostState(links=LINKS, routes=ROUTES), FlowTuple("tcp", WEB, WORLD)) is None


@pytest.mark.parametrize(
    ("dst", "oif"),
    [
        ("8.8.8.8", "wlan0"), ("172.17.0.3", "docker0"), ("192.168.1.100", None), ("127.0.0.1", None),
        ("10.9.1.1", None),
    ],
)  # fmt: skip
def test_where_packets_leave(dst: str, oif: str | None) -> None:
    """By the route's interface; what is the host's own does not leave."""
    here = evaluator(HOST, 4)

    assert here is not None
    result = here.received(Packet("tcp", WEB, ip_address(dst), 1, 2, iif="eth9"))
    assert (result.verdict, result.packet and result.packet.oif) == (Verdict.ACCEPT, oif)


@pytest.mark.parametrize(("dst", "verdict"), [("192.168.1.100", Verdict.DROP), ("8.8.8.8", Verdict.ACCEPT)])
def test_rules_that_ask_for_the_type_of_an_address(dst: str, verdict: Verdict) -> None:
    """It is the type that the host's own interfaces and routes give it."""
    text = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DROP\nCOMMIT\n"
    rules = (parse_ruleset(text.splitlines(), 4),)
    here = evaluator(HostState(links=LINKS, routes=ROUTES, rulesets=rules), 4)

    assert here is not None
    assert here.received(Packet("tcp", WEB, ip_address(dst), 1, 2, iif="eth9")).verdict is verdict


@pytest.mark.parametrize("dst", ["10.1.0.1", "10.2.0.1", "10.3.0.1"])
def test_routes_that_lead_nowhere(dst: str) -> None:
    """As if there were none."""
    here = evaluator(HOST, 4)

    assert here is not None
    assert here.received(Packet("tcp", WEB, ip_address(dst), 1, 2, iif="eth9")).reason == f"no route to {dst}"


@pytest.mark.parametrize(
    ("packet", "oif"),
    [
        (Packet("tcp", WEB, WORLD, 1, 2, iif="eth9"), "wlan0"),
        (Packet("tcp", WEB, WORLD, 1, 2, iif="eth9", mark=7), "vpn"),
        (Packet("tcp", WEB, WORLD, 1, 2, iif="eth8"), "vpn"),
        (Packet("tcp", ip_address("172.18.0.9"), WORLD, 1, 2, iif="eth9"), "vpn"),
    ],
    ids=["none", "mark", "interface", "source"],
)
def test_rules_of_routing(packet: Packet, oif: str) -> None:
    """Mark, interface and source of the packet are what they ask for."""
    rules = (
        RoutingRule(1, 4, None, None, None, (7, 255), False, "7", None, ""),
        RoutingRule(2, 4, None, None, "eth8", None, False, "7", None, ""),
        RoutingRule(3, 4, ip_network("172.18.0.0/16"), None, None, None, False, "7", None, ""),
    )
    main = RoutingRule(32766, 4, None, None, None, None, False, "main", None, "")
    host = HostState(
        links=LINKS, routes=(*ROUTES, _route("0.0.0.0/0", "vpn", table="7")), rulesets=HOST.rulesets,
        routing_rules=(main, *rules),
    )  # fmt: skip
    here = evaluator(host, 4)

    assert here is not None
    result = here.received(packet)
    assert result.packet is not None
    assert result.packet.oif == oif


def test_first_packets() -> None:
    """They are new to conntrack; of TCP, they have SYN alone."""
    tcp = FlowTuple("tcp", WEB, WORLD, 40_000, 80)
    ping = FlowTuple("icmp", WEB, WORLD, icmp_type=8, icmp_code=0, icmp_id=7)

    assert first_packet(tcp, "docker0") == Packet("tcp", WEB, WORLD, 40_000, 80, tcp_flags=2, iif="docker0")
    assert first_packet(ping, None) == Packet("icmp", WEB, WORLD, icmp_type=8, icmp_code=0)


@pytest.mark.parametrize(
    ("src", "to"),
    [("172.17.0.2", "1"), ("9.9.9.9", "2"), ("192.168.1.100", "3"), ("127.0.0.1", "3")],
)
def test_translating_a_connection(src: str, to: str) -> None:
    """It comes in by the way back to its source; what the host sends itself passes OUTPUT."""
    result = translate(HOST, FlowTuple("tcp", ip_address(src), WORLD, 40_000, 80))

    assert result is not None
    assert [one.to for one in result.translations] == [to]


@pytest.mark.parametrize("src", ["10.1.0.1", "10.9.0.1"])
def test_a_connection_whose_way_in_is_not_known(src: str) -> None:
    """The way back leads to no interface, or there is none: nothing is told."""
    alone = HostState(links=LINKS, rulesets=HOST.rulesets)

    assert translate(HOST, FlowTuple("tcp", ip_address(src), WORLD)) is None
    assert translate(alone, FlowTuple("tcp", ip_address(src), WORLD)) is None
