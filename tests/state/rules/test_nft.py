"""``nft -j list ruleset``: tables, chains, rules and what they are in the language of all rules."""

import json
from typing import Any

import pytest

from analyzer.model.rules import (
    Decide,
    Rule,
    Verdict,
)  # fmt: skip
from analyzer.state.rules import nft
from analyzer.state.rules.nft import parse_native
from tests.state.rules.test_nft_questions import DPORT, MARK, SADDR, TCP_FLAGS


def _match(left: object, op: str, right: object) -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


def _meta(key: str) -> dict[str, object]:
    return {"meta": {"key": key}}


def _ct(key: str) -> dict[str, object]:
    return {"ct": {"key": key}}


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
    return table.chains["fwd"].rules[0]


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
            {"set": {**of, "name": "ports", "type": "inet_service", "elem": [80, 443]}},
            {"map": {**of, "name": "ways", "type": "inet_service", "map": "verdict", "elem": [[80, {"drop": None}]]}},
            {"flowtable": {**of, "name": "fast"}},
            {"chain": {"family": "ip", "table": "own", "name": "not here"}},
            {"rule": {**of, "chain": "in", "expr": [{"accept": None}]}},
            {"rule": {**of, "chain": "in", "expr": [{"drop": None}]}},
        )
    )
    chains = [(c.name, c.hook, c.kind, c.priority, c.policy) for c in table.chains.values()]
    of_sets = {name: (one.members, one.pairs) for name, one in table.sets.items()}

    assert (table.family, table.name) == ("inet", "own")
    assert chains == [
        ("in", "input", "filter", -10, "DROP"),
        ("open", "output", "nat", 5, "ACCEPT"),
        ("plain", None, "filter", 0, None),
    ]
    assert of_sets == {"empty": ((), ()), "ports": ((80, 443), ()), "ways": ((), ((80, Decide(Verdict.DROP)),))}
    assert [(rule.number, rule.steps) for rule in table.chains["in"].rules] == [
        (1, (Decide(Verdict.ACCEPT),)), (2, (Decide(Verdict.DROP),))
    ]  # fmt: skip


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
    assert (rule.table, rule.chain, rule.native, rule.dump) == ("ip own", "fwd", True, "nft-ruleset.json")


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
        ([_match({"&": [TCP_FLAGS, {"|": ["fin", "syn"]}]}, "==", "syn")], "tcp flags & fin|syn == syn"),
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
        ([{"mangle": {"key": MARK, "value": 7}}], "meta mark set 7"),
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
