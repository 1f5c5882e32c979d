"""A packet's way through a recorded state: what stops it, what only seems to, and what nobody can tell."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from analyzer.model import Container, Disposition, HostState, Link, Neighbour, Route, RoutingRule
from analyzer.model.question import ABSENT
from analyzer.packet.stops import Cause, Way, acquitted, moved
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet

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
HOST = HostState(links=LINKS, routes=ROUTES, tables=tuple(parse_tables(RULES.splitlines(), 4)))


def _syn(port: int = 80, **fields: object) -> Packet:
    known = Packet(6, ip_address("172.17.0.2"), ip_address("8.8.8.8"), 4000, port, tcp_flags=2, length=60, ttl=64,
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


def test_what_had_been_sent_on_before_it_was_stopped() -> None:
    """By the rule that translated its destination: somebody meant it to get in."""
    rule = "-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:7"
    nat = parse_tables(["*nat", ":PREROUTING ACCEPT [0:0]", rule, "COMMIT"], 4)
    host = replace(HOST, tables=(*HOST.tables, *nat))
    came = {"iif": "wlan0", "src": ip_address("8.8.8.8"), "dst": ip_address("192.168.1.100")}
    sent, plain = _stop(host, _syn(8080, **came)), _stop(host, _syn(7))

    assert sent is not None
    assert plain is not None
    assert sent.sent_by is not None
    assert sent.sent_by.text == rule
    assert plain.sent_by is None


def test_a_counter_that_did_not_move_acquits() -> None:
    """The rule would stop it, but stopped nothing: so it is not known what did."""
    cause = _stop(HOST, _syn(9))
    old = replace(HOST, tables_before=HOST.tables)

    assert cause is not None
    assert cause.unknown
    assert "counted nothing" in cause.text
    assert all(moved(old, rule) == 0 for rule in HOST.rules())
    assert all(acquitted(old, rule) for rule in HOST.rules())


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
    assert getattr(_stop(HOST, _syn(protocol=17, tcp_flags=None, **long)), "check", "") == "mtu-exceeded"


def test_rules_that_shall_not_match() -> None:
    """What nobody can decide is left out, and the next rule is asked."""
    rules = list(HOST.rules())

    assert _stop(HOST, _syn(7), skip=[rules[0]]) is None


def test_the_hosts_own_packets() -> None:
    """Go through OUTPUT and its policy."""
    text = "*filter\n:OUTPUT DROP [3:180]\nCOMMIT\n"
    host = replace(HOST, tables=tuple(parse_tables(text.splitlines(), 4)))
    answer = _syn(src=ip_address("172.17.0.1"), dst=ip_address("172.17.0.2"), iif=ABSENT)
    cause = Way(host, answer).sent()

    assert cause is not None
    assert cause.policy == ("filter", "OUTPUT")


def _host(rules: str = "", *, version: int = 4, **fields: object) -> HostState:
    """The same host with other rules; without any if there are none."""
    tables = tuple(parse_tables(rules.splitlines(), version)) if rules else ()
    return replace(HOST, tables=tables, **fields)  # type: ignore[arg-type]


def _text(host: HostState, packet: Packet, **options: object) -> str | None:
    cause = _stop(host, packet, **options)
    return None if cause is None else cause.text


NAT = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
{}
COMMIT
"""
MASQUERADE = "-A POSTROUTING -o wlan0 -j MASQUERADE"
TO_CONTAINER = "-A PREROUTING -j DNAT --to-destination 172.17.0.3"


