"""What is built of a recorded host: commands for tools, and nothing that a dump could smuggle in."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from analyzer.model import BridgePort, HostState, Link, Mac, Neighbour, Route, RoutingRule
from analyzer.replay.plan import Plan, harmless, plan, tracing
from analyzer.state.rules.iptables import parse_rule, parse_tables
from analyzer.state.rules.nft import parse_native

UPLINK = Link(
    2, "wlan0", Mac(0x3C22FB102030), None, None, (ip_address("192.168.1.100"), ip_address("fd00:1::100")), 1500
)
BRIDGE = Link(3, "docker0", Mac(0x0242A169D2B1), "bridge", None, (ip_address("172.17.0.1"),), 1500)
PORT = Link(4, "veth1", None, "veth", "docker0")
DEFAULT = Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default via 192.168.1.1")
LAN = Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", "", src=ip_address("172.17.0.1"))
HOST = HostState(links=(UPLINK, PORT, BRIDGE), routes=(DEFAULT, LAN))


def _lines(found: Plan, *words: str) -> list[str]:
    """Return the commands that hold some words, in a line each."""
    return [line for one in found.commands if all(word in (line := " ".join(one.words)) for word in words)]


def test_links() -> None:
    """Bridges first, then pairs whose outer end is outside; addresses without the routes that the dump has anyway."""
    found = plan(HOST)

    assert _lines(found, "link", "add") == [
        "ip link add name docker0 address 02:42:a1:69:d2:b1 type bridge mcast_snooping 0",
        "ip link add name wlan0 address 3c:22:fb:10:20:30 mtu 1500 type veth peer name p0 netns OUTSIDE",
        "ip link add name veth1 type veth peer name p1 netns OUTSIDE",
    ]
    assert _lines(found, "master") == ["ip link set dev veth1 master docker0"]
    assert _lines(found, "addr add") == [
        "ip addr add 192.168.1.100/32 dev wlan0 noprefixroute",
        "ip addr add fd00:1::100/128 dev wlan0 noprefixroute nodad",
        "ip addr add 172.17.0.1/32 dev docker0 noprefixroute",
    ]
    assert found.peers == {"wlan0": "p0", "veth1": "p1"}


def test_what_captures_show_beside_the_dumps() -> None:
    """The interface of a container that has ended, on its bridge; a next hop that no dump has."""
    found = plan(
        HOST, [("veth9", "docker0"), ("wlan0", None)], [(ip_address("172.17.0.9"), "docker0", "02:00:00:00:00:fe")]
    )

    assert _lines(found, "veth9", "add") == ["ip link add name veth9 type veth peer name p2 netns OUTSIDE"]
    assert _lines(found, "veth9", "master") == ["ip link set dev veth9 master docker0"]
    assert _lines(found, "neigh") == ["ip neigh replace 172.17.0.9 lladdr 02:00:00:00:00:fe dev docker0"]


@pytest.mark.parametrize(
    "name", ["-x", "../../x", "a b", "a;reboot", "x" * 16, "", "a/b", "a\n", "\x1b[31m", "$(id)", "dév"]
)
def test_names_that_no_interface_has(name: str) -> None:
    """They are left out, and so are routes, neighbours and settings by them; that is said."""
    host = HostState(
        links=(replace(PORT, name=name),), routes=(replace(DEFAULT, dev=name),),
        neighbours=(Neighbour(ip_address("1.1.1.1"), name, Mac(1), "REACHABLE"),),
        sysctls={f"net.ipv4.conf.{name}.forwarding": "1"},
    )  # fmt: skip
    found = plan(host)

    assert not [one for one in found.commands if name and name in one.words]
    assert found.missing[0] == "1 interfaces with names that are not built"
    assert not any(name in setting for setting in found.settings if name)


TWO_HOPS = "nexthop via 192.168.1.1 dev wlan0 onlink nexthop dev docker0"


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (DEFAULT, "ip -4 route replace unicast 0.0.0.0/0 via 192.168.1.1 dev wlan0 onlink table 254"),
        (LAN, "ip -4 route replace unicast 172.17.0.0/16 dev docker0 src 172.17.0.1 table 254"),
        (replace(LAN, src=ip_address("9.9.9.9")), "ip -4 route replace unicast 172.17.0.0/16 dev docker0 table 254"),
        (replace(DEFAULT, kind="blackhole", dev=None, gateway=None),
         "ip -4 route replace blackhole 0.0.0.0/0 table 254"),
        (replace(DEFAULT, table="100", metric=5),
         "ip -4 route replace unicast 0.0.0.0/0 via 192.168.1.1 dev wlan0 onlink metric 5 table 100"),
        (replace(DEFAULT, gateway=ip_address("fe80::1")),
         "ip -4 route replace unicast 0.0.0.0/0 via inet6 fe80::1 dev wlan0 onlink table 254"),
        (replace(DEFAULT, nexthops=(("wlan0", ip_address("192.168.1.1")), ("docker0", None))),
         f"ip -4 route replace unicast 0.0.0.0/0 table 254 {TWO_HOPS}"),
        (replace(DEFAULT, dev="lost0"), None),
        (replace(LAN, kind="broadcast", table="local"), None),
        (replace(LAN, kind="multicast"), None),
    ],
)  # fmt: skip
def test_routes(route: Route, words: str | None) -> None:
    """As the dump has them; what the kernel makes itself, or cannot have here, is left out."""
    assert _lines(plan(replace(HOST, routes=(route,))), "route replace") == ([words] if words is not None else [])


def test_tables_of_routes_have_numbers() -> None:
    """A name that only the recorded host has is the same number in routes and in rules."""
    rule = RoutingRule(100, 4, None, None, None, None, False, "vpn", None, "100: lookup vpn")
    found = plan(replace(HOST, routes=(replace(DEFAULT, table="vpn"),), routing_rules=(rule,)))
    (route,), (_, looked_up) = _lines(found, "route replace"), _lines(found, "rule")

    assert route.split()[-1] == looked_up.split()[-1]
    assert route.split()[-1].isdecimal()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"src": ip_network("10.0.0.0/8")}, "from 10.0.0.0/8 lookup 254"),
        ({"negated": True, "mark": (0xCA6C, 0xFFFF_FFFF)}, "from all fwmark 0xca6c/0xffffffff lookup 254"),
        ({"protocol": 17, "dport": (53, 53)}, "from all ipproto 17 dport 53-53 lookup 254"),
        ({"suppress": 0}, "from all lookup 254 suppress_prefixlength 0"),
        ({"iif": "docker0"}, "from all lookup 254 iif docker0"),
        ({"table": None, "action": "prohibit"}, "from all prohibit"),
        ({"table": None, "action": "goto", "goto": 200}, "from all goto 200"),
    ],
)
def test_routing_rules(fields: dict[str, object], words: str) -> None:
    """With all selectors that are followed."""
    rule = replace(RoutingRule(100, 4, None, None, None, None, False, "main", None, "a rule"), **fields)  # type: ignore[arg-type]
    no = " not" if rule.negated else ""

    assert _lines(plan(replace(HOST, routing_rules=(rule,))), "rule add") == [f"ip -4 rule add pref 100{no} {words}"]


@pytest.mark.parametrize("fields", [{"unread": ("tos",)}, {"iif": "lost0"}])
def test_routing_rules_that_cannot_be_built(fields: dict[str, object]) -> None:
    """They are said to be missing."""
    rule = replace(RoutingRule(100, 4, None, None, None, None, False, "main", None, "a rule"), **fields)  # type: ignore[arg-type]
    found = plan(replace(HOST, routing_rules=(rule,)))

    assert "ip rule a rule" in found.missing
    assert not _lines(found, "rule add")


def test_settings() -> None:
    """Those that a packet's way hangs on, with numbers; what was not recorded is taken as on, which is said."""
    told = {
        "net.ipv4.ip_forward": "0", "net.ipv4.conf.docker0.rp_filter": "1", "net.ipv4.conf.lost0.rp_filter": "1",
        "net.ipv4.conf.all.rp_filter": "1; reboot", "kernel.core_pattern": "|/bin/sh", "net.ipv4.tcp_rmem": "1 2 3",
        "net.ipv4.conf.../../x.forwarding": "1",
    }  # fmt: skip
    settings = plan(replace(HOST, sysctls=told)).settings
    unknown = plan(HOST)

    assert settings["net.ipv4.ip_forward"] == "0"
    assert settings["net.ipv4.conf.docker0.rp_filter"] == "1"
    assert settings["net.ipv4.conf.all.rp_filter"] == "0"
    assert not [name for name in settings if "lost0" in name or "kernel" in name or "tcp_rmem" in name or "/" in name]
    assert unknown.settings["net.ipv4.ip_forward"] == "1"
    assert "whether it forwards: not recorded, so taken as on" in unknown.missing


