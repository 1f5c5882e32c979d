"""Single options of rules, as ``iptables-save`` prints them: yes, no, or that nobody knows."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import HostState, Link, Route
from analyzer.model.question import ABSENT, Absent, Answer, Both, Missing, Unknown
from analyzer.state.rules.iptables import parse_rule, parse_tables
from tests.state.rules.judge import DEFAULT, answer, syn

SYN, ACK, RST = 0x02, 0x10, 0x04
V6 = {"src": ip_address("fd00::2"), "dst": ip_address("2001:db8::1")}
PING: dict[str, Any] = {"protocol": 1, "sport": None, "dport": None, "icmp_type": 8, "icmp_code": 0}
PING6: dict[str, Any] = {**PING, **V6, "protocol": 58, "icmp_type": 128}
HOST = HostState(links=(Link(2, "eth0", None, None, None, (ip_address("8.8.8.8"),)),))


def _answer(options: str, values: dict[str, Any], host: HostState = HOST) -> bool | None:
    """Compare a rule's options with a packet; None for what nobody knows."""
    found = _told(options, values, host)
    return None if isinstance(found, Unknown) else found


def _told(options: str, values: dict[str, Any], host: HostState = HOST) -> Answer:
    given = {"tcp_flags": None, "ttl": None, "iif": ABSENT, **values}
    version6 = "src" in values and "::" in str(values["src"])
    (table,) = parse_tables(["*filter"], 6 if version6 else 4)
    rule = parse_rule(f"-A FORWARD {options} -j DROP", table)
    asked = [step for step in rule.steps if hasattr(step, "text")]
    return answer(Both(tuple(asked), ""), syn(**given), host=host)  # type: ignore[arg-type]


def _icmp(kind: int, code: int = 0) -> dict[str, Any]:
    return {**PING, "icmp_type": kind, "icmp_code": code}


def _icmp6(kind: int, code: int = 0) -> dict[str, Any]:
    return {**PING6, "icmp_type": kind, "icmp_code": code}


