"""What matches of nftables ask: that a value nobody knows is neither yes nor no, and one that is absent is no."""

import json
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model import HostState, Link
from analyzer.model.question import ABSENT, Missing, Opaque, Unknown
from analyzer.model.rules import Table, Verdict
from analyzer.model.verdict import Account
from analyzer.state.path import Path
from analyzer.state.rules.names import PROTOCOLS
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.nft_questions import match
from tests.state.rules.judge import DEFAULT, answer, syn

SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}


def _match(left: object, op: str, right: object) -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


def _forwarded(*expr: dict[str, object], **values: Any) -> Account:
    """Forward a packet through one rule that drops what it matches; set ``good`` was recorded, ``lost`` was not."""
    of = {"family": "inet", "table": "own"}
    dump: list[dict[str, object]] = [
        {"table": {"family": "inet", "name": "own"}},
        {"set": {**of, "name": "good", "type": "ipv4_addr", "elem": ["172.17.0.2", "172.17.0.3"]}},
        {"chain": {**of, "name": "fwd", "hook": "forward", "type": "filter", "prio": 0, "policy": "accept"}},
        {"rule": {**of, "chain": "fwd", "expr": [*expr, {"drop": None}]}},
    ]
    native = parse_native(json.dumps({"nftables": dump}))
    return Path(HostState(tables=tuple(native), routes=(DEFAULT,))).received(_packet(values))


@pytest.mark.parametrize(
    ("op", "right", "verdict"),
    [
        ("==", "172.17.0.2", Verdict.DROP),
        ("==", "172.17.0.9", Verdict.ACCEPT),
        ("!=", "172.17.0.2", Verdict.ACCEPT),
        ("!=", "172.17.0.9", Verdict.DROP),
        ("==", "@good", Verdict.DROP),
        ("!=", "@good", Verdict.ACCEPT),
        ("==", "@lost", Verdict.UNKNOWN),
        ("!=", "@lost", Verdict.UNKNOWN),
        ("==", {"set": ["172.17.0.9", "@lost"]}, Verdict.UNKNOWN),
        ("!=", {"set": ["172.17.0.9", "@lost"]}, Verdict.UNKNOWN),
        ("==", {"set": ["172.17.0.2", "@lost"]}, Verdict.DROP),
        ("!=", {"set": ["172.17.0.2", "@lost"]}, Verdict.ACCEPT),
        ("==", "no address", Verdict.UNKNOWN),
        ("!=", "no address", Verdict.UNKNOWN),
    ],
    ids=str,
)
def test_what_is_not_known_stays_unknown_when_it_is_negated(op: str, right: object, verdict: Verdict) -> None:
    """A set that was not recorded may hold the address or not, so neither its rule nor the contrary decides."""
    result = _forwarded(_match(SADDR, op, right))

    assert result.verdict is verdict
    assert ("cannot tell whether" in result.text) is (verdict is Verdict.UNKNOWN)


@pytest.mark.parametrize("op", ["==", "!=", "<"])
def test_a_field_that_nobody_knows(op: str) -> None:
    """Of a fragment, the port is not known: no comparison holds or fails."""
    assert _forwarded(_match(DPORT, op, 80), dport=None).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("op", ["==", "!=", "<"])
def test_a_field_that_the_packet_has_not(op: str) -> None:
    """A rule that asks a UDP datagram for its TCP port does not match, negated or not."""
    assert _forwarded(_match(DPORT, op, 80), protocol="udp").verdict is Verdict.ACCEPT


def test_an_unknown_match_does_not_matter_behind_one_that_fails() -> None:
    """Matches are asked in order, as the kernel does."""
    udp = _match({"meta": {"key": "l4proto"}}, "==", "udp")

    assert _forwarded(udp, _match(SADDR, "!=", "@lost")).verdict is Verdict.ACCEPT


