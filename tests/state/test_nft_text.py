"""Rules of nftables in words, as nft itself prints them."""

from typing import Any

import pytest

from analyzer.state.rules.nft_text import match_text, rule_text, side, statement_text

DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ({"accept": None}, "accept"),
        ({"counter": {"packets": 7, "bytes": 9}}, ""),
        ({"jump": {"target": "user"}}, "jump user"),
        ({"goto": {"target": "user"}}, "goto user"),
        ({"dnat": {"family": "ip", "addr": "172.17.0.2", "port": 80}}, "dnat to 172.17.0.2:80"),
        ({"snat": {"addr": "192.168.1.100"}}, "snat to 192.168.1.100"),
        ({"redirect": {"port": 8080}}, "redirect to :8080"),
        ({"masquerade": None}, "masquerade"),
        ({"vmap": {"key": DPORT, "data": "@ports"}}, "tcp dport vmap @ports"),
        ({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 7}}, "meta mark set 7"),
        ({"reject": {"type": "tcp reset"}}, "reject with tcp reset"),
        ({"reject": {"type": "icmpx", "expr": "port-unreachable"}}, "reject with icmpx port-unreachable"),
        ({"reject": None}, "reject"),
        ({"limit": {"rate": 5, "per": "second"}}, "limit rate 5/second"),
        ({"limit": {"rate": 5, "per": "second", "rate_unit": "packets", "inv": False}}, "limit rate 5/second"),
        (
            {"limit": {"rate": 5, "per": "minute", "rate_unit": "kbytes", "inv": True}},
            "limit rate over 5 kbytes/minute",
        ),
    ],
)
def test_statements(statement: Any, text: str) -> None:
    """Counters are left out; what a statement has no parts of is its name."""
    assert statement_text(statement) == text


@pytest.mark.parametrize(
    ("op", "text"),
    [("==", "tcp dport 80"), ("in", "tcp dport 80"), ("!=", "tcp dport != 80"), (">=", "tcp dport >= 80")],
)
def test_equality_is_not_said(op: str, text: str) -> None:
    """Every other way of comparing is; where none is told, it is equality."""
    assert match_text({"op": op, "left": DPORT, "right": 80}) == text
    assert match_text({"left": DPORT, "right": 80}) == "tcp dport 80"


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (["new", "established"], "new,established"),
        (80, "80"),
        ({"payload": {"base": "nh", "offset": 96, "len": 32}}, "@ "),
        ({"meta": {"key": "iifname"}}, "iifname"),
        ({"ct": {"key": "state"}}, "ct state"),
        ({"ct": {"key": "saddr", "dir": "original"}}, "ct original saddr"),
        ({"fib": {"result": "type", "flags": "daddr"}}, "fib daddr type"),
        ({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, "fib saddr . iif oif"),
        ({"prefix": {"addr": "10.0.0.0", "len": 8}}, "10.0.0.0/8"),
        ({"range": [80, 90]}, "80-90"),
        ({"set": [80, {"range": [443, 445]}]}, "{ 80, 443-445 }"),
        ({"map": {"key": DPORT, "data": "@to"}}, "tcp dport map @to"),
        ({"elem": {"val": 80, "timeout": 60}}, "80"),
        ({"concat": [SADDR, DPORT]}, "ip saddr . tcp dport"),
        ({"&": [{"meta": {"key": "mark"}}, 255]}, "meta mark & 255"),
        ({"^": [{"meta": {"key": "mark"}}, 255]}, "meta mark ^ 255"),
        ({"|": ["syn", "ack"]}, "syn|ack"),
        ({"osf": {"key": "name"}}, "osf"),
    ],
    ids=str,
)
def test_sides(told: Any, text: str) -> None:
    """Of a match, a map or a set, also within each other; what is not known is its name."""
    assert side(told) == text


def test_a_rule_is_its_statements() -> None:
    """In their order, without counters and the room they would take."""
    match = {"match": {"op": "==", "left": SADDR, "right": {"prefix": {"addr": "172.17.0.0", "len": 16}}}}

    assert rule_text([match, {"counter": None}, {"masquerade": None}]) == "ip saddr 172.17.0.0/16 masquerade"