@pytest.mark.parametrize(
    ("rules", "to", "text", "moved_ends"),
    [
        ("", "8.8.8.8", "stopped by no rule, and leaves by wlan0", (False, False)),
        (NAT.format(""), "172.17.0.1", "stopped by no rule, for the host itself", (False, False)),
        (NAT.format(""), "127.0.0.1", "stopped by no rule, for the host itself", (False, False)),
        (NAT.format(""), "224.0.0.251", "stopped by no rule", (False, False)),
        (
            NAT.format(MASQUERADE),
            "8.8.8.8",
            f"stopped by no rule, translated by “{MASQUERADE}”, and leaves by wlan0",
            (True, False),
        ),
        (
            NAT.format("-A POSTROUTING -j SNAT --to-source 192.168.1.100"),
            "8.8.8.8",
            "stopped by no rule, translated by “-A POSTROUTING -j SNAT --to-source 192.168.1.100”, and leaves by wlan0",
            (True, False),
        ),
        (
            NAT.format(TO_CONTAINER),
            "172.17.0.1",
            f"stopped by no rule, translated by “{TO_CONTAINER}”, and leaves by docker0",
            (False, True),
        ),
        (
            NAT.format("-A PREROUTING -p tcp -j REDIRECT --to-ports 81"),
            "172.17.0.1",
            "stopped by no rule, translated by “-A PREROUTING -p tcp -j REDIRECT --to-ports 81”, for the host itself",
            (False, True),
        ),
        (
            NAT.format(f"-A PREROUTING -j DNAT --to-destination 9.9.9.9\n{MASQUERADE}"),
            "8.8.8.8",
            f"stopped by no rule, translated by “{MASQUERADE}”, and leaves by wlan0",
            (True, True),
        ),
    ],
)
def test_how_a_packet_passes(rules: str, to: str, text: str, moved_ends: tuple[bool, bool]) -> None:
    """By the last rules that accept and translate it, and where to; and which of its ends they translate."""
    way = Way(_host(rules), _syn(dst=ip_address(to)))

    assert way.stopped(bridged=False) is None
    assert (way.passed.text, (way.passed.source_moved, way.passed.target_moved)) == (text, moved_ends)


def test_the_last_rule_that_accepts_is_told() -> None:
    """What accepted it in an earlier table is not what let it through."""
    rules = (
        "*mangle\n:FORWARD ACCEPT\n-A FORWARD -j ACCEPT\nCOMMIT\n*filter\n:FORWARD DROP\n-A FORWARD -p tcp -j ACCEPT"
    )
    way = Way(_host(rules), _syn())

    assert way.stopped(bridged=False) is None
    assert way.passed.text == "accepted by “-A FORWARD -p tcp -j ACCEPT”, and leaves by wlan0"


def test_without_routes_nobody_knows_where_it_leaves() -> None:
    """Unless captures show it."""
    ways = [Way(_host(RULES.replace("-i docker0 -o wlan0 ", ""), routes=()), _syn(), guess) for guess in (None, "eth9")]

    assert [way.stopped(bridged=False) for way in ways] == [None, None]
    assert ["leaves by" in way.passed.text for way in ways] == [False, True]


BRIDGED = "*filter\n:FORWARD DROP [3:180]\n[3:180] -A FORWARD -p tcp -j DROP\nCOMMIT\n"


@pytest.mark.parametrize(
    ("version", "calls", "stopped"),
    [(4, None, True), (4, "1", True), (4, "0", False), (6, None, True), (6, "1", True), (6, "0", False)],
)
def test_what_a_bridge_passes_on_meets_rules_if_the_kernel_says_so(
    version: int, calls: str | None, stopped: bool
) -> None:
    """Each family's own setting, which is on unless it was recorded as off; the other one says nothing."""
    names = ["net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables"]
    other, own = names if version == 6 else reversed(names)
    sysctls = {other: "0" if stopped else "1"} | ({own: calls} if calls is not None else {})
    ends = {"src": ip_address("fd00::2"), "dst": ip_address("fd00::3")} if version == 6 else {}
    way = Way(_host(BRIDGED, version=version, sysctls=sysctls, routes=()), _syn(**ends))

    assert (way.stopped(bridged=True) is not None) == stopped


def test_a_bridge_needs_no_route() -> None:
    """What stays on a bridge is neither routed nor checked for its source; without rules nothing stops it."""
    sysctls = {"net.ipv4.ip_forward": "0", "net.ipv4.conf.all.rp_filter": "1"}
    accepts = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"

    for rules in (accepts, ""):
        assert Way(_host(rules, sysctls=sysctls, routes=(ROUTES[0],)), _syn()).stopped(bridged=True) is None


