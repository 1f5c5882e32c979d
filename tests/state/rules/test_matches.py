"""Single options of rules, as ``iptables-save`` prints them: yes, no, or that nobody knows."""

from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model import Address
from analyzer.model.rules import Ruleset
from analyzer.state.rules.matches import matches
from analyzer.state.rules.packet import SOMEWHERE, Packet
from analyzer.state.rules.ruleset import parse_rule

SETS = {"good": frozenset(("172.17.0.0/24", "10.0.0.1")), "empty": frozenset[str]()}
SYN, ACK, RST = 0x02, 0x10, 0x04
V6 = {"src": ip_address("fd00::2"), "dst": ip_address("2001:db8::1")}
PING: dict[str, Any] = {"protocol": "icmp", "sport": None, "dport": None, "icmp_type": 8, "icmp_code": 0}
PING6: dict[str, Any] = {**PING, **V6, "protocol": "icmpv6", "icmp_type": 128}


def _owner(ip: Address) -> str:
    return {"172.17.0.2": "UNICAST", "8.8.8.8": "LOCAL"}[str(ip)]


def _answer(options: str, values: dict[str, Any]) -> bool | None:
    """Compare a rule's options with a packet."""
    given = {"protocol": "tcp", "src": ip_address("172.17.0.2"), "dst": ip_address("8.8.8.8"), "sport": 40_000,
             "dport": 80, **values}  # fmt: skip
    rule = parse_rule(f"-A FORWARD {options} -j DROP", "filter")
    return matches(rule.options, Packet(**given), _owner, Ruleset(4, sets=SETS))[0]


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
    ("-o eth0", {"oif": SOMEWHERE}, None),
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
    ("-p udp", {"protocol": "17"}, True),
    ("-p igmp", {"protocol": "2"}, True),
    ("-p gre", {"protocol": "47"}, True),
    ("-p esp", {"protocol": "50"}, True),
    ("-p sctp", {"protocol": "132"}, True),
    ("-p udplite", {"protocol": "136"}, True),
    ("-p dccp", {"protocol": "33"}, True),
    ("-p 89", {"protocol": "89"}, True),
    ("-p 89", {}, False),
    ("--dport 80", {}, True),
    ("--dport 40000", {}, False),
    ("--dport 80:90", {}, True),
    ("--dport 70:80", {}, True),
    ("--dport 70:79", {}, False),
    ("--dport 81:90", {}, False),
    ("--dport :80", {}, True),
    ("--dport :79", {}, False),
    ("--dport :79", {"dport": 0}, True),
    ("--dport 80:", {}, True),
    ("--dport 81:", {}, False),
    ("--dport 80:", {"dport": 65_535}, True),
    ("--dport 80", {"dport": None}, None),
    ("--sport 40000", {}, True),
    ("--sport 80", {}, False),
    ("--sport 40000", {"sport": None}, None),
    ("-m multiport --dports 22,80", {}, True),
    ("-m multiport --dports 22,70:90,443", {}, True),
    ("-m multiport --dports 22,443", {}, False),
    ("-m multiport --sports 22,40000", {}, True),
    ("-m multiport --sports 22,80", {}, False),
    ("-m multiport --ports 80", {}, True),
    ("-m multiport --ports 40000", {}, True),
    ("-m multiport --ports 22", {}, False),
    ("-m multiport --ports 80", {"sport": None}, None),
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
    ("-m conntrack --ctdir REPLY", {"ct_reply": True}, True),
    ("-m conntrack --ctdir REPLY", {"ct_reply": False}, False),
    ("-m conntrack --ctdir ORIGINAL", {"ct_reply": False}, True),
    ("-m conntrack --ctdir ORIGINAL", {"ct_reply": True}, False),
    ("-m conntrack --ctdir REPLY", {}, None),
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
    ("-m physdev --physdev-in veth1", {"physdev_in": "veth1"}, True),
    ("-m physdev --physdev-in veth+", {"physdev_in": "veth1"}, True),
    ("-m physdev --physdev-in veth1", {"physdev_out": "veth1"}, False),
    ("-m physdev --physdev-out veth1", {"physdev_out": "veth1"}, True),
    ("-m physdev --physdev-out veth1", {"physdev_in": "veth1"}, False),
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
    ("-m set --match-set good src", {}, True),
    ("-m set --match-set good dst", {}, False),
    ("-m set --match-set good dst", {"dst": ip_address("10.0.0.1")}, True),
    ("-m set --match-set empty src", {}, False),
    ("-m set --match-set lost src", {}, None),
    ("-m set --match-set good src,dst", {}, None),
    ("--dport what", {}, None),
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
    ("--icmp-type", _icmp, "echo-reply", 0, None),
    ("--icmp-type", _icmp, "destination-unreachable", 3, None),
    ("--icmp-type", _icmp, "network-unreachable", 3, 0),
    ("--icmp-type", _icmp, "host-unreachable", 3, 1),
    ("--icmp-type", _icmp, "port-unreachable", 3, 3),
    ("--icmp-type", _icmp, "fragmentation-needed", 3, 4),
    ("--icmp-type", _icmp, "redirect", 5, None),
    ("--icmp-type", _icmp, "echo-request", 8, None),
    ("--icmp-type", _icmp, "time-exceeded", 11, None),
    ("--icmp-type", _icmp, "13", 13, None),
    ("--icmp-type", _icmp, "3/4", 3, 4),
    ("--icmpv6-type", _icmp6, "destination-unreachable", 1, None),
    ("--icmpv6-type", _icmp6, "no-route", 1, 0),
    ("--icmpv6-type", _icmp6, "communication-prohibited", 1, 1),
    ("--icmpv6-type", _icmp6, "address-unreachable", 1, 3),
    ("--icmpv6-type", _icmp6, "port-unreachable", 1, 4),
    ("--icmpv6-type", _icmp6, "packet-too-big", 2, None),
    ("--icmpv6-type", _icmp6, "time-exceeded", 3, None),
    ("--icmpv6-type", _icmp6, "parameter-problem", 4, None),
    ("--icmpv6-type", _icmp6, "echo-request", 128, None),
    ("--icmpv6-type", _icmp6, "echo-reply", 129, None),
    ("--icmpv6-type", _icmp6, "router-solicitation", 133, None),
    ("--icmpv6-type", _icmp6, "router-advertisement", 134, None),
    ("--icmpv6-type", _icmp6, "neighbour-solicitation", 135, None),
    ("--icmpv6-type", _icmp6, "neighbor-solicitation", 135, None),
    ("--icmpv6-type", _icmp6, "neighbour-advertisement", 136, None),
    ("--icmpv6-type", _icmp6, "neighbor-advertisement", 136, None),
    ("--icmpv6-type", _icmp6, "redirect", 137, None),
    ("--icmpv6-type", _icmp6, "1/4", 1, 4),
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
        ("--icmp-type any", PING, True),
        ("--icmp-type any", {**PING, "icmp_type": None}, True),
        ("--icmp-type 8", {**PING, "icmp_type": None}, None),
        ("--icmp-type router-of-some-kind", PING, None),
        ("--icmp-type 8", {}, False),
        ("--icmp-type 128", PING6, False),
        ("--icmpv6-type 8", PING, False),
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


@pytest.mark.parametrize(
    ("options", "answer", "unknown"),
    [
        ("", True, None),
        ("-p tcp -m tcp --dport 80", True, None),
        ("-p tcp -m tcp --dport 81", False, None),
        ("-m a --a 1 -m b --b 1", None, "--a"),
        ("-p tcp -m a --a 1 -m tcp --dport 80", None, "--a"),
        ("-m a --a 1 -p udp", False, None),
        ("-p udp -m a --a 1", False, None),
    ],
)
def test_several_options(options: str, answer: bool | None, unknown: str | None) -> None:
    """All must match; the first unknown one is told, and none where another one says no."""
    rule = parse_rule(f"-A FORWARD {options} -j DROP", "filter")
    packet = Packet("tcp", ip_address("172.17.0.2"), ip_address("8.8.8.8"), 40_000, 80)
    found, option = matches(rule.options, packet, _owner, Ruleset(4))

    assert (found, option and option.name) == (answer, unknown)
