"""Rules and packets whose verdict is known; what nobody knows is said, and never guessed."""

import json
from dataclasses import replace
from ipaddress import ip_address

import pytest

from analyzer.host.netfilter.evaluate import Evaluator, Verdict
from analyzer.host.netfilter.nft import parse_native
from analyzer.host.netfilter.packet import LOCAL, Packet
from analyzer.host.netfilter.ruleset import parse_ruleset, parse_sets
from analyzer.model import Address
from analyzer.model.netfilter import NativeTable, Ruleset

FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [3:180]\n:OUTPUT ACCEPT [0:0]\n:USER - [0:0]\n{}\nCOMMIT\n"


def _rules(*rules: str) -> Ruleset:
    return parse_ruleset(FILTER.format("\n".join(rules)).splitlines(), 4)


def _owner(ip: Address) -> str:
    return "LOCAL" if str(ip) == "192.168.1.100" else "UNICAST"


def _router(packet: Packet) -> str:
    return LOCAL if str(packet.dst) == "192.168.1.100" else "wlan0"


def _packet(**values: object) -> Packet:
    given = {"protocol": "tcp", "sport": 40_000, "dport": 80, "tcp_flags": 2, "ttl": 64, "iif": "docker0", **values}
    src, dst = ip_address("172.17.0.2"), ip_address(str(given.pop("dst", "8.8.8.8")))
    return Packet(src=src, dst=dst, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "verdict", "decided_by"),
    [
        ([], Verdict.DROP, "filter FORWARD"),
        (["-A FORWARD -i docker0 ! -o docker0 -j ACCEPT"], Verdict.ACCEPT, None),
        (["-A FORWARD -j USER", "-A USER -d 8.8.8.0/24 -j DROP"], Verdict.DROP, "-A USER -d 8.8.8.0/24 -j DROP"),
        (["-A FORWARD -j USER", "-A USER -j RETURN", "-A FORWARD -j ACCEPT"], Verdict.ACCEPT, None),
        (["-A FORWARD -g USER", "-A FORWARD -j ACCEPT"], Verdict.DROP, "filter FORWARD"),
        (["-A FORWARD -p tcp -j REJECT"], Verdict.REJECT, "-A FORWARD -p tcp -j REJECT"),
        (["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"], Verdict.DROP, "filter FORWARD"),
        (["-A FORWARD -m conntrack ! --ctstate NEW -j DROP", "-A FORWARD -j ACCEPT"], Verdict.ACCEPT, None),
    ],
)  # fmt: skip
def test_verdicts(rules: list[str], verdict: Verdict, decided_by: str | None) -> None:
    """By rule, by policy, through chains."""
    result = Evaluator(_rules(*rules), _owner, _router).received(_packet())

    assert result.verdict is verdict
    assert (result.rule.text if result.rule else result.policy) == decided_by


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("-A FORWARD -m bpf --bytecode 1,6 -j ACCEPT", "cannot tell whether '--bytecode 1,6' matches"),
        ("-A FORWARD -m set ! --match-set bad src -j ACCEPT", "cannot tell whether '! --match-set bad src' matches"),
        ("-A FORWARD -j NFQUEUE --queue-num 1", "target NFQUEUE is not known"),
        ("-A FORWARD -m limit --limit 1/sec -j ACCEPT", "cannot tell whether '--limit 1/sec' matches"),
    ],
)
def test_what_nobody_knows(rule: str, why: str) -> None:
    """Neither yes nor no: unknown, with the match or target that is not known."""
    result = Evaluator(_rules(rule), _owner, _router).received(_packet())

    assert (result.verdict, result.reason) == (Verdict.UNKNOWN, why)


def test_an_unknown_match_does_not_matter_where_another_one_fails() -> None:
    """The rule does not match, whatever the unknown one says."""
    rules = _rules("-A FORWARD -p udp -m bpf --bytecode 1,6 -j DROP", "-A FORWARD -j ACCEPT")

    assert Evaluator(rules, _owner, _router).received(_packet()).verdict is Verdict.ACCEPT


def test_sets_that_were_recorded() -> None:
    """``ipset save`` beside the rules."""
    rules = _rules("-A FORWARD -m set --match-set bad dst -j DROP", "-A FORWARD -j ACCEPT")
    rules.sets = parse_sets(
        ["create bad hash:net family inet", "add bad 8.8.8.0/24", "create other hash:ip,port family inet"]
    )
    evaluator = Evaluator(rules, _owner, _router)

    assert evaluator.received(_packet()).verdict is Verdict.DROP
    assert evaluator.received(_packet(dst="9.9.9.9")).verdict is Verdict.ACCEPT


