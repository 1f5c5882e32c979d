"""nftables' own rules: what they decide, and that a value nobody knows is neither yes nor no."""

import json
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model import Address
from analyzer.model.rules import NativeTable, Rule, Ruleset
from analyzer.state.rules import nft
from analyzer.state.rules.evaluate import Evaluator, Result, Verdict
from analyzer.state.rules.nft import base_chains, holds, parse_native, verdict_of
from analyzer.state.rules.packet import SOMEWHERE, Packet

SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}


def _match(left: object, op: str, right: object) -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


def _forwarded(*expr: dict[str, object], **values: Any) -> Result:
    """Forward a packet through one rule that drops what it matches; set ``good`` was recorded, ``lost`` was not."""
    of = {"family": "inet", "table": "own"}
    dump: list[dict[str, object]] = [
        {"table": {"family": "inet", "name": "own"}},
        {"set": {**of, "name": "good", "type": "ipv4_addr", "elem": ["172.17.0.2", "172.17.0.3"]}},
        {"chain": {**of, "name": "fwd", "hook": "forward", "type": "filter", "prio": 0, "policy": "accept"}},
        {"rule": {**of, "chain": "fwd", "expr": [*expr, {"drop": None}]}},
    ]
    given = {"protocol": "tcp", "sport": 40_000, "dport": 80, "ttl": 64, "iif": "docker0", **values}
    packet = Packet(src=ip_address("172.17.0.2"), dst=ip_address("8.8.8.8"), **given)
    native = parse_native(json.dumps({"nftables": dump}))
    return Evaluator(Ruleset(4), lambda ip: "UNICAST", lambda packet: "wlan0", native).received(packet)


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
    assert ("cannot tell whether" in result.reason) is (verdict is Verdict.UNKNOWN)


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


OWN = NativeTable(
    "inet",
    "own",
    sets={
        "good": ["172.17.0.2", "172.17.0.3"],
        "nets": [{"prefix": {"addr": "172.17.0.0", "len": 24}}, {"range": ["10.0.0.1", "10.0.0.9"]}],
        "timed": [{"elem": {"val": "172.17.0.2", "timeout": 30}}],
        "pairs": [{"concat": ["172.17.0.2", 80]}],
        "ways": [[80, {"drop": None}], [443, {"accept": None}]],
    },
)
SYN, ACK = 0x02, 0x10
DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
SPORT = {"payload": {"protocol": "tcp", "field": "sport"}}
TCP_FLAGS = {"payload": {"protocol": "tcp", "field": "flags"}}
MARK = {"meta": {"key": "mark"}}
V6 = {"src": ip_address("fd00::2"), "dst": ip_address("2001:db8::1")}
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


def _packet(values: dict[str, Any]) -> Packet:
    given = {"protocol": "tcp", "src": ip_address("172.17.0.2"), "dst": ip_address("8.8.8.8"), "sport": 40_000,
             "dport": 80, **values}  # fmt: skip
    return Packet(**given)


def _type_of(ip: Address) -> str:
    return {"172.17.0.2": "UNICAST", "8.8.8.8": "LOCAL"}[str(ip)]


def _holds(left: object, op: str, right: object, values: dict[str, Any]) -> bool | None:
    return holds({"left": left, "op": op, "right": right}, _packet(values), _type_of, OWN)


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
    (_meta("oifname"), "eth0", {"oif": SOMEWHERE}, None),
    (_meta("oif"), "eth0", {"oif": SOMEWHERE}, None),
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
    (_payload("th", "dport"), 80, ICMP, False),
    (_payload("th", "dport"), 80, ICMP6, False),
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
    (_ct("direction"), "reply", {"ct_reply": True}, True),
    (_ct("direction"), "original", {"ct_reply": False}, True),
    (_ct("direction"), "original", {"ct_reply": True}, False),
    (_ct("direction"), "reply", {}, None),
    (_ct("saddr"), "10.0.0.1", {"ct_original": ORIGINAL}, True),
    (_ct("daddr"), "10.0.0.2", {"ct_original": ORIGINAL}, True),
    (_ct("proto-src"), 1111, {"ct_original": ORIGINAL}, True),
    (_ct("proto-dst"), 2222, {"ct_original": ORIGINAL}, True),
    (_ct("proto-dst"), 80, {"ct_original": ORIGINAL}, False),
    (_ct("proto-dst"), 2222, {}, None),
    (_ct("status"), "dnat", {"ct_dnat": True}, True),
    (_ct("status"), "dnat", {"ct_snat": True}, False),
    (_ct("status"), "snat", {"ct_snat": True}, True),
    (_ct("status"), "snat", {"ct_dnat": True}, False),
    (_ct("mark"), 1, {"mark": 1}, None),
    (_fib("daddr"), "local", {}, True),
    (_fib(["daddr"]), "local", {}, True),
    (_fib("saddr"), "unicast", {}, True),
    (_fib("saddr"), "local", {}, False),
    (_fib(["saddr", "iif"]), "unicast", {}, None),
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