CASES: list[tuple[str, dict[str, Any], bool | None]] = [
    ("-s 172.17.0.2/32", {}, True),
    ("-s 172.17.0.0/16", {}, True),
    ("-s 172.17.0.9/16", {}, True),
    ("-s 8.8.8.8/32", {}, False),
    ("-s ::/0", {}, False),
    ("-s 0.0.0.0/0", V6, False),
    ("-s fd00::/64", V6, True),
    ("-d 8.8.8.8/32", {}, True),
    ("-d 172.17.0.2/32", {}, False),
    ("-i docker0", {"iif": "docker0"}, True),
    ("-i docker0", {"iif": "docker01"}, False),
    ("-i docker+", {"iif": "docker01"}, True),
    ("-i docker+", {"iif": "docker"}, True),
    ("-i docker+", {"iif": "dock"}, False),
    ("-i docker0", {"oif": "docker0"}, False),
    ("-i +", {}, True),
    ("-o eth0", {"oif": "eth0"}, True),
    ("-o eth0", {"iif": "eth0"}, False),
    ("-o eth0", {}, False),
    ("-o eth0", {"oif": None}, None),
    ("-p tcp", {}, True),
    ("-p 6", {}, True),
    ("-p udp", {}, False),
    ("-p all", {}, True),
    ("-p 0", {}, True),
    ("-p icmp", PING, True),
    ("-p 1", PING, True),
    ("-p ipv6-icmp", PING6, True),
    ("-p icmpv6", PING6, True),
    ("-p 58", PING6, True),
    ("-p icmp", PING6, False),
    ("-p udp", {"protocol": 17}, True),
    ("-p igmp", {"protocol": 2}, True),
    ("-p gre", {"protocol": 47}, True),
    ("-p esp", {"protocol": 50}, True),
    ("-p sctp", {"protocol": 132}, True),
    ("-p udplite", {"protocol": 136}, True),
    ("-p dccp", {"protocol": 33}, True),
    ("-p 89", {"protocol": 89}, True),
    ("-p ipencap", {"protocol": 4}, True),
    ("-p ospf", {"protocol": 89}, True),
    ("-p ah", {"protocol": 51}, True),
    ("-p whatever", {"protocol": 4}, None),
    ("-f", {"fragment": True}, True),
    ("-f", {}, False),
    ("-f", {"fragment": None}, None),
    ("-s 10.0.0.1/255.0.0.255", {"src": ip_address("10.9.9.1")}, True),
    ("-s 10.0.0.1/255.0.0.255", {"src": ip_address("10.9.9.2")}, False),
    ("-m dscp --dscp 0x2e", {"dscp": 46}, True),
    ("-m dscp --dscp-class EF", {"dscp": 46}, True),
    ("-m dscp --dscp-class EF", {"dscp": 0}, False),
    ("-m dscp --dscp-class EF", {}, None),
    ("-m conntrack --ctstatus ASSURED", {}, False),
    ("-m conntrack --ctstatus ASSURED", {"ct_state": "ESTABLISHED"}, None),
    ("-m conntrack --ctstatus SEEN_REPLY", {"ct_state": "ESTABLISHED"}, True),
    ("-m conntrack --ctstatus CONFIRMED,SEEN_REPLY", {"ct_state": "ESTABLISHED"}, True),
    ("-m conntrack --ctstatus EXPECTED", {}, None),
    ("-m conntrack --ctproto 6", {}, True),
    ("-m conntrack --ctproto 17", {}, False),
    ("-p 89", {}, False),
    ("-m tcp --dport 80", {}, True),
    ("-m tcp --dport 40000", {}, False),
    ("-m tcp --dport 80:90", {}, True),
    ("-m tcp --dport 70:80", {}, True),
    ("-m tcp --dport 70:79", {}, False),
    ("-m tcp --dport 81:90", {}, False),
    ("-m tcp --dport :80", {}, True),
    ("-m tcp --dport :79", {}, False),
    ("-m tcp --dport :79", {"dport": 0}, True),
    ("-m tcp --dport 80:", {}, True),
    ("-m tcp --dport 81:", {}, False),
    ("-m tcp --dport 80:", {"dport": 65_535}, True),
    ("-m tcp --dport 80", {"dport": None}, None),
    ("-m tcp --sport 40000", {}, True),
    ("-m tcp --sport 80", {}, False),
    ("-m tcp --sport 40000", {"sport": None}, None),
    ("-m multiport --dports 22,80", {}, True),
    ("-m multiport --dports 22,70:90,443", {}, True),
    ("-m multiport --dports 22,443", {}, False),
    ("-m multiport --sports 22,40000", {}, True),
    ("-m multiport --sports 22,80", {}, False),
    ("-m multiport --ports 80", {}, True),
    ("-m multiport --ports 40000", {}, True),
    ("-m multiport --ports 22", {}, False),
    ("-m multiport --ports 80", {"sport": None}, True),
    ("-m multiport --ports 81", {"sport": None}, None),
    ("-m conntrack --ctstate NEW", {}, True),
    ("-m conntrack --ctstate RELATED,ESTABLISHED", {}, False),
    ("-m conntrack --ctstate RELATED,ESTABLISHED", {"ct_state": "ESTABLISHED"}, True),
    ("-m conntrack --ctstate NEW", {"ct_state": None}, None),
    ("-m conntrack --ctstate DNAT", {"ct_dnat": True}, True),
    ("-m conntrack --ctstate DNAT", {"ct_snat": True}, False),
    ("-m conntrack --ctstate SNAT", {"ct_snat": True}, True),
    ("-m conntrack --ctstate SNAT", {"ct_dnat": True}, False),
    ("-m conntrack --ctstate NEW", {"ct_dnat": True, "ct_snat": True}, True),
    ("-m state --state NEW", {}, True),
    ("-m state --state ESTABLISHED", {}, False),
    ("-m conntrack --ctdir REPLY", {"ct_state": "ESTABLISHED", "ct_reply": True}, True),
    ("-m conntrack --ctdir REPLY", {"ct_state": "ESTABLISHED", "ct_reply": False}, False),
    ("-m conntrack --ctdir ORIGINAL", {"ct_state": "ESTABLISHED", "ct_reply": False}, True),
    ("-m conntrack --ctdir ORIGINAL", {"ct_state": "ESTABLISHED", "ct_reply": True}, False),
    ("-m conntrack --ctdir REPLY", {"ct_state": "ESTABLISHED"}, None),
    ("-m conntrack --ctdir REPLY", {}, False),
    ("-m conntrack --ctdir ORIGINAL", {}, True),
    ("-m addrtype --src-type UNICAST", {}, True),
    ("-m addrtype --src-type LOCAL", {}, False),
    ("-m addrtype --dst-type LOCAL", {}, True),
    ("-m addrtype --dst-type UNICAST", {}, False),
    ("-m addrtype --dst-type BROADCAST,LOCAL", {}, True),
    ("-m addrtype --src-type LOCAL,UNICAST", {}, True),
    ("-m mark --mark 0x1", {"mark": 1}, True),
    ("-m mark --mark 0x1", {"mark": 3}, False),
    ("-m mark --mark 0x1/0x1", {"mark": 3}, True),
    ("-m mark --mark 0x2/0x3", {"mark": 3}, False),
    ("-m mark --mark 16", {"mark": 16}, True),
    ("-m mark --mark 0x80000000", {"mark": 0x8000_0000}, True),
    ("-m connmark --mark 0x1", {"mark": 1}, None),
    ("-m comment --comment anything", {}, True),
    ("-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", {"tcp_flags": SYN}, True),
    ("-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", {"tcp_flags": SYN | ACK}, False),
    ("-m tcp --tcp-flags SYN,RST SYN", {"tcp_flags": SYN | ACK}, True),
    ("-m tcp --tcp-flags ACK,RST ACK,RST", {"tcp_flags": ACK | RST}, True),
    ("-m tcp --tcp-flags ALL NONE", {"tcp_flags": 0}, True),
    ("-m tcp --tcp-flags ALL NONE", {"tcp_flags": 0x20}, False),
    ("-m tcp --tcp-flags ALL ALL", {"tcp_flags": 0x3F}, True),
    ("-m tcp --tcp-flags ALL FIN", {"tcp_flags": 1}, True),
    ("-m tcp --tcp-flags ALL RST", {"tcp_flags": 4}, True),
    ("-m tcp --tcp-flags ALL PSH", {"tcp_flags": 8}, True),
    ("-m tcp --tcp-flags ALL ACK", {"tcp_flags": 16}, True),
    ("-m tcp --tcp-flags ALL URG", {"tcp_flags": 32}, True),
    ("-m tcp --tcp-flags SYN,CWR SYN", {"tcp_flags": SYN}, None),
    ("-m tcp --tcp-flags SYN SYN", {}, None),
    ("-m tcp --syn", {"tcp_flags": SYN}, True),
    ("-m tcp --syn", {"tcp_flags": SYN | ACK}, False),
    ("-m tcp --syn", {"tcp_flags": SYN | 0x08}, True),
    ("-m tcp --syn", {}, None),
    ("-m physdev --physdev-is-bridged", {"bridged": True}, True),
    ("-m physdev --physdev-is-bridged", {}, False),
    ("-m physdev --physdev-in veth1", {"port_in": "veth1"}, True),
    ("-m physdev --physdev-in veth+", {"port_in": "veth1"}, True),
    ("-m physdev --physdev-in veth1", {"port_in": "veth2"}, False),
    ("-m physdev --physdev-in veth1", {"port_in": ABSENT}, False),
    ("-m physdev --physdev-in veth1", {"port_out": "veth1"}, None),
    ("-m physdev --physdev-is-in", {"port_in": "veth1"}, True),
    ("-m physdev --physdev-is-in", {"port_in": ABSENT}, False),
    ("-m physdev --physdev-is-in", {}, None),
    ("-m physdev --physdev-is-out", {"port_out": "veth1"}, True),
    ("-m physdev --physdev-is-out", {"port_out": ABSENT}, False),
    ("-m physdev --physdev-out veth1", {"port_out": "veth1"}, True),
    ("-m physdev --physdev-out veth1", {"port_out": ABSENT}, False),
    ("-m physdev --physdev-out veth1", {"port_in": "veth1"}, None),
    ("-m length --length 1500", {"length": 1500}, True),
    ("-m length --length 100:1499", {"length": 1500}, False),
    ("-m length --length 1500:65535", {"length": 1500}, True),
    ("-m length --length 1500", {}, None),
    ("-m other --length 1500", {"length": 1500}, None),
    ("-m ttl --ttl-eq 64", {"ttl": 64}, True),
    ("-m ttl --ttl-eq 64", {"ttl": 63}, False),
    ("-m ttl --ttl-lt 64", {"ttl": 63}, True),
    ("-m ttl --ttl-lt 64", {"ttl": 64}, False),
    ("-m ttl --ttl-gt 64", {"ttl": 65}, True),
    ("-m ttl --ttl-gt 64", {"ttl": 64}, False),
    ("-m ttl --ttl-eq 64", {}, None),
    ("-m iprange --src-range 172.17.0.2-172.17.0.9", {}, True),
    ("-m iprange --src-range 172.17.0.1-172.17.0.2", {}, True),
    ("-m iprange --src-range 172.17.0.3-172.17.0.9", {}, False),
    ("-m iprange --src-range 172.17.0.0-172.17.0.1", {}, False),
    ("-m iprange --src-range 172.17.0.2", {}, True),
    ("-m iprange --src-range 172.17.0.1", {}, False),
    ("-m iprange --dst-range 8.8.8.0-8.8.8.255", {}, True),
    ("-m iprange --dst-range 172.17.0.0-172.17.0.255", {}, False),
    ("-m iprange --src-range ::-ffff::", {}, False),
    ("-m mac --mac-source 02:42:AC:11:00:02", {"src_mac": 0x0242AC110002}, True),
    ("-m mac --mac-source 02:42:ac:11:00:03", {"src_mac": 0x0242AC110002}, False),
    ("-m mac --mac-source 02:42:ac:11:00:02", {}, None),
    ("-m set --match-set lost src", {}, None),
    ("-m tcp --dport what", {}, None),
    ("-s nowhere", {}, None),
    ("-m mark --mark what", {}, None),
    ("-m owner --uid-owner 0", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("options", "values", "answer"), CASES, ids=str)
def test_one_option(options: str, values: dict[str, Any], answer: bool | None) -> None:
    """What each compares is what iptables-extensions(8) says; what the packet does not tell is unknown."""
    assert _answer(options, values) is answer


@pytest.mark.parametrize(("options", "values", "answer"), CASES, ids=str)
def test_the_contrary_of_one_option(options: str, values: dict[str, Any], answer: bool | None) -> None:
    """With ``!``, yes and no change places; unknown stays, and a comment is none to be negated."""
    words = options.split(" ")
    place = 2 if words[0] == "-m" else 0
    negated = " ".join((*words[:place], "!", *words[place:]))
    contrary = None if answer is None else not answer

    assert _answer(negated, values) is (True if "--comment" in options else contrary)


TYPES = [
    ("-m icmp --icmp-type", _icmp, "echo-reply", 0, None),
    ("-m icmp --icmp-type", _icmp, "destination-unreachable", 3, None),
    ("-m icmp --icmp-type", _icmp, "network-unreachable", 3, 0),
    ("-m icmp --icmp-type", _icmp, "host-unreachable", 3, 1),
    ("-m icmp --icmp-type", _icmp, "port-unreachable", 3, 3),
    ("-m icmp --icmp-type", _icmp, "fragmentation-needed", 3, 4),
    ("-m icmp --icmp-type", _icmp, "redirect", 5, None),
    ("-m icmp --icmp-type", _icmp, "echo-request", 8, None),
    ("-m icmp --icmp-type", _icmp, "time-exceeded", 11, None),
    ("-m icmp --icmp-type", _icmp, "13", 13, None),
    ("-m icmp --icmp-type", _icmp, "3/4", 3, 4),
    ("-m icmp6 --icmpv6-type", _icmp6, "destination-unreachable", 1, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "no-route", 1, 0),
    ("-m icmp6 --icmpv6-type", _icmp6, "communication-prohibited", 1, 1),
    ("-m icmp6 --icmpv6-type", _icmp6, "address-unreachable", 1, 3),
    ("-m icmp6 --icmpv6-type", _icmp6, "port-unreachable", 1, 4),
    ("-m icmp6 --icmpv6-type", _icmp6, "packet-too-big", 2, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "time-exceeded", 3, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "parameter-problem", 4, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "echo-request", 128, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "echo-reply", 129, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "router-solicitation", 133, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "router-advertisement", 134, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "neighbour-solicitation", 135, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "neighbor-solicitation", 135, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "neighbour-advertisement", 136, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "neighbor-advertisement", 136, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "redirect", 137, None),
    ("-m icmp6 --icmpv6-type", _icmp6, "1/4", 1, 4),
]


@pytest.mark.parametrize(("option", "packet", "name", "kind", "code"), TYPES, ids=str)
def test_icmp_types(option: str, packet: Any, name: str, kind: int, code: int | None) -> None:
    """A type alone matches with any code, a type with a code only both."""
    rule = f"{option} {name}"

    assert _answer(rule, packet(kind, 9 if code is None else code)) is True
    assert _answer(rule, packet(kind, 10 if code is None else code + 1)) is (code is None)
    assert _answer(rule, packet(kind + 1, code or 0)) is False


@pytest.mark.parametrize(
    ("options", "values", "answer"),
    [
        ("-m icmp --icmp-type any", PING, True),
        ("-m icmp --icmp-type any", {**PING, "icmp_type": None}, True),
        ("-m icmp --icmp-type 8", {**PING, "icmp_type": None}, None),
        ("-m icmp --icmp-type router-of-some-kind", PING, None),
        ("-m icmp --icmp-type 8", {}, False),
        ("-m icmp --icmp-type 128", PING6, False),
        ("-m icmp6 --icmpv6-type 8", PING, False),
    ],
)
def test_icmp_types_that_are_none(options: str, values: dict[str, Any], answer: bool | None) -> None:
    """Any type is one; a name that is not known is unknown; other protocols have no such type."""
    assert _answer(options, values) is answer


ORIGINAL = (ip_address("10.0.0.1"), ip_address("10.0.0.2"), 1111, 2222)


@pytest.mark.parametrize(
    ("option", "right", "wrong"),
    [
        ("--ctorigsrc", "10.0.0.1/32", "10.0.0.2/32"),
        ("--ctorigdst", "10.0.0.2/32", "10.0.0.1/32"),
        ("--ctorigsrcport", "1111", "2222"),
        ("--ctorigdstport", "2222", "1111"),
    ],
)
def test_the_original_tuple(option: str, right: str, wrong: str) -> None:
    """Compared is what the connection's first packet had, not what the packet has now."""
    known = {"ct_original": ORIGINAL}

    assert _answer(f"-m conntrack {option} {right}", known) is True
    assert _answer(f"-m conntrack {option} {wrong}", known) is False
    assert _answer(f"-m conntrack {option} {right}", {}) is None


ABSENT_ONES = [
    "-m tcp --dport 80", "-m multiport --ports 80", "-m tcp --syn", "-m icmp --icmp-type 8",
    "-m conntrack --ctorigdst 8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("options", ABSENT_ONES)
def test_what_a_packet_has_not(options: str) -> None:
    """A later fragment has no ports, an invalid packet no connection: the option does not match, negated or not."""
    words = options.split(" ", 2)
    values = {"fragment": True, "ct_state": "INVALID", "tcp_flags": 2}

    assert _answer(options, values) is False
    assert _answer(" ".join([*words[:2], "!", words[2]]), values) is False


@pytest.mark.parametrize(
    ("options", "text", "missing"),
    [
        ("-m a --a 1 -m b --b 1", "--a 1", Missing.MATCH),
        ("-p tcp -m a --a 1 -m tcp --dport 80", "--a 1", Missing.MATCH),
        ("-m limit --limit 1/sec --limit-burst 5", "--limit 1/sec", Missing.RATE),
        ("-m hashlimit --hashlimit-above 1/sec", "--hashlimit-above 1/sec", Missing.RATE),
        ("-m statistic --mode nth --every 2", "--mode nth", Missing.CHANCE),
        ("-m recent --rcheck --seconds 60", "--rcheck", Missing.HISTORY),
        ("-m connlimit --connlimit-above 3", "--connlimit-above 3", Missing.HISTORY),
        ("-m time --timestart 08:00:00", "--timestart 08:00:00", Missing.CLOCK),
        ("-m string --string x --algo bm", "--string x", Missing.PAYLOAD),
        ("-m u32 --u32 0=1", "--u32 0=1", Missing.PAYLOAD),
        ("-m owner ! --uid-owner 0", "! --uid-owner 0", Missing.SOCKET),
        ("-m bpf --bytecode 1,6", "--bytecode 1,6", Missing.PROGRAM),
        ("-m policy --dir in --pol ipsec", "--dir in", Missing.IPSEC),
        ("-m set --match-set lost src", "--match-set lost src", Missing.SET),
        ("-m conntrack --ctstate NEVER", "--ctstate NEVER", Missing.VALUE),
        ("-m rpfilter --loose", "--loose", Missing.MATCH),
    ],
)
def test_why_nobody_knows(options: str, text: str, missing: Missing) -> None:
    """The first option that cannot be answered, and what is missing to do so."""
    assert _told(options, {}) == Unknown(missing, text)


@pytest.mark.parametrize("options", ["-m a --a 1 -p udp", "-p udp -m a --a 1", "-p tcp -m tcp --dport 81 -m a --a 1"])
def test_all_must_match(options: str) -> None:
    """Where one says no, what the others cannot tell is of no matter."""
    assert _answer(options, {}) is False


@pytest.mark.parametrize(
    ("iif", "routes", "answer"),
    [
        ("docker0", ("docker0",), True), ("eth1", ("docker0",), False), ("eth1", ("docker0", "eth1"), True),
        ("docker0", (), None), (ABSENT, ("docker0",), None),
    ],
)  # fmt: skip
def test_the_way_back(iif: str | Absent, routes: tuple[str, ...], answer: bool | None) -> None:
    """By any way of the route to the source; without routes nobody knows."""
    hops = tuple((name, None) for name in routes)
    back = Route(ip_network("172.17.0.0/16"), routes[0], None, 0, "main", "", nexthops=hops) if routes else None
    host = replace(HOST, routes=(DEFAULT, back) if back is not None else ())

    assert _answer("-m rpfilter", {"iif": iif}, host) is answer
    assert _answer("-m rpfilter --validmark --invert", {"iif": iif}, host) is (None if answer is None else not answer)
