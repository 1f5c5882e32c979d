"""Rules and routes on which judges of rules are often wrong; the kernel's own answer stands beside each."""

import json
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model import HostState
from analyzer.model.question import ABSENT
from analyzer.model.rules import Table, Verdict
from analyzer.model.verdict import Account, Why
from analyzer.state.iproute import parse_routes, parse_rules
from analyzer.state.path import Path
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.sets import parse_sets
from tests.state.rules.judge import HOST, syn

FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD {} [0:0]\n{}\nCOMMIT\n"


def _tables(text: str, sets: str = "") -> list[Table]:
    return parse_tables(text.splitlines(), 4, parse_sets(sets.splitlines()))


def _received(tables: list[Table], **packet: Any) -> Account:
    return Path(replace(HOST, tables=tuple(tables))).received(syn(**packet))


def _native(*rules: list[dict[str, Any]], policy: str = "accept", **chain: Any) -> list[Table]:
    of = {"family": "ip", "table": "t"}
    base = {"name": "c", "hook": "forward", "type": "filter", "prio": 0, "policy": policy, **chain}
    return parse_native(json.dumps({"nftables": [
        {"table": {"family": "ip", "name": "t"}},
        {"map": {**of, "name": "m", "type": "ipv4_addr", "map": "ipv4_addr", "elem": [["8.8.8.8", "192.168.1.100"]]}},
        {"chain": {**of, **base}},
        *({"rule": {**of, "chain": "c", "handle": n, "expr": expr}} for n, expr in enumerate(rules)),
    ]}))  # fmt: skip


def _match(left: dict[str, Any], op: str, right: Any) -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


MARK = {"meta": {"key": "mark"}}


def test_a_proxy_on_the_host() -> None:
    """REDIRECT sends to the host itself, whatever address that is: FORWARD is never asked. (Kernel: connected.)"""
    redirect = "-A PREROUTING -i docker0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128"
    nat = f"*nat\n:PREROUTING ACCEPT [0:0]\n{redirect}\nCOMMIT\n"
    account = _received(_tables(nat + FILTER.format("DROP", "-A INPUT -p tcp -m tcp --dport 3128 -j ACCEPT")))

    assert (account.verdict, account.for_host) == (Verdict.ACCEPT, True)
    assert [rule.chain for rule in account.matched] == ["PREROUTING", "INPUT"]


def test_a_rule_behind_notrack() -> None:
    """NOTRACK continues. (Kernel: dropped, both count.)"""
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j NOTRACK\n-A PREROUTING -p tcp -j DROP\nCOMMIT\n"
    account = _received(_tables(raw))

    assert (account.verdict, len(account.matched)) == (Verdict.DROP, 2)


@pytest.mark.parametrize(
    ("port", "verdict"),
    [(None, Verdict.UNKNOWN), ("cin", Verdict.DROP), ("other", Verdict.ACCEPT), (ABSENT, Verdict.ACCEPT)],
)
def test_a_bridges_port(port: Any, verdict: Verdict) -> None:
    """Of a packet that was seen at its bridge alone, nobody knows by which port it came. (Kernel: match.)"""
    rules = _tables(FILTER.format("ACCEPT", "-A FORWARD -m physdev --physdev-in cin -j DROP"))

    assert _received(rules, port_in=port).verdict is verdict


def test_an_exception_of_a_set() -> None:
    """``nomatch`` inside a network that is in the set. (Kernel: not in it.)"""
    sets = "create s hash:net family inet\nadd s 8.0.0.0/8\nadd s 8.8.8.8 nomatch"
    rules = _tables(FILTER.format("ACCEPT", "-A FORWARD -m set --match-set s dst -j DROP"), sets)

    assert _received(rules).verdict is Verdict.ACCEPT
    assert _received(rules, dst="8.8.8.9").verdict is Verdict.DROP


def test_a_ttl_that_a_rule_sets() -> None:
    """It is seen by the rules behind, and ends the packet where it is forwarded. (Kernel: dies in forward.)"""
    mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j TTL --ttl-set {}\n{}\nCOMMIT\n"
    dies = _received(_tables(mangle.format(1, "")))
    asked = _received(_tables(mangle.format(1, "-A PREROUTING -m ttl --ttl-eq 1 -j DROP")))
    lives = _received(_tables(mangle.format(2, "")))

    assert (dies.verdict, dies.why) == (Verdict.DROP, Why.TTL)
    assert (asked.verdict, asked.why) == (Verdict.DROP, Why.RULE)
    assert (lives.verdict, lives.packet.ttl) == (Verdict.ACCEPT, 1)