VALUES: list[tuple[object, str, object, dict[str, Any], bool | None]] = [
    (SADDR, "in", "172.17.0.2", {}, True),
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
    (SADDR, "<", "172.17.0.9", {}, None),
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
    (DPORT, "<", "80", {}, None),
    (_meta("l4proto"), "==", {"range": ["tcp", "udp"]}, {}, None),
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
    ({"&": [TCP_FLAGS, {"|": ["syn", "ecn"]}]}, "==", "syn", {"tcp_flags": SYN}, None),
    ({"&": [TCP_FLAGS, "syn"]}, "==", "ecn", {"tcp_flags": SYN}, None),
    ({"&": [TCP_FLAGS, {"what": []}]}, "==", "syn", {"tcp_flags": SYN}, None),
    ({"&": [TCP_FLAGS, "syn"]}, "==", "syn", {}, None),
    ({"&": [TCP_FLAGS, "syn"]}, "==", "syn", {"protocol": "udp", "tcp_flags": SYN}, False),
    ({"&": [MARK, 1]}, "==", 1, {"mark": 3}, True),
    ({"&": [MARK, 3]}, "==", 1, {"mark": 3}, False),
    ({"&": [MARK, 3]}, "!=", 1, {"mark": 3}, True),
    ({"&": [MARK, 4]}, "==", 0, {"mark": 3}, True),
    ({"&": [DPORT, 1]}, "==", 0, {}, None),
    ({"&": [MARK, 255]}, "!=", 5, {"mark": 3}, True),
    ({"&": [MARK, 255]}, ">", 5, {"mark": 3}, None),
    ({"ct": {"key": "proto-dst", "dir": "reply"}}, "==", 53, {}, None),
    (_payload("icmp", "type"), "<", 9, {**ICMP, "icmp_type": 8}, True),
]


@pytest.mark.parametrize(("left", "op", "right", "values", "answer"), VALUES, ids=str)
def test_values(left: object, op: str, right: object, values: dict[str, Any], answer: bool | None) -> None:
    """Equal, inside a prefix, a range or a set, or as many bits; what cannot be compared is unknown."""
    assert _holds(left, op, right, values) is answer


def test_a_comparison_without_an_operator() -> None:
    """It asks whether both are equal, with a mask too."""
    masked = {"left": {"&": [MARK, 1]}, "right": 1}

    assert holds({"left": SADDR, "right": "172.17.0.2"}, _packet({}), _type_of, OWN) is True
    assert holds({"left": SADDR, "right": "172.17.0.9"}, _packet({}), _type_of, OWN) is False
    assert holds(masked, _packet({"mark": 1}), _type_of, OWN) is True
    assert holds(masked, _packet({"mark": 2}), _type_of, OWN) is False


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
    ("vmap", "values", "statement"),
    [
        ({"key": DPORT, "data": {"set": [[22, {"drop": None}], [80, {"accept": None}]]}}, {}, {"accept": None}),
        ({"key": DPORT, "data": {"set": [[22, {"drop": None}], [[80, 81], {"accept": None}]]}}, {}, {"accept": None}),
        ({"key": DPORT, "data": {"set": [[22, {"drop": None}]]}}, {}, None),
        ({"key": DPORT, "data": "@ways"}, {}, {"drop": None}),
        ({"key": DPORT, "data": "@ways"}, {"dport": 443}, {"accept": None}),
        ({"key": DPORT, "data": "@ways"}, {"dport": 22}, None),
        ({"key": DPORT, "data": "@ways"}, {"dport": None}, {"unknown": None}),
        ({"key": DPORT, "data": "@ways"}, {"protocol": "udp"}, None),
        ({"key": DPORT, "data": "@lost"}, {}, {"unknown": None}),
        ({"key": DPORT, "data": 7}, {}, {"unknown": None}),
        ({"key": _fib("daddr"), "data": {"set": [["local", {"accept": None}]]}}, {}, {"accept": None}),
        ({"key": DPORT, "data": {"set": [["@lost", {"drop": None}], [80, {"accept": None}]]}}, {}, {"unknown": None}),
        ({"key": DPORT, "data": {"set": [[80, {"accept": None}], ["@lost", {"drop": None}]]}}, {}, {"accept": None}),
    ],
    ids=str,
)
def test_verdict_maps(vmap: object, values: dict[str, Any], statement: object) -> None:
    """The first key that fits gives the statement; where it cannot be told whether one fits, it is unknown."""
    assert verdict_of(vmap, _packet(values), _type_of, OWN) == statement