def test_no_route_and_no_time_left() -> None:
    """What ends a packet between the hooks."""
    rules = _rules("-A FORWARD -j ACCEPT")

    assert Evaluator(rules, _owner, lambda packet: None).received(_packet()).reason == "no route to 8.8.8.8"
    assert Evaluator(rules, _owner, _router).received(_packet(ttl=1)).reason == "its TTL ends here"


def test_translations() -> None:
    """DNAT before routing, MASQUERADE after; one rule each, as for a hairpin."""
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
        "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
        "-A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
        "-A POSTROUTING -s 172.17.0.0/16 -d 172.17.0.3/32 -j MASQUERADE\nCOMMIT\n"
    )
    result = Evaluator(parse_ruleset(text.splitlines(), 4), _owner, _router).received(
        _packet(dst="192.168.1.100", dport=8080)
    )

    assert [(one.kind, one.to) for one in result.translations] == [("DNAT", "172.17.0.3:80"), ("MASQUERADE", None)]
    assert result.packet is not None
    assert (str(result.packet.dst), result.packet.dport) == ("172.17.0.3", 80)


@pytest.mark.parametrize("line", ["-A X --dport", "-A X --tcp-flags SYN", '-A X -m comment --comment "open'])
def test_a_rule_that_cannot_be_read_costs_no_other(line: str) -> None:
    """Whether it matches nobody knows; the rules before it still decide."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p icmp -j DROP\n{line.replace('X', 'INPUT')} -j DROP\nCOMMIT\n"
    evaluator = Evaluator(parse_ruleset(text.splitlines(), 4), _owner, _router)
    ping = replace(_packet(dst="192.168.1.100"), protocol="icmp", icmp_type=8, icmp_code=0)

    assert evaluator.received(ping).verdict is Verdict.DROP
    assert evaluator.received(_packet(dst="192.168.1.100")).verdict is Verdict.UNKNOWN


def test_lines_that_are_none() -> None:
    """Refused with a ValueError, which names the dump."""
    with pytest.raises(ValueError):
        parse_ruleset(["*filter", "[x:y] -A X"], 4)


@pytest.mark.parametrize(
    ("dropping", "decided_by"),
    [
        (("filter", "security"), "-A FORWARD -m comment --comment filter -j DROP"),
        (("mangle", "filter"), "-A FORWARD -m comment --comment mangle -j DROP"),
        (("mangle", "security"), "-A FORWARD -m comment --comment mangle -j DROP"),
        (("security",), "-A FORWARD -m comment --comment security -j DROP"),
    ],
)
def test_tables_in_the_order_of_their_priorities(dropping: tuple[str, ...], decided_by: str) -> None:
    """mangle is asked before filter, filter before security, whatever the order of the dump."""
    text = "".join(
        f"*{table}\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m comment --comment {table} -j DROP\nCOMMIT\n"
        for table in reversed(dropping)
    )
    result = Evaluator(parse_ruleset(text.splitlines(), 4), _owner, _router).received(_packet())

    assert result.rule is not None
    assert result.rule.text == decided_by


def _own(priority: int) -> list[NativeTable]:
    """A chain of nftables' own that drops what is forwarded."""
    chain = {"family": "inet", "table": "own", "name": "fwd", "hook": "forward", "type": "filter", "prio": priority}
    rule = {"family": "inet", "table": "own", "chain": "fwd", "expr": [{"drop": None}]}
    dump = [{"table": {"family": "inet", "name": "own"}}, {"chain": chain}, {"rule": rule}]
    return parse_native(json.dumps({"nftables": dump}))


@pytest.mark.parametrize(("table", "own"), [("mangle", -150), ("filter", 0), ("security", 50)])
def test_nftables_chains_stand_between_the_tables(table: str, own: int) -> None:
    """A chain of nftables' own is asked before a table whose priority is higher, and after one whose is lower."""
    text = f"*{table}\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n"
    rules = parse_ruleset(text.splitlines(), 4)
    before, after = (
        Evaluator(rules, _owner, _router, _own(priority)).received(_packet()).rule for priority in (own - 1, own + 1)
    )

    assert before is not None
    assert after is not None
    assert (before.table, after.table) == ("inet own", table)