def test_protocols_by_their_names() -> None:
    """``ipencap`` is 4. (Kernel: match.)"""
    rules = _tables(FILTER.format("ACCEPT", "-A FORWARD -p ipencap -j DROP"))

    assert _received(rules, protocol=4).verdict is Verdict.DROP
    assert _received(rules).verdict is Verdict.ACCEPT


def test_the_status_of_a_connection() -> None:
    """A connection whose reply was seen is confirmed; whether it is assured, nobody knows. (Kernel: accepted.)"""
    status = {"ct": {"key": "status"}}
    confirmed, assured = (
        _received(_native([_match(status, "in", word), {"accept": None}], policy="drop"), ct_state="ESTABLISHED")
        for word in ("confirmed", "assured")
    )

    assert confirmed.verdict is Verdict.ACCEPT
    assert assured.verdict is Verdict.UNKNOWN


def test_a_mark_by_an_expression() -> None:
    """``meta mark set meta mark | 1``, then ``meta mark 1 drop``. (Kernel: drop.)"""
    written = {"mangle": {"key": MARK, "value": {"|": [MARK, 1]}}}

    assert _received(_native([written], [_match(MARK, "==", 1), {"drop": None}])).verdict is Verdict.DROP


def test_a_destination_by_a_map() -> None:
    """``dnat to ip daddr map @m``; what the map does not have, it leaves alone. (Kernel: translated.)"""
    daddr = {"payload": {"protocol": "ip", "field": "daddr"}}
    rule = [{"dnat": {"addr": {"map": {"key": daddr, "data": "@m"}}}}]
    tables = _native(rule, hook="prerouting", type="nat", prio=-100)
    translated, left = _received(tables), _received(tables, dst="9.9.9.9")

    assert (str(translated.packet.dst), translated.for_host) == ("192.168.1.100", True)
    assert (str(left.packet.dst), left.translations) == ("9.9.9.9", [])


def test_the_reply_of_a_connection() -> None:
    """``ct reply saddr`` is the reply's; without it nobody knows, whatever the original's is."""
    rule = [_match({"ct": {"key": "ip saddr", "dir": "reply"}}, "==", "172.17.0.2"), {"drop": None}]
    original = (ip_address("172.17.0.2"), ip_address("8.8.8.8"), 40_000, 80)

    assert _received(_native(rule), ct_state="ESTABLISHED", ct_original=original).verdict is Verdict.UNKNOWN
    assert _received(_native(rule), ct_state="ESTABLISHED", ct_answers=original).verdict is Verdict.DROP


def test_icmpv6_types() -> None:
    """``echo-request`` is 128 there, not 8."""
    tables = _native(
        [_match({"payload": {"protocol": "icmpv6", "field": "type"}}, "==", "echo-request"), {"drop": None}]
    )
    six = replace(tables[0], family="ip6")
    ends = {"src": "fd00::2", "dst": "2001:db8::1", "protocol": 58, "icmp_code": 0}

    assert _received([six], **ends, icmp_type=128).verdict is Verdict.DROP
    assert _received([six], **ends, icmp_type=8).verdict is Verdict.ACCEPT


def test_a_limit_that_changes_nothing() -> None:
    """One that only logs is passed over, and so is one whose rule does what comes behind it anyway."""
    limit = {"limit": {"rate": 5, "burst": 5, "per": "minute"}}
    logs = _native([limit, {"log": None}], [{"accept": None}], policy="drop")
    accepts = _native([limit, {"accept": None}], [{"accept": None}], policy="drop")
    decides = _native([limit, {"accept": None}], policy="drop")

    assert _received(logs).verdict is Verdict.ACCEPT
    assert _received(accepts).verdict is Verdict.ACCEPT
    assert _received(decides).verdict is Verdict.UNKNOWN
    assert _received(decides).text == "cannot tell whether “limit rate 5/minute” matches: it depends on a rate"


def _routed(routes: list[dict[str, Any]], rules: list[dict[str, Any]], **packet: Any) -> Account:
    host = HostState(routes=parse_routes(routes), routing_rules=parse_rules(rules, 4))
    return Path(host).received(syn(**packet))


LOCAL = {"priority": 0, "src": "all", "table": "local"}
MAIN = {"priority": 32766, "src": "all", "table": "main"}