@pytest.mark.parametrize(
    ("sysctls", "routes", "text"),
    [
        ({}, ROUTES[:1], None),
        ({"all": "0"}, ROUTES[:1], None),
        ({"all": "1"}, ROUTES, None),
        ({"docker0": "1"}, ROUTES[:1], "rp_filter on docker0: the way back to 172.17.0.2 goes by wlan0"),
        ({"wlan0": "1"}, ROUTES[:1], None),
        ({"all": "2"}, ROUTES[:1], None),
        ({"all": "1", "docker0": "2"}, ROUTES[:1], None),
        (
            {"all": "2"},
            (replace(ROUTES[0], dst=ip_network("8.0.0.0/8")),),
            "rp_filter on docker0: the way back to 172.17.0.2 goes by no interface",
        ),
        ({"all": "1"}, (), None),
    ],
)
def test_source_validation(sysctls: dict[str, str], routes: tuple[Route, ...], text: str | None) -> None:
    """Strict or loose, by the larger of two settings (RFC 3704); without recorded routes nobody can tell."""
    named = {f"net.ipv4.conf.{name}.rp_filter": value for name, value in sysctls.items()}

    assert _text(_host(sysctls=named, routes=routes), _syn()) == text


def test_source_validation_is_proven_by_settings_and_the_way_back() -> None:
    """Each line after its dump's name; where there is no way back, none is shown."""
    named = {f"net.ipv4.conf.{name}.rp_filter": "1" for name in ("all", "docker0")}
    lines = tuple(f"sysctl.txt: {name} = 1" for name in named)
    other = _stop(_host(sysctls=named, routes=(ROUTES[0],)), _syn())
    none = _stop(_host(sysctls=named, routes=(replace(ROUTES[0], dst=ip_network("8.0.0.0/8")),)), _syn())

    assert other is not None
    assert other.proof == (*lines, "ip-route.json: default via 192.168.1.1 dev wlan0")
    assert none is not None
    assert none.proof == lines


SIX = {"src": ip_address("fd00::2"), "dst": ip_address("2001:db8::1")}
ROUTES6 = (Route(ip_network("::/0"), "wlan0", ip_address("fe80::1"), 0, "main", "default via fe80::1 dev wlan0"),)


def test_ipv6_sources_are_not_validated() -> None:
    """rp_filter is of IPv4 only."""
    assert _text(_host(sysctls={"net.ipv4.conf.all.rp_filter": "1"}, routes=ROUTES6), _syn(**SIX)) is None


@pytest.mark.parametrize(
    ("sysctls", "packet", "switch"),
    [
        ({"net.ipv4.ip_forward": "1"}, {}, None),
        ({"net.ipv4.ip_forward": "0"}, {"dst": ip_address("172.17.0.1")}, None),
        ({"net.ipv4.ip_forward": "1", "net.ipv4.conf.docker0.forwarding": "0"}, {}, "net.ipv4.conf.docker0.forwarding"),
        ({"net.ipv4.ip_forward": "0", "net.ipv4.conf.docker0.forwarding": "1"}, {}, None),
        ({"net.ipv4.conf.wlan0.forwarding": "0"}, {}, None),
        ({"net.ipv6.conf.all.forwarding": "0"}, {}, None),
        ({"net.ipv6.conf.all.forwarding": "0"}, SIX, "net.ipv6.conf.all.forwarding"),
        ({"net.ipv4.ip_forward": "0"}, SIX, None),
    ],
)
def test_forwarding_is_a_setting_of_the_way_in(
    sysctls: dict[str, str], packet: dict[str, object], switch: str | None
) -> None:
    """Of the interface, else of all; what is for the host itself needs none."""
    cause = _stop(_host(sysctls=sysctls, routes=(*ROUTES, *ROUTES6)), _syn(**packet))

    assert (cause.text if cause else None) == (f"forwarding is off: {switch} = 0" if switch else None)
    assert cause is None or cause.proof == (f"sysctl.txt: {switch} = 0",)


def _ip_rule(text: str, table: str | None = None, **fields: object) -> RoutingRule:
    usual = RoutingRule(9, 4, None, None, None, None, False, table, None, text)
    return replace(usual, **fields)  # type: ignore[arg-type]


MAIN = _ip_rule("99: from all lookup main", "main", priority=99)
DEAD_END = replace(ROUTES[0], kind="unreachable", table="7", dev=None, text="default")