def _sets(**types_and_elements: tuple[Any, list[Any]]) -> Table:
    of = {"family": "inet", "table": "own"}
    dump: list[dict[str, Any]] = [{"table": {"family": "inet", "name": "own"}}]
    for name, (kind, elements) in types_and_elements.items():
        dump.append({"set": {**of, "name": name, "type": kind, "elem": elements}})
    return parse_native(json.dumps({"nftables": dump}))[0]


OWN = _sets(
    good=("ipv4_addr", ["172.17.0.2", "172.17.0.3"]),
    nets=("ipv4_addr", [{"prefix": {"addr": "172.17.0.0", "len": 24}}, {"range": ["10.0.0.1", "10.0.0.9"]}]),
    timed=("ipv4_addr", [{"elem": {"val": "172.17.0.2", "timeout": 30}}]),
    pairs=(["ipv4_addr", "inet_service"], [{"concat": ["172.17.0.2", 80]}]),
    wide=(
        ["ipv4_addr", "inet_service"],
        [{"concat": [{"prefix": {"addr": "172.17.0.0", "len": 16}}, {"range": [80, 90]}]}],
    ),
    names=("ifname", ["docker0", "br-*"]),
    protocols=("inet_proto", ["tcp", "icmp"]),
    states=("ct_state", ["new"]),
    kinds=({"typeof": {"payload": {"protocol": "icmp", "field": "type"}}}, ["echo-request"]),
    macs=("ether_addr", ["02:42:ac:11:00:02"]),
    marks=("mark", [5]),
)
SYN, ACK = 0x02, 0x10
DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
SPORT = {"payload": {"protocol": "tcp", "field": "sport"}}
TCP_FLAGS = {"payload": {"protocol": "tcp", "field": "flags"}}
MARK = {"meta": {"key": "mark"}}
V6 = {"src": ip_address("fd00::2"), "dst": ip_address("2001:db8::1")}
ANSWERS = (ip_address("10.0.0.2"), ip_address("10.0.0.1"), 2222, 1111)
ORIGINAL = (ip_address("10.0.0.1"), ip_address("10.0.0.2"), 1111, 2222)
ICMP = {"protocol": "icmp", "sport": None, "dport": None}
ICMP6 = {**ICMP, **V6, "protocol": "icmpv6"}


def _payload(protocol: str, field: str) -> dict[str, object]:
    return {"payload": {"protocol": protocol, "field": field}}


def _meta(key: str) -> dict[str, object]:
    return {"meta": {"key": key}}


def _ct(key: str) -> dict[str, object]:
    return {"ct": {"key": key}}


def _fib(flags: object, result: str = "type") -> dict[str, object]:
    return {"fib": {"result": result, "flags": flags}}


HOST = HostState(links=(Link(2, "eth0", None, None, None, (ip_address("8.8.8.8"),)),))


def _packet(values: dict[str, Any]) -> Any:
    given = {"tcp_flags": None, "ttl": None, "iif": ABSENT, **values}
    return syn(**{**given, "protocol": PROTOCOLS[given.get("protocol", "tcp")]})


def _holds(left: object, op: str, right: object, values: dict[str, Any]) -> bool | None:
    question = match({"left": left, "op": op, "right": right})
    found = answer(question, _packet(values), OWN.sets, HOST)
    return None if isinstance(found, Unknown) else found