def test_rules_of_a_vpn() -> None:
    """``lookup main suppress_prefixlength 0`` of wg-quick leaves main's default route out. (Kernel: by wg0.)"""
    routes = [
        {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0"},
        {"dst": "default", "dev": "wg0", "table": 51820},
    ]
    rules = [LOCAL, {"priority": 32764, "src": "all", "table": "main", "suppress_prefixlen": 0},
             {"priority": 32765, "not": None, "src": "all", "fwmark": "0xca6c", "table": "51820"}, MAIN]  # fmt: skip

    assert _routed(routes, rules).packet.oif == "wg0"
    assert _routed(routes, rules, mark=0xCA6C).packet.oif == "wlan0"


def test_a_routing_rule_for_a_protocol() -> None:
    """``ipproto udp dport 53`` is none for TCP. (Kernel: not taken.)"""
    routes = [
        {"dst": "default", "gateway": "192.168.1.1", "dev": "wlan0"},
        {"dst": "default", "dev": "tun0", "table": "53"},
    ]
    rules = [
        LOCAL,
        {"priority": 100, "src": "all", "ipproto": "udp", "dport": 53, "dport_mask": "0xffff", "table": "53"},
        MAIN,
    ]

    assert _routed(routes, rules, dport=53).packet.oif == "wlan0"
    assert _routed(routes, rules, dport=53, protocol=17).packet.oif == "tun0"
    assert _routed(routes, rules, dport=54, protocol=17).packet.oif == "wlan0"
    assert _routed(routes, rules, dport=None, protocol=17).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("dst", "rule", "why"),
    [
        ("172.17.0.2", {"iif": "docker0"}, Why.REVERSE_PATH),
        ("172.17.0.2", {"iif": "lo"}, None),
        ("172.17.0.2", {"iif": "wlan0"}, None),
        ("192.168.1.100", {"iif": "lo"}, Why.REVERSE_PATH),
        ("192.168.1.100", {"iif": "docker0"}, None),
    ],
)
@pytest.mark.parametrize("mode", ["1", "2"])
def test_rules_for_the_way_back(mode: str, dst: str, rule: dict[str, Any], why: Why | None) -> None:
    """rp_filter asks them for an answer, which comes in by the way out, or is the host's own. (Kernel: the same.)"""
    routes = parse_routes([{"dst": "8.0.0.0/8", "dev": "wlan0"}, {"dst": "172.17.0.0/16", "dev": "docker0"}])
    prohibits = {"priority": 100, "src": "all", "dst": "8.0.0.0", "dstlen": 8, "action": "prohibit", **rule}
    host = replace(HOST, routes=routes, routing_rules=parse_rules([LOCAL, prohibits, MAIN], 4),
                   sysctls={"net.ipv4.conf.all.rp_filter": mode})  # fmt: skip

    assert Path(host).received(syn(src="8.8.8.8", dst=dst, iif="wlan0")).why is why


def test_rules_for_the_way_back_where_the_way_out_is_not_known() -> None:
    """One of two ways is taken; nobody knows whether the rule is asked."""
    hops = [{"gateway": f"192.168.{number}.1", "dev": f"eth{number}"} for number in (0, 1)]
    routes = parse_routes([{"dst": "default", "nexthops": hops}, {"dst": "172.17.0.0/16", "dev": "docker0"}])
    prohibits = {"priority": 100, "src": "all", "dst": "172.17.0.0", "dstlen": 16, "iif": "eth0", "action": "prohibit"}
    host = HostState(routes=routes, routing_rules=parse_rules([LOCAL, prohibits, MAIN], 4),
                     sysctls={"net.ipv4.conf.all.rp_filter": "1"})  # fmt: skip

    assert Path(host).received(syn()).verdict is Verdict.UNKNOWN
    assert Path(host, guess="eth0").received(syn()).why is Why.REVERSE_PATH
    assert Path(host, guess="eth1").received(syn()).verdict is Verdict.ACCEPT


def test_a_redirect_to_where_it_goes_anyway() -> None:
    """conntrack does not call it translated: ``ct status dnat`` does not match. (Kernel: the same.)"""
    nat = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i wlan0 -p tcp -j REDIRECT\nCOMMIT\n"
    tables = _tables(nat) + _native(
        [_match({"ct": {"key": "status"}}, "in", ["snat", "dnat"]), {"drop": None}], hook="input"
    )

    assert _received(tables, dst="192.168.1.100", iif="wlan0").verdict is Verdict.ACCEPT
    assert _received(tables, iif="wlan0").verdict is Verdict.DROP


def test_an_answer_by_the_second_of_two_ways() -> None:
    """rp_filter takes all next hops of the way back (fib_info_nh_uses_dev). (Kernel: accepted.)"""
    hops = [{"gateway": f"192.168.{number}.1", "dev": f"eth{number}"} for number in (0, 1)]
    routes = parse_routes([{"dst": "default", "nexthops": hops}, {"dst": "172.17.0.0/16", "dev": "docker0"}])
    host = HostState(routes=routes, sysctls={"net.ipv4.conf.all.rp_filter": "1"})
    answer = syn(src="8.8.8.8", dst="172.17.0.2", sport=80, dport=40_000, tcp_flags=18)

    assert [Path(host).received(replace(answer, iif=iif)).why for iif in ("eth0", "eth1", "eth2")] == [
        None, None, Why.REVERSE_PATH
    ]  # fmt: skip