@pytest.mark.parametrize(
    ("rule", "marked", "stopped"),
    [
        (_ip_rule("9: lookup 7", "7"), "", True),
        (_ip_rule("9: from 172.17.0.0/16 lookup 7", "7", src=ip_network("172.17.0.0/16")), "", True),
        (_ip_rule("9: from 10.0.0.0/8 lookup 7", "7", src=ip_network("10.0.0.0/8")), "", False),
        (_ip_rule("9: iif docker0 lookup 7", "7", iif="docker0"), "", True),
        (_ip_rule("9: iif wlan0 lookup 7", "7", iif="wlan0"), "", False),
        (_ip_rule("9: fwmark 0x1 lookup 7", "7", mark=(1, 1)), "", False),
        (
            _ip_rule("9: fwmark 0x1 lookup 7", "7", mark=(1, 1)),
            "-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff",
            True,
        ),
    ],
)
def test_the_route_is_that_of_the_packet(rule: RoutingRule, marked: str, stopped: bool) -> None:
    """By its source, its way in and its mark; a route of another table is told with its rule."""
    rules = f"*mangle\n:PREROUTING ACCEPT [0:0]\n{marked}\nCOMMIT\n"
    cause = _stop(_host(rules, routes=(*ROUTES, DEAD_END), routing_rules=(rule, MAIN)), _syn())

    assert (cause is not None) == stopped
    if cause is not None:
        assert (cause.check, cause.text) == ("host-unreachable", "unreachable route 0.0.0.0/0 in table 7")
        assert cause.proof == ("ip-route.json: unreachable default in table 7", f"ip-rule.json: {rule.text}")
        assert cause.route is not None
        assert cause.route.rule == rule


def test_the_way_back_to_a_source_has_no_mark() -> None:
    """Source validation looks up by the address alone."""
    rule = _ip_rule("9: fwmark 0x1 lookup 7", "7", mark=(1, 1))
    marks = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n"
    seven = replace(ROUTES[0], table="7", text="default dev wlan0 table 7")
    host = _host(marks, routes=(*ROUTES, seven), routing_rules=(rule, MAIN),
                 sysctls={"net.ipv4.conf.all.rp_filter": "1"})  # fmt: skip

    assert _stop(host, _syn()) is None


@pytest.mark.parametrize(
    ("routes", "rules", "text", "proof"),
    [
        (ROUTES[1:], (), "no default route for IPv4", ("ip-route.json: none fits 8.8.8.8",)),
        (
            (replace(ROUTES[0], kind="prohibit", text="default metric 5"),),
            (),
            "prohibit route 0.0.0.0/0",
            ("ip-route.json: prohibit default metric 5",),
        ),
        (
            ROUTES,
            (_ip_rule("9: from all blackhole", action="blackhole"),),
            "rule “9: from all blackhole”",
            ("ip-rule.json: 9: from all blackhole",),
        ),
    ],
)
def test_where_no_route_leads(
    routes: tuple[Route, ...], rules: tuple[RoutingRule, ...], text: str, proof: tuple[str, ...]
) -> None:
    """None that fits, one that leads nowhere, or a rule that says so."""
    cause = _stop(_host(routes=routes, routing_rules=rules), _syn())

    assert cause is not None
    assert (cause.check, cause.text, cause.proof) == ("host-unreachable", text, proof)
    assert (cause.route is None) == (text == "no default route for IPv4")


def test_a_local_route_leads_to_the_host() -> None:
    """As for an address that no interface has; then INPUT decides, and nothing is forwarded."""
    local = Route(ip_network("8.8.8.8/32"), "lo", None, 0, "local", "local 8.8.8.8 dev lo", "local")
    way = Way(_host("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [1:60]\nCOMMIT\n", routes=(*ROUTES, local),
                    sysctls={"net.ipv4.ip_forward": "0"}), _syn())  # fmt: skip

    assert way.stopped(bridged=False) is None
    assert way.passed.text == "stopped by no rule, for the host itself"