FIELDS: list[tuple[object, object, dict[str, Any], bool | None]] = [
    (_meta("iifname"), "docker0", {"iif": "docker0"}, True),
    (_meta("iifname"), "docker0", {"oif": "docker0"}, False),
    (_meta("iifname"), "", {}, True),
    (_meta("iif"), "docker0", {"iif": "docker0"}, True),
    (_meta("iif"), "", {}, True),
    (_meta("iifname"), "docker*", {"iif": "docker01"}, True),
    (_meta("iifname"), "docker*", {"iif": "dock"}, False),
    (_meta("iifname"), {"set": ["lo", "docker0"]}, {"iif": "docker0"}, True),
    (_meta("oifname"), "eth0", {"oif": "eth0"}, True),
    (_meta("oifname"), "eth0", {"iif": "eth0"}, False),
    (_meta("oifname"), "", {}, True),
    (_meta("oif"), "eth0", {"oif": "eth0"}, True),
    (_meta("oif"), "", {}, True),
    (_meta("oifname"), "eth0", {"oif": None}, None),
    (_meta("oif"), "eth0", {"oif": None}, None),
    (_meta("l4proto"), "tcp", {}, True),
    (_meta("l4proto"), "udp", {}, False),
    (_meta("l4proto"), 6, {}, True),
    (_meta("l4proto"), 17, {"protocol": "udp"}, True),
    (_meta("l4proto"), 1, ICMP, True),
    (_meta("l4proto"), 58, ICMP6, True),
    (_meta("l4proto"), 132, {"protocol": "sctp"}, True),
    (_meta("l4proto"), 136, {"protocol": "udplite"}, True),
    (_meta("l4proto"), 33, {"protocol": "dccp"}, True),
    (_meta("l4proto"), "ipv6-icmp", ICMP6, True),
    (_meta("l4proto"), "icmpv6", ICMP6, True),
    (_meta("l4proto"), "icmp", ICMP6, False),
    (_meta("mark"), 7, {"mark": 7}, True),
    (_meta("mark"), 7, {}, False),
    (_meta("nfproto"), "ipv4", {}, True),
    (_meta("nfproto"), "ipv6", V6, True),
    (_meta("nfproto"), "ipv6", {}, False),
    (_meta("protocol"), "ip", {}, True),
    (_meta("protocol"), "ip6", V6, True),
    (_meta("length"), 1500, {"length": 1500}, True),
    (_meta("length"), 1500, {}, None),
    (_meta("skuid"), 0, {}, None),
    (_payload("ip", "saddr"), "172.17.0.2", {}, True),
    (_payload("ip", "daddr"), "8.8.8.8", {}, True),
    (_payload("ip", "protocol"), "tcp", {}, True),
    (_payload("ip", "ttl"), 64, {"ttl": 64}, True),
    (_payload("ip", "ttl"), 64, {}, None),
    (_payload("ip", "length"), 1500, {"length": 1500}, True),
    (_payload("ip", "length"), 1500, {}, None),
    (_payload("ip", "id"), 1, {}, None),
    (_payload("ip", "saddr"), "fd00::2", V6, False),
    (_payload("ip6", "saddr"), "fd00::2", V6, True),
    (_payload("ip6", "daddr"), "2001:db8::1", V6, True),
    (_payload("ip6", "nexthdr"), "tcp", V6, True),
    (_payload("ip6", "hoplimit"), 64, {**V6, "ttl": 64}, True),
    (_payload("ip6", "length"), 1460, {**V6, "length": 1500}, True),
    (_payload("ip6", "length"), 1460, V6, None),
    (_payload("ip6", "saddr"), "172.17.0.2", {}, False),
    (_payload("tcp", "dport"), 80, {}, True),
    (_payload("tcp", "dport"), 40_000, {}, False),
    (_payload("tcp", "sport"), 40_000, {}, True),
    (_payload("th", "dport"), 80, {}, True),
    (_payload("th", "sport"), 40_000, {"protocol": "udp"}, True),
    (_payload("th", "dport"), 80, {"dport": None}, None),
    (_payload("th", "dport"), 80, ICMP, None),
    (_payload("th", "dport"), 80, ICMP6, None),
    (_payload("udp", "dport"), 80, {}, False),
    (_payload("udp", "dport"), 80, {"protocol": "udp"}, True),
    (_payload("tcp", "dport"), "http", {}, None),
    (_payload("tcp", "sequence"), 1, {}, None),
    (_payload("sctp", "dport"), 80, {}, False),
    (_payload("udplite", "dport"), 80, {}, False),
    (_payload("dccp", "dport"), 80, {}, False),
    (_payload("icmp", "type"), "echo-request", {}, False),
    (_payload("icmpv6", "type"), "echo-request", {}, False),
    (_payload("vlan", "id"), 1, {}, None),
    (_payload("ether", "saddr"), "02:42:ac:11:00:02", {"src_mac": 0x0242AC110002}, True),
    (_payload("ether", "saddr"), "02:42:ac:11:00:03", {"src_mac": 0x0242AC110002}, False),
    (_payload("ether", "saddr"), "02:42:ac:11:00:02", {}, None),
    (_payload("ether", "daddr"), "02:42:ac:11:00:02", {"src_mac": 0x0242AC110002}, None),
    (_payload("icmp", "type"), 8, {**ICMP, "icmp_type": 8}, True),
    (_payload("icmp", "type"), 8, {**ICMP, "icmp_type": 0}, False),
    (_payload("icmp", "type"), 8, ICMP, None),
    (_payload("icmp", "code"), 1, {**ICMP, "icmp_type": 3, "icmp_code": 1}, True),
    (_payload("icmp", "code"), 3, {**ICMP, "icmp_type": 3, "icmp_code": 1}, False),
    (_payload("icmp", "type"), "no-such-type", {**ICMP, "icmp_type": 8}, None),
    (_ct("state"), "new", {}, True),
    (_ct("state"), ["established", "related"], {}, False),
    (_ct("state"), ["established", "related"], {"ct_state": "RELATED"}, True),
    (_ct("state"), {"set": ["established", "related"]}, {"ct_state": "RELATED"}, True),
    (_ct("state"), "new", {"ct_state": None}, None),
    (_ct("direction"), "reply", {"ct_state": "ESTABLISHED", "ct_reply": True}, True),
    (_ct("direction"), "original", {"ct_state": "ESTABLISHED", "ct_reply": False}, True),
    (_ct("direction"), "original", {"ct_state": "ESTABLISHED", "ct_reply": True}, False),
    (_ct("direction"), "reply", {"ct_state": "ESTABLISHED"}, None),
    (_ct("direction"), "original", {}, True),
    (_ct("saddr"), "10.0.0.1", {"ct_original": ORIGINAL}, True),
    (_ct("daddr"), "10.0.0.2", {"ct_original": ORIGINAL}, True),
    (_ct("proto-src"), 1111, {"ct_original": ORIGINAL}, True),
    (_ct("proto-dst"), 2222, {"ct_original": ORIGINAL}, True),
    (_ct("proto-dst"), 80, {"ct_original": ORIGINAL}, False),
    (_ct("proto-dst"), 2222, {}, None),
    (_ct("status"), "dnat", {"ct_dnat": True}, None),
    (_ct("mark"), 1, {"mark": 1}, None),
    (_fib("daddr"), "local", {}, True),
    (_fib(["daddr"]), "local", {}, True),
    (_fib("saddr"), "unicast", {}, True),
    (_fib("saddr"), "local", {}, False),
    (_fib(["saddr", "iif"]), "unicast", {}, None),
    (_fib(["saddr", "iif"], "oif"), False, {}, None),
    (_fib("iif"), "unicast", {}, None),
    (_fib(None), "unicast", {}, None),
    (_fib("daddr", "oif"), "local", {}, None),
    ({"numgen": {"mode": "random", "mod": 2}}, 0, {}, None),
    ("a word", "a word", {}, None),
]


