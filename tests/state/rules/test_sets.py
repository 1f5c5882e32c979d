"""``ipset save``, line by line, and what rules find in it."""

from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model import HostState, Link
from analyzer.model.question import Alike, Elements, Missing, Opaque, Range
from analyzer.model.rules import Verdict
from analyzer.state.path import Path
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.sets import parse_sets
from tests.state.rules.judge import DEFAULT, syn


def _members(elements: Elements) -> tuple[Any, ...]:
    return elements.members


def test_sets() -> None:
    """Elements of each kind that is known; a set of another kind, or of none, is not known."""
    found = parse_sets(
        [
            "create addresses hash:ip family inet hashsize 1024",
            "create networks hash:net family inet",
            "create nothing hash:ip family inet",
            "create pairs hash:ip,port family inet",
            "create sets list:set size 8",
            "add addresses 10.0.0.1",
            "add addresses 10.0.0.2 timeout 30",
            "add networks 10.1.0.0/16",
            "add networks 10.1.2.0/24 nomatch",
            "add pairs 10.0.0.1,tcp:80",
            "add pairs 10.0.0.1,udp:53-54",
            "add pairs broken",
            "add sets addresses",
            "add unheard 10.0.0.1",
            "create broken",
            "add broken",
            "",
        ]
    )
    one, two = ip_address("10.0.0.1"), ip_address("10.0.0.2")

    assert list(found) == ["addresses", "networks", "nothing", "pairs"]
    assert [one.kinds for one in found.values()] == [("ip",), ("net",), ("ip",), ("ip", "port")]
    assert _members(found["addresses"].elements) == (one, two)
    assert _members(found["networks"].elements) == (Range(ip_address("10.1.0.0"), ip_address("10.1.255.255")),)
    assert found["networks"].elements.excepted == (Range(ip_address("10.1.2.0"), ip_address("10.1.2.255")),)
    assert _members(found["nothing"].elements) == ()
    assert _members(found["pairs"].elements) == (
        Alike((one, 6, 80)), Alike((one, 17, Range(53, 54))), Opaque("broken", Missing.SET)
    )  # fmt: skip


DUMP = """
    create nets hash:net family inet
    add nets 8.0.0.0/8
    add nets 8.8.0.0/16 nomatch
    add nets 8.8.8.8
    create pairs hash:ip,port family inet
    add pairs 8.8.8.8,tcp:80
    add pairs 8.8.4.4,udp:53
    create netports hash:net,port family inet
    add netports 8.8.0.0/16,tcp:79-81
    create ports bitmap:port range 0-65535
    add ports 80
    create ways hash:net,iface family inet
    add ways 8.0.0.0/8,docker0
    create macs hash:mac
    add macs 02:42:AC:11:00:02
    create marked hash:ip,mark family inet
    add marked 8.8.8.8,0x00000005
    create sets list:set size 8
    add sets nets
"""


@pytest.mark.parametrize(
    ("match", "packet", "verdict"),
    [
        ("--match-set nets dst", {}, Verdict.DROP),
        ("--match-set nets dst", {"dst": "8.8.8.9"}, Verdict.ACCEPT),
        ("--match-set nets dst", {"dst": "8.1.1.1"}, Verdict.DROP),
        ("--match-set nets dst", {"dst": "9.9.9.9"}, Verdict.ACCEPT),
        ("--match-set nets src", {}, Verdict.ACCEPT),
        ("! --match-set nets dst", {"dst": "8.8.8.9"}, Verdict.DROP),
        ("--match-set pairs dst,dst", {}, Verdict.DROP),
        ("--match-set pairs dst,dst", {"dport": 81}, Verdict.ACCEPT),
        ("--match-set pairs dst,dst", {"dst": "8.8.4.4", "dport": 53}, Verdict.ACCEPT),
        ("--match-set pairs dst,src", {"sport": 80}, Verdict.DROP),
        ("--match-set pairs dst", {}, Verdict.UNKNOWN),
        ("--match-set pairs dst,dst", {"dport": None}, Verdict.UNKNOWN),
        ("--match-set pairs dst,dst", {"dport": None, "dst": "9.9.9.9"}, Verdict.ACCEPT),
        ("--match-set netports dst,dst", {"dst": "8.8.1.1"}, Verdict.DROP),
        ("--match-set netports dst,dst", {"dst": "8.8.1.1", "dport": 82}, Verdict.ACCEPT),
        ("--match-set ports dst", {}, Verdict.DROP),
        ("--match-set ports src", {}, Verdict.ACCEPT),
        ("--match-set ways dst,src", {}, Verdict.DROP),
        ("--match-set ways dst,dst", {}, Verdict.ACCEPT),
        ("--match-set macs src", {"src_mac": 0x0242AC110002}, Verdict.DROP),
        ("--match-set macs src", {"src_mac": 0x0242AC110003}, Verdict.ACCEPT),
        ("--match-set macs src", {}, Verdict.UNKNOWN),
        ("--match-set marked dst,dst", {"mark": 5}, Verdict.DROP),
        ("--match-set marked dst,dst", {}, Verdict.ACCEPT),
        ("--match-set sets dst", {}, Verdict.UNKNOWN),
        ("--match-set nets dst,sideways", {}, Verdict.DROP),
        ("--match-set nets sideways", {}, Verdict.UNKNOWN),
    ],
    ids=str,
)
def test_what_rules_find(match: str, packet: dict[str, Any], verdict: Verdict) -> None:
    """The longest network that holds an address counts, excepted or not; ports are of a protocol; kinds in order."""
    text = f"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set {match} -j DROP\nCOMMIT\n"
    tables = parse_tables(text.splitlines(), 4, parse_sets(DUMP.splitlines()))
    host = HostState(tables=tuple(tables), routes=(DEFAULT,), links=(Link(2, "wlan0", None, None, None, ()),))

    assert Path(host).received(syn(**packet)).verdict is verdict