CHAINS = """*raw
:PREROUTING ACCEPT [0:0]
[1:60] -A PREROUTING -d 172.17.0.9/32 ! -i docker0 -j DROP
[1:60] -A PREROUTING -d 172.17.0.8/32 ! -i docker0 -j DROP
[1:60] -A PREROUTING -d 172.17.0.9/32 -i wlan0 -p udp -j DROP
COMMIT
*filter
:FORWARD ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-USER - [0:0]
[9:540] -A FORWARD -j DOCKER-USER
[9:540] -A FORWARD -j DOCKER-ISOLATION-STAGE-1
[9:540] -A FORWARD -j DOCKER
[1:60] -A DOCKER-USER -p tcp -m tcp --dport 5 -j DROP
[1:60] -A DOCKER-ISOLATION-STAGE-1 -p tcp -m tcp --dport 6 -j DROP
[1:60] -A DOCKER -p tcp -m tcp --dport 7 -j DROP
[1:60] -A DOCKER -p tcp -m tcp --dport 8 -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""
WEB = Container("web", "bridge", None, (ip_address("172.17.0.9"),))


@pytest.mark.parametrize(
    ("packet", "check", "disposition", "proof"),
    [
        (
            {"dport": 5},
            "filtered-by-rule",
            Disposition.DROPPED,
            ("-A FORWARD -j DOCKER-USER", "-A DOCKER-USER -p tcp -m tcp --dport 5 -j DROP"),
        ),
        (
            {"dport": 6},
            "network-isolation",
            Disposition.DROPPED,
            ("-A FORWARD -j DOCKER-ISOLATION-STAGE-1", "-A DOCKER-ISOLATION-STAGE-1 -p tcp -m tcp --dport 6 -j DROP"),
        ),
        (
            {"dport": 7},
            "network-isolation",
            Disposition.DROPPED,
            ("-A FORWARD -j DOCKER", "-A DOCKER -p tcp -m tcp --dport 7 -j DROP"),
        ),
        (
            {"dport": 8},
            "filtered-by-rule",
            Disposition.REJECTED,
            (
                "-A FORWARD -j DOCKER",
                "-A DOCKER -p tcp -m tcp --dport 8 -j REJECT --reject-with icmp-port-unreachable",
            ),
        ),
        (
            {"iif": "wlan0", "dst": ip_address("172.17.0.9")},
            "network-isolation",
            Disposition.DROPPED,
            ("-A PREROUTING -d 172.17.0.9/32 ! -i docker0 -j DROP",),
        ),
        (
            {"iif": "wlan0", "dst": ip_address("172.17.0.8")},
            "filtered-by-rule",
            Disposition.DROPPED,
            ("-A PREROUTING -d 172.17.0.8/32 ! -i docker0 -j DROP",),
        ),
    ],
)
def test_a_rule_is_told_with_the_jump_that_led_to_it(
    packet: dict[str, object], check: str, disposition: Disposition, proof: tuple[str, ...]
) -> None:
    """What Docker made to keep networks apart is told as such: its chains, and what guards a container's address."""
    cause = _stop(_host(CHAINS, containers=(WEB,)), _syn(**packet))

    assert cause is not None
    assert (cause.check, cause.disposition) == (check, disposition)
    assert cause.proof == tuple(f"iptables-save.txt: {line}" for line in proof)
    assert cause.rule is not None
    assert cause.text == f"rule “{proof[-1]}” in {cause.rule.table}"


@pytest.mark.parametrize("rule", ["-d 172.17.0.9/32 -i docker0", "-d 172.17.0.9/32", "! -i wlan0", "-d 172.17.0.0/16"])
def test_other_rules_of_raw_keep_nobody_apart(rule: str) -> None:
    """Only one for a container's address, by all interfaces but one."""
    text = f"*raw\n:PREROUTING ACCEPT [0:0]\n[1:60] -A PREROUTING {rule} -j DROP\nCOMMIT\n"
    cause = _stop(_host(text, containers=(WEB,)), _syn(dst=ip_address("172.17.0.9")))

    assert cause is not None
    assert cause.check == "filtered-by-rule"


@pytest.mark.parametrize(
    ("table", "chain", "target"),
    [("mangle", "DOCKER", "DROP"), ("filter", "DOCKERS", "DROP"), ("filter", "DOCKER", "")],
)
def test_what_is_only_called_like_dockers_is_not_dockers(table: str, chain: str, target: str) -> None:
    """Its own rule drops, in chain DOCKER of table filter."""
    jump = f" -j {target}" if target else " -j REJECT"
    text = f"*{table}\n:FORWARD ACCEPT [0:0]\n:{chain} - [0:0]\n[1:60] -A FORWARD -j {chain}\n[1:60] -A {chain}{jump}\n"
    cause = _stop(_host(text), _syn())

    assert cause is not None
    assert cause.check == "filtered-by-rule"