def test_hairpins_and_what_is_down() -> None:
    """As they were recorded; what has no carrier was set up all the same."""
    host = replace(
        HOST,
        links=(replace(UPLINK, down=True), replace(UPLINK, name="eth1", down=True, up=True), replace(BRIDGE, down=True),
               PORT),
        ports=(BridgePort("veth1", "docker0", "forwarding", hairpin=True, isolated=False),),
    )  # fmt: skip
    found = plan(host)

    assert _lines(found, "hairpin") == ["ip link set dev veth1 type bridge_slave hairpin on"]
    assert _lines(found, "multicast") == [
        "ip link set dev wlan0 multicast off down", "ip link set dev eth1 multicast off up",
        "ip link set dev docker0 multicast off up",
        "ip link set dev veth1 multicast off up",
    ]  # fmt: skip


RULES = """*filter
:FORWARD DROP [5:60]
:DOCKER-USER - [0:0]
[4:240] -A FORWARD -j DOCKER-USER
-A DOCKER-USER ! -i docker0 -m comment --comment "it is \\"quoted\\"" -j DROP
-A DOCKER-USER --modprobe=/tmp/evil -j DROP
COMMIT
"""


def test_rules_of_iptables() -> None:
    """Chains, policies and rules in order, quoted as iptables-save does; one that is more than a rule is left out."""
    found = plan(replace(HOST, tables=tuple(parse_tables(RULES.splitlines(), 4))))
    (restore,) = (one for one in found.commands if one.words == ("iptables-restore",))

    assert restore.stdin.splitlines() == [
        "*filter", ":FORWARD DROP [0:0]", ":DOCKER-USER - [0:0]", "-A FORWARD -j DOCKER-USER",
        '-A DOCKER-USER ! -i docker0 -m comment --comment "it is \\"quoted\\"" -j DROP', "COMMIT",
    ]  # fmt: skip
    assert found.missing[-1].startswith("rule -A DOCKER-USER --modprobe")


