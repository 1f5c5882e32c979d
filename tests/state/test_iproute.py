"""What iproute2 prints as JSON, field by field."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from msgspec import ValidationError

from analyzer.model import BridgePort, FdbEntry, Link, Mac, Neighbour, Route, RoutingRule
from analyzer.state.iproute import (
    mac,
    parse_fdb,
    parse_links,
    parse_neighbours,
    parse_ports,
    parse_routes,
    parse_rules,
)

TEXT, MAC = "02:42:ac:11:00:04", Mac(0x0242AC110004)


@pytest.mark.parametrize(
    ("text", "found"),
    [(TEXT, MAC), ("ff:ff:ff:ff:ff:ff", 0xFFFFFFFFFFFF), (None, None), ("", None), ("10.0.0.1", None),
     ("02:42:ac:11:00:04:05", None)],
)  # fmt: skip
def test_ethernet_addresses(text: str | None, found: int | None) -> None:
    """Six octets; an address of another kind of link is none."""
    assert mac(text) == found


def test_links() -> None:
    """What ``ip -j -d addr`` tells of each interface; an empty object is none."""
    full = {
        "ifindex": 5, "ifname": "veth1", "address": TEXT, "linkinfo": {"info_kind": "veth"}, "master": "docker0",
        "mtu": 1500, "flags": ["UP"], "operstate": "UP",
        "addr_info": [{"local": "172.17.0.1"}, {}, {"local": "fe80::1"}],
    }  # fmt: skip

    assert parse_links([full, {}, {"ifindex": 1, "ifname": "lo"}]) == (
        Link(5, "veth1", MAC, "veth", "docker0", (ip_address("172.17.0.1"), ip_address("fe80::1")), 1500, up=True),
        Link(1, "lo", None, None, None),
    )


@pytest.mark.parametrize(
    ("more", "loopback", "down"),
    [
        ({"flags": ["LOOPBACK", "UP"], "operstate": "UNKNOWN"}, True, False),
        ({"flags": ["UP"], "operstate": "UP"}, False, False),
        ({"operstate": "DOWN"}, False, True),
        ({"operstate": "LOWERLAYERDOWN"}, False, True),
    ],
)
def test_states_of_links(more: dict[str, Any], loopback: bool, down: bool) -> None:
    """Nothing passes one that is down, or whose other end is."""
    (link,) = parse_links([{"ifindex": 1, "ifname": "x", **more}])

    assert (link.loopback, link.down) == (loopback, down)


@pytest.mark.parametrize(
    ("told", "program"),
    [
        ({"xdp": {"mode": 2, "prog": {"id": 7, "name": "drop_tcp"}}}, "drop_tcp"),
        ({"xdp": {"mode": 1, "prog": {"id": 7}}}, "id 7"),
        ({}, None),
    ],
)
def test_programs_that_take_what_comes_in(told: dict[str, Any], program: str | None) -> None:
    """XDP's, by its name, or its number."""
    (link,) = parse_links([{"ifindex": 1, "ifname": "x", **told}])

    assert link.xdp == program


@pytest.mark.parametrize("master", [7, ["docker0"], {}])
def test_a_master_that_is_no_name(master: object) -> None:
    """Not as ``ip`` prints it."""
    with pytest.raises(ValidationError, match=r"^Expected `str \| null`, got `.*` - at `\$\[0\].master`$"):
        parse_links([{"ifindex": 1, "ifname": "x", "master": master}])