def test_what_cannot_be_decided_is_told_with_its_rule() -> None:
    """The rule that asks what nobody knows."""
    rules = "*filter\n:FORWARD ACCEPT [0:0]\n[1:60] -A FORWARD -m statistic --mode random -j DROP\nCOMMIT\n"
    cause = _stop(_host(rules), _syn())

    assert cause is not None
    assert (cause.unknown, cause.check, cause.proof) == (True, "filtered-by-rule", ())
    assert cause.text.startswith("cannot tell whether")
    assert cause.rule is not None
    assert cause.rule.target == "DROP"


POLICY = "*filter\n:FORWARD DROP [{}]\nCOMMIT\n"


@pytest.mark.parametrize(
    ("version", "file"), [(4, "iptables-save.txt"), (6, "ip6tables-save.txt")], ids=["ipv4", "ipv6"]
)
def test_a_policy_is_told_with_its_chain(version: int, file: str) -> None:
    """The family's dump shows it."""
    packet = _syn(**SIX) if version == 6 else _syn()
    cause = _stop(_host(POLICY.format("3:180"), version=version, routes=(*ROUTES, *ROUTES6)), packet)

    assert cause is not None
    assert (cause.text, cause.policy, cause.rule) == ("policy DROP of filter FORWARD", ("filter", "FORWARD"), None)
    assert cause.proof == (f"{file}: filter FORWARD: policy drop",)


@pytest.mark.parametrize(
    ("before", "after", "past", "unknown"),
    [
        ("3:180", "3:180", False, True),
        ("3:180", "4:240", False, False),
        (None, "3:180", False, False),
        ("3:180", "3:180", True, False),
    ],
)
def test_a_policy_that_counted_nothing_stopped_nothing(
    before: str | None, after: str, past: bool, unknown: bool
) -> None:
    """If both dumps have its counter; of a past state it says nothing."""
    old = tuple(parse_tables(POLICY.format(before).splitlines(), 4)) if before else ()
    cause = _stop(_host(POLICY.format(after), tables_before=old), _syn(), past=past)

    assert cause is not None
    assert (cause.unknown, cause.check) == (unknown, "filtered-by-rule")
    assert (cause.text == "policy DROP of filter FORWARD would stop it, but that counted nothing meanwhile") == unknown


NATIVE = """{"nftables": [
    {"table": {"family": "ip", "name": "own"}},
    {"chain": {"family": "ip", "table": "own", "name": "fwd", "type": "filter", "hook": "forward", "prio": 0,
               "policy": "drop"}},
    {"rule": {"family": "ip", "table": "own", "chain": "fwd", "handle": 4, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 7}},
        {"counter": {"packets": 2, "bytes": 120}}, {"drop": null}]}}
]}"""


def test_nftables_own_rules_and_policies() -> None:
    """They are told with the dump that shows them, also where iptables has no rules at all."""
    host = replace(_host(), tables=tuple(parse_native(NATIVE)))
    rule, policy = _stop(host, _syn(7)), _stop(host, _syn(80))

    assert rule is not None
    assert [line.split(": ")[0] for line in rule.proof] == ["nft-ruleset.json"]
    assert policy is not None
    assert (policy.text, policy.policy) == ("policy DROP of ip own fwd", ("ip own", "fwd"))
    assert policy.proof == ("nft-ruleset.json: ip own fwd: policy drop",)


def test_the_evaluators_own_end_is_no_rules_doing() -> None:
    """A TTL that ends is told by the error that it makes, not by a rule."""
    assert _stop(_host("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"), _syn(ttl=1)) is None


@pytest.mark.parametrize(
    ("length", "protocol", "mtu", "stopped"),
    [
        (1500, 17, 1500, False),
        (1501, 17, 1500, True),
        (1501, 6, 1500, False),
        (1501, 17, None, False),
        (None, 17, 1500, False),
    ],
)
def test_what_is_longer_than_the_way_out_takes(
    length: int | None, protocol: int, mtu: int | None, stopped: bool
) -> None:
    """The MTU itself fits; what TCP shows may be split later."""
    links = (replace(LINKS[0], mtu=mtu), LINKS[1])
    cause = _stop(_host(links=links), _syn(protocol=protocol, length=length))

    assert (cause is not None) == stopped
    if cause is not None:
        assert (cause.check, cause.text) == ("mtu-exceeded", "longer than wlan0's MTU of 1500")
        assert cause.proof == ("ip-addr.json: wlan0 mtu 1500",)