def _dump(*items: dict[str, Any]) -> str:
    """Put together a dump; each item of one kind."""
    return json.dumps({"nftables": [{"metainfo": {"version": "1.0.9"}}, *items]})


def _table(family: str, name: str) -> dict[str, Any]:
    return {"table": {"family": family, "name": name, "handle": 1}}


def _rule(*expr: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"rule": {"family": "ip", "table": "own", "chain": "fwd", "expr": list(expr), **more}}


CHAIN = {"chain": {"family": "ip", "table": "own", "name": "fwd"}}


def _shown(*expr: dict[str, Any], **more: object) -> Rule:
    (table,) = parse_native(_dump(_table("ip", "own"), CHAIN, _rule(*expr, **more)))
    return table.chains["fwd"].rules[0].shown


def test_a_table_with_all_that_it_may_have() -> None:
    """Its chains with hook, type, priority and policy, its sets and maps, its rules in order."""
    of = {"family": "inet", "table": "own"}
    base = {**of, "name": "in", "hook": "input", "type": "filter", "prio": -10, "policy": "drop"}
    (table,) = parse_native(
        _dump(
            _table("inet", "own"),
            {"chain": base},
            {"chain": {**of, "name": "open", "hook": "output", "type": "nat", "prio": 5}},
            {"chain": {**of, "name": "plain"}},
            {"set": {**of, "name": "empty"}},
            {"set": {**of, "name": "ports", "elem": [80, 443]}},
            {"map": {**of, "name": "ways", "elem": [[80, {"drop": None}]]}},
            {"flowtable": {**of, "name": "fast"}},
            {"chain": {"family": "ip", "table": "own", "name": "not here"}},
            {"rule": {**of, "chain": "in", "expr": [{"accept": None}]}},
            {"rule": {**of, "chain": "in", "expr": [{"drop": None}]}},
        )
    )
    chains = [(c.name, c.hook, c.kind, c.priority, c.policy) for c in table.chains.values()]

    assert (table.family, table.name) == ("inet", "own")
    assert chains == [
        ("in", "input", "filter", -10, "drop"),
        ("open", "output", "nat", 5, "accept"),
        ("plain", None, None, 0, "accept"),
    ]
    assert table.sets == {"empty": [], "ports": [80, 443], "ways": [[80, {"drop": None}]]}
    assert [rule.statements for rule in table.chains["in"].rules] == [[{"accept": None}], [{"drop": None}]]
    assert table.chains["in"].table is table


@pytest.mark.parametrize(
    ("elsewhere", "left"),
    [
        (("ip", "ip6"), ["ip own", "inet filter"]),
        (("ip",), ["ip own", "inet filter", "ip6 nat"]),
        ((), ["ip filter", "ip own", "inet filter", "ip6 nat"]),
    ],
)
def test_tables_of_iptables(elsewhere: tuple[str, ...], left: list[str]) -> None:
    """They are left out where iptables' own dump of the family is there; inet is never iptables'."""
    text = _dump(_table("ip", "filter"), _table("ip", "own"), _table("inet", "filter"), _table("ip6", "nat"))

    assert [f"{table.family} {table.name}" for table in parse_native(text, elsewhere)] == left


@pytest.mark.parametrize("name", ["raw", "mangle", "nat", "filter", "security"])
def test_all_tables_of_iptables(name: str) -> None:
    """Those of both families are left out by default."""
    assert parse_native(_dump(_table("ip", name), _table("ip6", name))) == []