ROUTES: list[tuple[dict[str, Any], Route]] = [
    (
        {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0", "metric": 600, "prefsrc": "192.168.1.100"},
        Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 600, "main",
              "default via 192.168.1.1 dev wlan0 src 192.168.1.100 metric 600", "unicast", ip_address("192.168.1.100")),
    ),
    (
        {"dst": "default", "gateway": "fe80::1", "dev": "wlan0"},
        Route(ip_network("::/0"), "wlan0", ip_address("fe80::1"), 0, "main", "default via fe80::1 dev wlan0"),
    ),
    (
        {"dst": "default", "dev": "wg0", "prefsrc": "fd00::9"},
        Route(ip_network("::/0"), "wg0", None, 0, "main", "default dev wg0 src fd00::9", src=ip_address("fd00::9")),
    ),
    (
        {"dst": "default", "dev": "wg0"},
        Route(ip_network("0.0.0.0/0"), "wg0", None, 0, "main", "default dev wg0"),
    ),
    (
        {"dst": "172.17.0.0/16", "dev": "docker0", "table": 100, "type": "throw"},
        Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "100", "172.17.0.0/16 dev docker0", "throw"),
    ),
    (
        {"dst": "192.168.1.100", "dev": "wlan0", "table": "local", "type": "local"},
        Route(ip_network("192.168.1.100/32"), "wlan0", None, 0, "local", "192.168.1.100 dev wlan0", "local"),
    ),
    (
        {"dst": "172.17.0.1/16"},
        Route(ip_network("172.17.0.0/16"), None, None, 0, "main", "172.17.0.1/16"),
    ),
    (
        {"dst": "default", "nexthops": [{"gateway": "10.0.0.1", "dev": "a"}, {"gateway": "10.0.0.2", "dev": "b"}]},
        Route(ip_network("0.0.0.0/0"), "a", ip_address("10.0.0.1"), 0, "main", "default via 10.0.0.1 dev a",
              nexthops=(("a", ip_address("10.0.0.1")), ("b", ip_address("10.0.0.2")))),
    ),
    (
        {"dst": "default", "nexthops": [{"gateway": "10.0.0.1", "dev": "a", "flags": ["dead", "linkdown"]},
                                        {"gateway": "10.0.0.2", "dev": "b"}]},
        Route(ip_network("0.0.0.0/0"), "b", ip_address("10.0.0.2"), 0, "main", "default via 10.0.0.2 dev b"),
    ),
    (
        {"dst": "10.7.0.0/16", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "a"},
        Route(ip_network("10.7.0.0/16"), "a", ip_address("fe80::1"), 0, "main", "10.7.0.0/16 dev a"),
    ),
    (
        {"dst": "default", "dev": "wg0", "pref": "medium"},
        Route(ip_network("::/0"), "wg0", None, 0, "main", "default dev wg0"),
    ),
    (
        {"dst": "default", "nexthops": [], "dev": "a"},
        Route(ip_network("0.0.0.0/0"), "a", None, 0, "main", "default dev a"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "route"), ROUTES, ids=str)
def test_routes(told: dict[str, Any], route: Route) -> None:
    """What is absent is as the kernel has it by default; of several ways, all that are alive."""
    assert parse_routes([told]) == (route,)


def test_a_line_without_a_destination() -> None:
    """It is no route; those behind it are."""
    assert [route.text for route in parse_routes([{"dev": "a"}, {"dst": "10.0.0.0/8", "dev": "b"}])] == [
        "10.0.0.0/8 dev b"
    ]  # fmt: skip