@pytest.mark.parametrize(
    ("ip", "dev", "state", "to", "stopped"),
    [
        ("192.168.1.1", "wlan0", "FAILED", "8.8.8.8", True),
        ("192.168.1.1", "wlan0", "INCOMPLETE", "8.8.8.8", True),
        ("192.168.1.1", "wlan0", "STALE", "8.8.8.8", False),
        ("192.168.1.1", "docker0", "FAILED", "8.8.8.8", False),
        ("8.8.8.8", "wlan0", "FAILED", "8.8.8.8", False),
        ("172.17.0.3", "docker0", "FAILED", "172.17.0.3", True),
    ],
)
def test_a_next_hop_that_does_not_answer(ip: str, dev: str, state: str, to: str, stopped: bool) -> None:
    """The gateway, or the receiver itself where there is none, on the way out."""
    cause = _stop(_host(neighbours=(Neighbour(ip_address(ip), dev, None, state),)), _syn(dst=ip_address(to)))

    assert (cause is not None) == stopped
    if cause is not None:
        assert (cause.check, cause.text) == ("arp-unanswered", f"{ip} does not answer on {dev}")
        assert cause.proof == (f"ip-neigh.json: {ip} dev {dev} {state}",)


def test_rules_are_asked_before_the_way_out() -> None:
    """What a rule stops is not too long for the link; and nothing is known of a link that was not recorded."""
    rules = "*filter\n:FORWARD ACCEPT [0:0]\n[1:60] -A FORWARD -p udp -j DROP\nCOMMIT\n"
    long = _syn(protocol=17, length=9000)

    assert _text(_host(rules), long) == "rule “-A FORWARD -p udp -j DROP” in filter"
    assert _text(_host(links=LINKS[1:]), long) is None


@pytest.mark.parametrize(("before", "after", "went"), [(None, 4, None), (4, 4, 0), (3, 4, 1), (5, 4, None), (0, 4, 4)])
def test_how_far_a_counter_went(before: int | None, after: int, went: int | None) -> None:
    """None where it was not recorded before, or was set back."""
    text = "*filter\n:FORWARD ACCEPT [0:0]\n[{}:60] -A FORWARD -j DROP\nCOMMIT\n"
    old = tuple(parse_tables(text.format(before).splitlines(), 4)) if before is not None else ()
    host = _host(text.format(after), tables_before=old)
    (rule,) = host.rules()

    assert moved(host, rule) == went
    assert acquitted(host, rule) == (went == 0)


@pytest.mark.parametrize(
    ("packets", "others", "stood"), [(0, 9, True), (0, 0, False), (1, 9, False)], ids=["zero", "no counters", "counted"]
)
def test_a_rule_that_never_counted_stopped_nothing(packets: int, others: int, stood: bool) -> None:
    """If the dump has counters: without -c, iptables-save makes zeros of all."""
    text = f"*filter\n:FORWARD ACCEPT\n[{packets}:60] -A FORWARD -p tcp -j DROP\n[{others}:60] -A FORWARD -j DROP\n"
    host = _host(text)

    assert acquitted(host, next(iter(host.rules()))) == stood


def test_nftables_counters_are_there_or_not() -> None:
    """One that is there and never counted says so; a rule without any says nothing."""
    texts = [
        NATIVE.replace('"packets": 2', '"packets": 0'),
        NATIVE.replace('{"counter": {"packets": 2, "bytes": 120}}, ', ""),
    ]
    hosts = [replace(_host(), tables=tuple(parse_native(text))) for text in texts]

    assert [acquitted(host, next(iter(host.rules()))) for host in hosts] == [True, False]


@pytest.mark.parametrize(("policy", "text"), [("ACCEPT", None), ("DROP", "policy DROP of filter OUTPUT")])
def test_what_the_host_sends_needs_no_forwarding(policy: str, text: str | None) -> None:
    """Only OUTPUT and POSTROUTING decide."""
    rules = f"*filter\n:FORWARD DROP [1:60]\n:OUTPUT {policy} [1:60]\nCOMMIT\n"
    packet = _syn(src=ip_address("172.17.0.1"), dst=ip_address("172.17.0.2"), iif=ABSENT)
    cause = Way(_host(rules, sysctls={"net.ipv4.ip_forward": "0"}), packet).sent()

    assert (cause.text if cause else None) == text