def test_the_most_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many are read, of all rules together; one more is refused."""
    monkeypatch.setattr(nft, "MOST_STATEMENTS", 3)
    two, one = _rule({"counter": None}, {"drop": None}), _rule({"drop": None})
    (table,) = parse_native(_dump(_table("ip", "own"), CHAIN, two, one))

    assert len(table.chains["fwd"].rules) == 2
    with pytest.raises(ValueError, match=r"^more than 3 statements$"):
        parse_native(_dump(_table("ip", "own"), CHAIN, two, two))


@pytest.mark.parametrize(
    ("expr", "packets", "octets", "counts"),
    [
        ([{"counter": {"packets": 3, "bytes": 180}}], 3, 180, True),
        ([{"counter": None}], 0, 0, False),
        ([{"accept": None}], 0, 0, False),
        ([{"counter": {"packets": 3, "bytes": 180}}, {"counter": {"packets": 9, "bytes": 9}}], 3, 180, True),
        ([{"counter": "a named one"}], 0, 0, False),
    ],
)
def test_counters(expr: list[dict[str, Any]], packets: int, octets: int, counts: bool) -> None:
    """The first counter of a rule is its own; a rule may have none, and then nobody knows."""
    rule = _shown(*expr)

    assert (rule.packets, rule.bytes, rule.counts) == (packets, octets, counts)


@pytest.mark.parametrize(
    ("expr", "target"),
    [
        ([{"counter": None}, {"drop": None}], "DROP"),
        ([{"accept": None}], "ACCEPT"),
        ([{"reject": {"type": "tcp reset"}}], "REJECT"),
        ([{"return": None}], "RETURN"),
        ([{"jump": {"target": "other"}}], "other"),
        ([{"goto": {"target": "other"}}], "other"),
        ([{"counter": None}], ""),
        ([{"log": None}, {"masquerade": None}], ""),
    ],
)
def test_targets(expr: list[dict[str, Any]], target: str) -> None:
    """A verdict as iptables calls it, or the chain that is asked next."""
    rule = _shown(*expr)

    assert rule.target == target
    assert (rule.table, rule.chain, rule.options, rule.target_options, rule.goto) == ("ip own", "fwd", (), (), False)


def test_handles() -> None:
    """The number by which a rule is deleted, where the dump has it."""
    assert _shown({"drop": None}, handle=12).handle == 12
    assert _shown({"drop": None}).handle is None


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ([{"counter": None}, {"drop": None}], "drop"),
        ([_match(SADDR, "==", "172.17.0.2"), {"accept": None}], "ip saddr 172.17.0.2 accept"),
        ([_match(SADDR, "!=", "172.17.0.2"), {"accept": None}], "ip saddr != 172.17.0.2 accept"),
        ([_match(_ct("state"), "in", ["established", "related"])], "ct state established,related"),
        ([_match(_meta("iifname"), "==", "docker0")], "iifname docker0"),
        ([_match(SADDR, "==", {"prefix": {"addr": "10.0.0.0", "len": 8}})], "ip saddr 10.0.0.0/8"),
        ([_match(DPORT, "==", {"range": [80, 90]})], "tcp dport 80-90"),
        ([_match(DPORT, "==", {"set": [80, 443]})], "tcp dport { 80, 443 }"),
        ([_match({"&": [TCP_FLAGS, {"|": ["fin", "syn"]}]}, "==", "syn")], "tcp flags & fin|syn syn"),
        ([_match({"concat": [SADDR, DPORT]}, "==", "@pairs")], "ip saddr . tcp dport @pairs"),
        ([_match({"numgen": {"mode": "random", "mod": 2}}, "==", 0)], "numgen 0"),
        ([{"jump": {"target": "other"}}], "jump other"),
        ([{"goto": {"target": "other"}}], "goto other"),
        ([{"dnat": {"addr": "172.17.0.3", "port": 80}}], "dnat to 172.17.0.3:80"),
        ([{"dnat": {"addr": "172.17.0.3"}}], "dnat to 172.17.0.3"),
        ([{"snat": {"addr": "192.168.1.100"}}], "snat to 192.168.1.100"),
        ([{"redirect": {"port": 8080}}], "redirect to :8080"),
        ([{"masquerade": None}], "masquerade"),
        ([{"vmap": {"key": DPORT, "data": "@ways"}}], "tcp dport vmap @ways"),
        ([{"mangle": {"key": MARK, "value": 7}}], "mark set 7"),
        ([{"reject": {"type": "icmp", "expr": "port-unreachable"}}], "reject with icmp port-unreachable"),
        ([{"reject": {"type": "tcp reset"}}], "reject with tcp reset"),
        ([{"reject": None}], "reject"),
        ([{"log": {"prefix": "x"}}, {"counter": {"packets": 1, "bytes": 1}}, {"drop": None}], "log drop"),
    ],
    ids=str,
)
def test_the_text_of_a_rule(expr: list[dict[str, Any]], text: str) -> None:
    """About as ``nft`` prints it, without counters, behind its table and chain."""
    assert _shown(*expr).text == f"ip own fwd: {text}"


@pytest.mark.parametrize(
    ("version", "hook", "chains"),
    [
        (4, "input", ["ip in", "inet in", "inet again"]),
        (6, "input", ["ip6 in", "inet in", "inet again"]),
        (4, "output", ["inet out"]),
        (4, "forward", []),
    ],
)
def test_base_chains(version: int, hook: str, chains: list[str]) -> None:
    """Those of the packet's own family and of inet, in the order of the dump."""
    names = [("ip", "in", "input"), ("ip6", "in", "input"), ("inet", "in", "input"), ("inet", "out", "output"),
             ("inet", "again", "input"), ("bridge", "in", "input"), ("inet", "plain", None)]  # fmt: skip
    items = [_table(family, "own") for family in ("ip", "ip6", "inet", "bridge")]
    items += [{"chain": {"family": f, "table": "own", "name": name, "hook": h}} for f, name, h in names]
    found = base_chains(parse_native(_dump(*items)), version, hook)

    assert [f"{chain.table.family} {chain.name}" for chain in found] == chains