RULES: list[tuple[dict[str, Any], int, RoutingRule]] = [
    (
        {"priority": 32766, "src": "all", "table": "main"}, 4,
        RoutingRule(32766, 4, None, None, None, None, False, "main", None, "32766: from all lookup main"),
    ),
    ({}, 6, RoutingRule(0, 6, None, None, None, None, False, None, None, "0: from all")),
    (
        {"priority": 100, "src": "10.0.0.9", "dst": "10.1.0.0", "dstlen": 16, "iif": "eth0", "table": 7}, 4,
        RoutingRule(100, 4, ip_network("10.0.0.9/32"), ip_network("10.1.0.0/16"), "eth0", None, False, "7", None,
                    "100: from 10.0.0.9 to 10.1.0.0/16 iif eth0 lookup 7"),
    ),
    (
        {"priority": 100, "src": "all", "dst": "fd00::9", "table": "main"}, 6,
        RoutingRule(100, 6, None, ip_network("fd00::9/128"), None, None, False, "main", None,
                    "100: from all to fd00::9 lookup main"),
    ),
    (
        {"priority": 100, "src": "all", "fwmark": "0xca6c", "table": "51820"}, 4,
        RoutingRule(100, 4, None, None, None, (0xCA6C, 0xFFFF_FFFF), False, "51820", None,
                    "100: from all fwmark 0xca6c lookup 51820"),
    ),
    (
        {"priority": 100, "src": "all", "action": "prohibit"}, 4,
        RoutingRule(100, 4, None, None, None, None, False, None, "prohibit", "100: from all prohibit"),
    ),
    (
        {"priority": 100, "src": "all", "ipproto": "udp", "dport": 53, "dport_mask": "0xffff", "table": "53"}, 4,
        RoutingRule(100, 4, None, None, None, None, False, "53", None, "100: from all ipproto udp dport 53 lookup 53",
                    protocol=17, dport=(53, 53)),
    ),
    (
        {"priority": 101, "src": "all", "ipproto": "tcp", "sport_start": 10, "sport_end": 20, "table": "53"}, 4,
        RoutingRule(101, 4, None, None, None, None, False, "53", None,
                    "101: from all ipproto tcp sport 10-20 lookup 53", protocol=6, sport=(10, 20)),
    ),
    (
        {"priority": 105, "src": "all", "table": "main", "suppress_prefixlen": 0}, 4,
        RoutingRule(105, 4, None, None, None, None, False, "main", None,
                    "105: from all lookup main suppress_prefixlength 0", suppress=0),
    ),
    (
        {"priority": 102, "src": "all", "oif": "d0", "table": "53"}, 4,
        RoutingRule(102, 4, None, None, None, None, False, "53", None, "102: from all oif d0 lookup 53", oif="d0"),
    ),
    (
        {"priority": 108, "src": "all", "goto": 110}, 4,
        RoutingRule(108, 4, None, None, None, None, False, None, "goto", "108: from all goto 110", goto=110),
    ),
    (
        {"priority": 109, "src": "all", "nop": None}, 4,
        RoutingRule(109, 4, None, None, None, None, False, None, "nop", "109: from all nop"),
    ),
    (
        {"priority": 107, "src": "all", "l3mdev": None}, 4,
        RoutingRule(107, 4, None, None, None, None, False, None, None, "107: from all l3mdev", unread=("l3mdev",)),
    ),
    (
        {"priority": 103, "src": "all", "tos": "0x10", "iif": "d0", "table": "53"}, 4,
        RoutingRule(103, 4, None, None, "d0", None, False, "53", None, "103: from all iif d0 tos 0x10 lookup 53",
                    unread=("tos",)),
    ),
    (
        {"priority": 116, "src": "all", "dport": 5, "dport_mask": "0xff", "table": "53"}, 4,
        RoutingRule(116, 4, None, None, None, None, False, "53", None, "116: from all dport 5 lookup 53",
                    dport=(5, 5), unread=("dport with a mask",)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "version", "rule"), RULES, ids=str)
def test_rules(told: dict[str, Any], version: int, rule: RoutingRule) -> None:
    """A selector without a length is one address; a rule looks up in a table, or does something else."""
    assert parse_rules([told], version) == (rule,)


def test_the_text_of_a_rule() -> None:
    """As ``ip rule`` prints it: what is meant is not shown as its contrary."""
    told = {
        "priority": 9,
        "not": None,
        "src": "10.0.0.0",
        "srclen": 8,
        "fwmark": "0xca6c",
        "fwmask": "0xff",
        "table": "7",
    }
    (rule,) = parse_rules([told], 4)

    assert rule.text == "9: not from 10.0.0.0/8 fwmark 0xca6c/0xff lookup 7"


def test_selectors_of_rules() -> None:
    """Prefixes, the mask of a mark, and the contrary of all of it."""
    (rule,) = parse_rules([{"src": "10.0.0.0", "srclen": 8, "fwmark": "0x1", "fwmask": "0xff", "not": None}], 4)

    assert (rule.src, rule.mark, rule.negated) == (ip_network("10.0.0.0/8"), (1, 255), True)


def test_an_interface_of_a_rule_that_is_no_name() -> None:
    """Not as ``ip`` prints it."""
    with pytest.raises(ValidationError):
        parse_rules([{"iif": 7}], 4)


def test_neighbours() -> None:
    """One that nobody answered for has no MAC; states are put together."""
    assert parse_neighbours(
        [
            {"dst": "172.17.0.4", "dev": "docker0", "lladdr": TEXT, "state": ["NOARP", "PERMANENT"]},
            {"dst": "fe80::1", "dev": "eth0", "state": ["FAILED"]},
            {"dst": "fe80::2", "dev": "eth0"},
        ]
    ) == (
        Neighbour(ip_address("172.17.0.4"), "docker0", MAC, "NOARP,PERMANENT"),
        Neighbour(ip_address("fe80::1"), "eth0", None, "FAILED"),
        Neighbour(ip_address("fe80::2"), "eth0", None, ""),
    )


def test_forwarding_entries() -> None:
    """Of a bridge or not, permanent or learned; what has no Ethernet address is left out."""
    assert parse_fdb(
        [
            {"mac": TEXT, "ifname": "veth1", "master": "docker0", "state": "permanent"},
            {"mac": "02:42", "ifname": "x"},
            {"ifname": "x"},
            {"mac": TEXT, "ifname": "eth0", "state": "static"},
            {"mac": "00:00:00:00:00:00", "ifname": "vxlan0"},
            {"mac": TEXT, "ifname": "vxlan0", "dst": "192.168.2.100", "state": "permanent"},
        ]
    ) == (
        FdbEntry(MAC, "veth1", "docker0", True),
        FdbEntry(MAC, "eth0", None, False),
        FdbEntry(Mac(0), "vxlan0", None, False),
        FdbEntry(MAC, "vxlan0", None, True, ip_address("192.168.2.100")),
    )


def test_ports_of_bridges() -> None:
    """What is absent is off; an empty object is none."""
    assert parse_ports(
        [
            {"ifname": "veth1", "master": "docker0", "state": "forwarding", "hairpin": True, "isolated": False},
            {},
            {"ifname": "veth2", "isolated": True},
            {"ifname": "veth3", "locked": True, "bcast_flood": False, "mcast_flood": False},
        ]
    ) == (
        BridgePort("veth1", "docker0", "forwarding", True, False),
        BridgePort("veth2", None, "unknown", False, True),
        BridgePort("veth3", None, "unknown", False, False, locked=True, broadcasts=False, multicasts=False),
    )
