"""A recorded host's own addresses and routes, and how connections come in."""

from ipaddress import ip_address, ip_network

import pytest

from analyzer.model import FlowTuple, HostState, Link, Route, RoutingRule
from analyzer.model.question import ABSENT
from analyzer.model.rules import Verdict
from analyzer.state.addresses import address_type
from analyzer.state.path import Path, first_packet, translate
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet

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
HOST = HostState(links=LINKS, routes=ROUTES, tables=tuple(parse_tables(NAT.splitlines(), 4)), ruled=frozenset((4,)))


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("192.168.1.100", "LOCAL"), ("127.0.0.9", "LOCAL"), ("fd00::1", "LOCAL"), ("::1", "LOCAL"),
        ("10.9.1.1", "LOCAL"), ("224.0.0.1", "MULTICAST"), ("ff02::1", "MULTICAST"), ("192.168.1.255", "BROADCAST"),
        ("255.255.255.255", "BROADCAST"), ("255.255.255.254", "UNICAST"), ("8.8.8.8", "UNICAST"),
        ("172.17.0.2", "UNICAST"), ("::ffff:ffff", "UNICAST"), ("2001:db8::1", "UNICAST"),
    ],
)  # fmt: skip
def test_address_types(ip: str, kind: str) -> None:
    """The host's own, groups, broadcast addresses as routes have them, and all others."""
    assert address_type(HOST, ip_address(ip)) == kind


def test_without_rules_nothing_can_be_told() -> None:
    """Of a family no rules are known if none were recorded, unless nftables' own are there."""
    native = tuple(parse_native('{"nftables": [{"table": {"family": "inet", "name": "own"}}]}'))

    assert HOST.knows_rules(4)
    assert not HOST.knows_rules(6)
    assert HostState(tables=native).knows_rules(6)
    assert HostState(ruled=frozenset((6,))).knows_rules(6)
    assert translate(HostState(links=LINKS, routes=ROUTES), FlowTuple("tcp", WEB, WORLD)) is None


@pytest.mark.parametrize(
    ("dst", "oif"),
    [
        ("8.8.8.8", "wlan0"), ("172.17.0.3", "docker0"), ("192.168.1.100", ABSENT), ("127.0.0.1", ABSENT),
        ("10.9.1.1", ABSENT),
    ],
)  # fmt: skip
def test_where_packets_leave(dst: str, oif: object) -> None:
    """By the route's interface; what is the host's own does not leave."""
    here = Path(HOST)

    result = here.received(Packet(6, WEB, ip_address(dst), 1, 2, iif="eth9"))
    assert (result.verdict, result.packet and result.packet.oif) == (Verdict.ACCEPT, oif)


@pytest.mark.parametrize(("dst", "verdict"), [("192.168.1.100", Verdict.DROP), ("8.8.8.8", Verdict.ACCEPT)])
def test_rules_that_ask_for_the_type_of_an_address(dst: str, verdict: Verdict) -> None:
    """It is the type that the host's own interfaces and routes give it."""
    text = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DROP\nCOMMIT\n"
    here = Path(HostState(links=LINKS, routes=ROUTES, tables=tuple(parse_tables(text.splitlines(), 4))))

    assert here.received(Packet(6, WEB, ip_address(dst), 1, 2, iif="eth9")).verdict is verdict


@pytest.mark.parametrize(
    ("dst", "text"),
    [
        ("10.1.0.1", "blackhole route 10.1.0.0/16"), ("10.2.0.1", "unreachable route 10.2.0.0/16"),
        ("10.3.0.1", "prohibit route 10.3.0.0/16"),
    ],
)  # fmt: skip
def test_routes_that_lead_nowhere(dst: str, text: str) -> None:
    """They are told as what they are."""
    here = Path(HOST)

    assert here.received(Packet(6, WEB, ip_address(dst), 1, 2, iif="eth9")).text == text


@pytest.mark.parametrize(
    ("packet", "oif"),
    [
        (Packet(6, WEB, WORLD, 1, 2, iif="eth9"), "wlan0"),
        (Packet(6, WEB, WORLD, 1, 2, iif="eth9", mark=7), "vpn"),
        (Packet(6, WEB, WORLD, 1, 2, iif="eth8"), "vpn"),
        (Packet(6, ip_address("172.18.0.9"), WORLD, 1, 2, iif="eth9"), "vpn"),
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
        links=LINKS, routes=(*ROUTES, _route("0.0.0.0/0", "vpn", table="7")), tables=HOST.tables,
        routing_rules=(main, *rules),
    )  # fmt: skip
    result = Path(host).received(packet)

    assert result.packet is not None
    assert result.packet.oif == oif


def test_first_packets() -> None:
    """They are new to conntrack; of TCP, they have SYN alone."""
    tcp = FlowTuple("tcp", WEB, WORLD, 40_000, 80)
    ping = FlowTuple("icmp", WEB, WORLD, icmp_type=8, icmp_code=0, icmp_id=7)

    assert first_packet(tcp, "docker0") == Packet(6, WEB, WORLD, 40_000, 80, tcp_flags=2, iif="docker0")
    assert first_packet(ping, ABSENT) == Packet(1, WEB, WORLD, icmp_type=8, icmp_code=0)


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
    alone = HostState(links=LINKS, tables=HOST.tables)

    assert translate(HOST, FlowTuple("tcp", ip_address(src), WORLD)) is None
    assert translate(alone, FlowTuple("tcp", ip_address(src), WORLD)) is None