@pytest.mark.parametrize(("left", "right", "values", "answer"), FIELDS, ids=str)
def test_fields(left: object, right: object, values: dict[str, Any], answer: bool | None) -> None:
    """What each expression is of a packet; of one that has no such field, every comparison fails."""
    assert _holds(left, "==", right, values) is answer


STATUS = _ct("status")
ESTABLISHED = {"ct_state": "ESTABLISHED"}
VALUES: list[tuple[object, str, object, dict[str, Any], bool | None]] = [
    (SADDR, "in", "172.17.0.2", {}, True),
    (STATUS, "in", "dnat", {"ct_dnat": True}, True),
    (STATUS, "in", "dnat", {"ct_snat": True}, False),
    (STATUS, "in", "snat", {"ct_snat": True}, True),
    (STATUS, "in", ["snat", "dnat"], {"ct_dnat": True}, True),
    (STATUS, "in", "confirmed", ESTABLISHED, True),
    (STATUS, "in", "confirmed", {}, None),
    (STATUS, "in", "assured", ESTABLISHED, None),
    (STATUS, "in", "assured", {}, False),
    (STATUS, "in", "seen-reply", ESTABLISHED, True),
    (STATUS, "in", "dying", {}, None),
    (STATUS, "in", "dnat", {"ct_state": "UNTRACKED"}, False),
    (_ct("mark"), "==", 1, {"ct_mark": 1}, True),
    (TCP_FLAGS, "in", "syn", {"tcp_flags": SYN | ACK}, True),
    (TCP_FLAGS, "in", "syn", {"tcp_flags": ACK}, False),
    (TCP_FLAGS, "in", ["syn", "fin"], {"tcp_flags": SYN | ACK}, True),
    (TCP_FLAGS, "==", "syn", {"tcp_flags": SYN | ACK}, False),
    (TCP_FLAGS, "!=", "syn", {"tcp_flags": SYN | ACK}, True),
    (TCP_FLAGS, "!=", "syn", {"tcp_flags": SYN}, False),
    (TCP_FLAGS, "==", {"set": ["syn", {"|": ["syn", "ack"]}]}, {"tcp_flags": SYN | ACK}, True),
    (TCP_FLAGS, "==", {"set": ["syn", {"|": ["syn", "ack"]}]}, {"tcp_flags": ACK}, False),
    (_meta("iifname"), "==", "@names", {"iif": "br-1"}, True),
    (_meta("iifname"), "==", "@names", {"iif": "docker1"}, False),
    (_meta("l4proto"), "==", "@protocols", {}, True),
    (_meta("l4proto"), "==", "@protocols", {"protocol": "udp"}, False),
    (_ct("state"), "==", "@states", {}, True),
    (_payload("icmp", "type"), "==", "@kinds", {**ICMP, "icmp_type": 8}, True),
    (_payload("icmp", "type"), "==", "@kinds", {**ICMP, "icmp_type": 0}, False),
    (_payload("ether", "saddr"), "==", "@macs", {"src_mac": 0x0242AC110002}, True),
    (_meta("mark"), "==", "@marks", {"mark": 5}, True),
    ({"concat": [SADDR, DPORT]}, "==", "@wide", {}, True),
    ({"concat": [SADDR, DPORT]}, "==", "@wide", {"dport": 91}, False),
    ({"concat": [SADDR, DPORT]}, "==", "@wide", {"dport": None}, None),
    ({"concat": [DADDR, DPORT]}, "==", "@wide", {"dport": None}, False),
    (_payload("ether", "type"), "==", "ip", {}, True),
    (_payload("ether", "type"), "==", "arp", {}, False),
    (_payload("ip", "dscp"), "==", "cs1", {"dscp": 8}, True),
    (_payload("ip", "dscp"), "==", "cs1", {}, None),
    ({"^": [MARK, 1]}, "==", 2, {"mark": 3}, True),
    ({"|": [{"&": [MARK, 0xF0]}, 1]}, "==", 0x31, {"mark": 0x3F}, True),
    ({"&": [MARK, 1]}, "==", 1, {"mark": None}, None),
    ({"&": [MARK, 0]}, "==", 0, {"mark": None}, True),
    ({"&": [SADDR, "255.255.255.0"]}, "==", "172.17.0.0", {}, True),
    ({"ct": {"key": "ip saddr", "dir": "reply"}}, "==", "10.0.0.2", {"ct_answers": ANSWERS}, True),
    ({"ct": {"key": "ip saddr", "dir": "reply"}}, "==", "10.0.0.2", {"ct_original": ORIGINAL}, None),
    ({"ct": {"key": "proto-dst", "dir": "reply"}}, "==", 1111, {"ct_answers": ANSWERS}, True),
    ({"ct": {"key": "ip6 saddr", "dir": "original"}}, "==", "fd00::1", {}, False),
    ({"ct": {"key": "saddr", "dir": "sideways"}}, "==", "10.0.0.2", {"ct_original": ORIGINAL}, None),
    (SADDR, "==", {"prefix": {"addr": "172.17.0.0", "len": 24}}, {}, True),
    (SADDR, "==", {"prefix": {"addr": "172.17.1.0", "len": 24}}, {}, False),
    (SADDR, "==", {"prefix": {"addr": "172.17.0.9", "len": 24}}, {}, True),
    (SADDR, "==", {"prefix": {"addr": "::", "len": 0}}, {}, False),
    (SADDR, "!=", {"prefix": {"addr": "172.17.1.0", "len": 24}}, {}, True),
    (SADDR, "==", {"range": ["172.17.0.2", "172.17.0.9"]}, {}, True),
    (SADDR, "==", {"range": ["172.17.0.1", "172.17.0.2"]}, {}, True),
    (SADDR, "==", {"range": ["172.17.0.3", "172.17.0.9"]}, {}, False),
    (SADDR, "==", {"range": ["172.17.0.0", "172.17.0.1"]}, {}, False),
    (SADDR, "==", {"range": ["::", "ffff::"]}, {}, False),
    (SADDR, "==", "@nets", {}, True),
    (DADDR, "==", "@nets", {}, False),
    (DADDR, "==", "@nets", {"dst": ip_address("10.0.0.9")}, True),
    (SADDR, "==", "@timed", {}, True),
    (DADDR, "==", "@timed", {}, False),
    (SADDR, "==", ["172.17.0.9", "172.17.0.2"], {}, True),
    (SADDR, "==", {"set": []}, {}, False),
    (SADDR, "==", {"what": 1}, {}, None),
    (SADDR, "<", "172.17.0.9", {}, True),
    (DPORT, "==", {"range": [80, 90]}, {}, True),
    (DPORT, "==", {"range": [70, 80]}, {}, True),
    (DPORT, "==", {"range": [70, 79]}, {}, False),
    (DPORT, "==", {"range": [81, 90]}, {}, False),
    (DPORT, "==", {"prefix": {"addr": "10.0.0.0", "len": 8}}, {}, None),
    (DPORT, "==", {"set": [22, {"range": [80, 90]}]}, {}, True),
    (DPORT, "==", {"set": [22, 443]}, {}, False),
    (DPORT, "<", 80, {}, False),
    (DPORT, "<", 81, {}, True),
    (DPORT, ">", 80, {}, False),
    (DPORT, ">", 79, {}, True),
    (DPORT, "<=", 80, {}, True),
    (DPORT, "<=", 79, {}, False),
    (DPORT, ">=", 80, {}, True),
    (DPORT, ">=", 81, {}, False),
    (DPORT, "like", 80, {}, None),
    (DPORT, "<", "80", {}, False),
    (_meta("l4proto"), "==", {"range": ["tcp", "udp"]}, {}, True),
    (_meta("l4proto"), "==", {"prefix": {"addr": "10.0.0.0", "len": 8}}, {}, None),
    ({"concat": [SADDR, DPORT]}, "==", {"concat": ["172.17.0.2", 80]}, {}, True),
    ({"concat": [SADDR, DPORT]}, "==", {"concat": ["172.17.0.2", 81]}, {}, False),
    ({"concat": [_fib("daddr"), DPORT]}, "==", {"concat": ["local", 80]}, {}, True),
    ({"concat": [SADDR, DPORT]}, "==", {"concat": ["172.17.0.9", "@lost"]}, {}, False),
    ({"concat": [SADDR, DPORT]}, "==", {"concat": ["172.17.0.2", "@lost"]}, {}, None),
    ({"concat": [SADDR, DPORT]}, "==", "@pairs", {}, True),
    ({"concat": [DADDR, DPORT]}, "==", "@pairs", {}, False),
    ({"concat": [SADDR, DPORT]}, "==", "@pairs", {"dport": None}, None),
    ({"concat": [SADDR, DPORT]}, "==", "@pairs", {"protocol": "udp"}, False),
    ({"concat": [SADDR, DPORT]}, "!=", "@pairs", {"protocol": "udp"}, False),
    (SADDR, "==", {"concat": ["172.17.0.2", 80]}, {}, None),
    ({"&": [TCP_FLAGS, {"|": ["fin", "syn"]}]}, "==", "syn", {"tcp_flags": SYN}, True),
    ({"&": [TCP_FLAGS, {"|": ["syn", "ack"]}]}, "==", "syn", {"tcp_flags": SYN | ACK}, False),
    ({"&": [TCP_FLAGS, {"|": ["syn", "ack"]}]}, "!=", "syn", {"tcp_flags": SYN | ACK}, True),
    ({"&": [TCP_FLAGS, {"|": ["syn", "ack"]}]}, "!=", "syn", {"tcp_flags": SYN}, False),
    ({"&": [TCP_FLAGS, ["syn", "ack"]]}, "==", {"|": ["syn", "ack"]}, {"tcp_flags": SYN | ACK}, True),
    ({"&": [TCP_FLAGS, {"|": [{"|": ["fin", "syn"]}, "rst"]}]}, "==", "syn", {"tcp_flags": SYN | ACK}, True),
    ({"&": [TCP_FLAGS, {"|": [{"|": ["fin", "syn"]}, "rst"]}]}, "==", "syn", {"tcp_flags": SYN | 4}, False),
    ({"&": [TCP_FLAGS, "fin"]}, "==", 1, {"tcp_flags": 1}, True),
    ({"&": [TCP_FLAGS, "psh"]}, "==", 8, {"tcp_flags": 8}, True),
    ({"&": [TCP_FLAGS, "urg"]}, "==", 32, {"tcp_flags": 32}, True),
    ({"&": [TCP_FLAGS, "rst"]}, "==", 4, {"tcp_flags": 4}, True),
    ({"&": [TCP_FLAGS, "ack"]}, "==", 16, {"tcp_flags": 16}, True),
    ({"&": [TCP_FLAGS, {"|": ["syn", "ecn"]}]}, "==", "syn", {"tcp_flags": SYN}, True),
    ({"&": [TCP_FLAGS, "syn"]}, "==", "ecn", {"tcp_flags": SYN}, False),
    ({"&": [TCP_FLAGS, {"what": []}]}, "==", "syn", {"tcp_flags": SYN}, None),
    ({"&": [TCP_FLAGS, "syn"]}, "==", "syn", {}, None),
    ({"&": [TCP_FLAGS, "syn"]}, "==", "syn", {"protocol": "udp", "tcp_flags": SYN}, False),
    ({"&": [MARK, 1]}, "==", 1, {"mark": 3}, True),
    ({"&": [MARK, 3]}, "==", 1, {"mark": 3}, False),
    ({"&": [MARK, 3]}, "!=", 1, {"mark": 3}, True),
    ({"&": [MARK, 4]}, "==", 0, {"mark": 3}, True),
    ({"&": [DPORT, 1]}, "==", 0, {}, True),
    ({"&": [MARK, 255]}, "!=", 5, {"mark": 3}, True),
    ({"&": [MARK, 255]}, ">", 5, {"mark": 3}, False),
    ({"ct": {"key": "proto-dst", "dir": "reply"}}, "==", 53, {}, None),
    (_payload("icmp", "type"), "<", 9, {**ICMP, "icmp_type": 8}, True),
]