@pytest.mark.parametrize(
    "text",
    [
        "-A FORWARD --modprobe=/tmp/x -j DROP", "-A FORWARD --modprobe /tmp/x -j DROP", "-A FORWARD --modp=/tmp/x",
        "-A FORWARD -M /tmp/x", "-A FORWARD -M/tmp/x", "-A FORWARD -t nat", "-A FORWARD --table nat",
        "-A FORWARD -F", "-A FORWARD --flush", "-A FORWARD -D INPUT 1", "-A FORWARD -I INPUT -j ACCEPT",
        "-A FORWARD -m bpf --object-pinned /sys/fs/bpf/x -j DROP", "-A -F -j DROP", "-A FORWARD -c 5 5",
        "-A FORWARD -w",
        "-I FORWARD -j DROP", '-A FORWARD -m comment --comment "open', '-A FORWARD -m comment --comment "a\x01b"',
        "-A FORWARD --set-counters 1 1", "-A", "-A FORWARD -4 -j DROP", "-A FORWARD --wait 5",
    ],
)  # fmt: skip
def test_what_is_more_than_a_rule(text: str) -> None:
    """Commands, options that run or read files, and their abbreviations never reach iptables-restore."""
    (table,) = parse_tables(["*filter", ":FORWARD ACCEPT [0:0]"], 4)
    (rule,) = parse_tables(["*filter", text if text.startswith("-A F") else f"-A FORWARD {text}"], 4)[0].rules()

    assert harmless(replace(rule, text=text)) is None
    assert table.name == "filter"


@pytest.mark.parametrize(
    "text",
    [
        "-A FORWARD -s 10.0.0.0/8 ! -d 10.1.0.0/16 -i docker+ -o eth0 -p tcp -f -m tcp --dport 80 -g X",
        "-A FORWARD -m set --match-set good src,dst -j ACCEPT", "-A FORWARD -m recent --set --name x --rsource",
        '-A FORWARD -m limit --limit 5/min --limit-burst 7 -j LOG --log-prefix "x: " --log-level 4',
        "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu",
        "-A FORWARD -m string --string x --algo bm --to 65535 -j DROP",
        "-A PREROUTING -m mac --mac-source 02:42:ac:11:00:02",
        "-A FORWARD -m policy --dir in --pol ipsec -j ACCEPT",
        "-A FORWARD -m statistic --mode random --probability 0.5",
        "-A OUTPUT -m owner --uid-owner 0", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A POSTROUTING -j MASQUERADE --random-fully", "-A PREROUTING -j CT --zone 5",
        "-A FORWARD -m hashlimit --hashlimit-upto 1/sec --hashlimit-mode srcip --hashlimit-name x -j ACCEPT",
        "-A FORWARD -j REJECT --reject-with icmp-port-unreachable",
        '-A FORWARD -m comment --comment "a $(touch x) `id`"',
    ],
)  # fmt: skip
def test_rules_are_harmless(text: str) -> None:
    """What hosts have goes through as it is."""
    (table,) = parse_tables(["*filter"], 4)

    assert harmless(parse_rule(text, table)) == text


def test_rules_of_nftables() -> None:
    """What a ruleset is made of, without handles; what else a dump may hold is not passed on."""
    of = {"family": "inet", "table": "own"}
    dump = {"nftables": [
        {"metainfo": {"version": "1"}}, {"table": {"family": "inet", "name": "own", "handle": 1}},
        {"chain": {**of, "name": "fwd", "hook": "forward", "type": "filter", "prio": 0, "policy": "drop", "handle": 2}},
        {"rule": {**of, "chain": "fwd", "handle": 3, "expr": [{"accept": None}]}},
        {"rule": {**of, "chain": "fwd", "handle": 4, "expr": [{"drop": None}]}},
        {"flush": {**of}}, {"include": {**of, "path": "/etc/passwd"}},
    ]}  # fmt: skip
    (table,) = parse_native(json.dumps(dump))
    table.chains["fwd"].policy = "ACCEPT"
    del table.chains["fwd"].rules[0]
    (load,) = (one for one in plan(replace(HOST, tables=(table,))).commands if one.words[:2] == ("nft", "-j"))
    items = json.loads(load.stdin)["nftables"]

    assert [next(iter(one["add"])) for one in items] == ["table", "chain", "rule"]
    assert items[1]["add"]["chain"]["policy"] == "accept"
    assert items[2]["add"]["rule"]["expr"] == [{"drop": None}]
    assert not any("handle" in next(iter(one["add"].values())) for one in items)


def test_tracing() -> None:
    """In each hook where a packet may enter first."""
    text = tracing()

    assert text.count("meta nftrace set 1") == 3
    assert all(hook in text for hook in ("hook prerouting", "hook output", "table bridge", "table inet"))