@pytest.mark.parametrize(("left", "op", "right", "values", "answer"), VALUES, ids=str)
def test_values(left: object, op: str, right: object, values: dict[str, Any], answer: bool | None) -> None:
    """Equal, inside a prefix, a range or a set, or as many bits; what cannot be compared is unknown."""
    assert _holds(left, op, right, values) is answer


def test_a_comparison_without_an_operator() -> None:
    """It asks whether both are equal, with a mask too."""
    masked = match({"left": {"&": [MARK, 1]}, "right": 1})

    assert answer(match({"left": SADDR, "right": "172.17.0.2"}), _packet({})) is True
    assert answer(match({"left": SADDR, "right": "172.17.0.9"}), _packet({})) is False
    assert answer(masked, _packet({"mark": 1})) is True
    assert answer(masked, _packet({"mark": 2})) is False


ICMP_NAMES: list[tuple[str, str, str, int]] = [
    *(("icmp", "type", name, number) for name, number in (
        ("echo-reply", 0), ("destination-unreachable", 3), ("source-quench", 4), ("redirect", 5), ("echo-request", 8),
        ("router-advertisement", 9), ("router-solicitation", 10), ("time-exceeded", 11), ("parameter-problem", 12),
        ("timestamp-request", 13), ("timestamp-reply", 14), ("info-request", 15), ("info-reply", 16),
        ("address-mask-request", 17), ("address-mask-reply", 18),
    )),
    *(("icmp", "code", name, number) for name, number in (
        ("net-unreachable", 0), ("host-unreachable", 1), ("prot-unreachable", 2), ("port-unreachable", 3),
        ("frag-needed", 4), ("net-prohibited", 9), ("host-prohibited", 10), ("admin-prohibited", 13),
    )),
    *(("icmpv6", "type", name, number) for name, number in (
        ("destination-unreachable", 1), ("packet-too-big", 2), ("time-exceeded", 3), ("parameter-problem", 4),
        ("echo-request", 128), ("echo-reply", 129), ("mld-listener-query", 130), ("mld-listener-report", 131),
        ("mld-listener-done", 132), ("mld-listener-reduction", 132), ("nd-router-solicit", 133),
        ("nd-router-advert", 134), ("nd-neighbor-solicit", 135), ("nd-neighbor-advert", 136), ("nd-redirect", 137),
        ("router-renumbering", 138), ("ind-neighbor-solicit", 141), ("ind-neighbor-advert", 142),
        ("mld2-listener-report", 143),
    )),
    *(("icmpv6", "code", name, number) for name, number in (
        ("no-route", 0), ("admin-prohibited", 1), ("addr-unreachable", 3), ("port-unreachable", 4),
        ("policy-fail", 5), ("reject-route", 6),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("protocol", "field", "name", "number"), ICMP_NAMES)
def test_names_of_icmp_numbers(protocol: str, field: str, name: str, number: int) -> None:
    """A name stands for its number in its own protocol and field."""
    base = ICMP if protocol == "icmp" else ICMP6
    key = f"icmp_{field}"
    left = _payload(protocol, field)

    assert _holds(left, "==", name, {**base, key: number}) is True
    assert _holds(left, "==", name, {**base, key: number + 1}) is False


@pytest.mark.parametrize(
    ("left", "missing"),
    [
        (_meta("skuid"), Missing.SOCKET), (_meta("cpu"), Missing.CHANCE), (_meta("hour"), Missing.CLOCK),
        (_meta("ipsec"), Missing.IPSEC), (_meta("pkttype"), Missing.FIELD), (_meta("novel"), Missing.MATCH),
        ({"numgen": {"mode": "random", "mod": 2}}, Missing.CHANCE), ({"jhash": {"mod": 2}}, Missing.CHANCE),
        ({"socket": {"key": "mark"}}, Missing.SOCKET), ({"rt": {"key": "nexthop"}}, Missing.MATCH),
        (_payload("tcp", "sequence"), Missing.PAYLOAD), ({"tcp option": {"name": "maxseg"}}, Missing.PAYLOAD),
        ({"ct": {"key": "zone"}}, Missing.ZONE), ({"ct": {"key": "label"}}, Missing.MATCH),
    ],
    ids=str,
)  # fmt: skip
def test_why_nobody_knows(left: dict[str, Any], missing: Missing) -> None:
    """What is missing to evaluate an expression."""
    question = match({"left": left, "op": "==", "right": 1})

    assert isinstance(question, Opaque)
    assert question.missing is missing
