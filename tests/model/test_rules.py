"""What a rule and a table say of themselves, read from iptables' and nftables' own dumps."""

import json
from dataclasses import replace

import pytest

from analyzer.model.question import Field
from analyzer.model.rules import Chain, NatTarget, Rule, Table, ports_at_random
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native

SAVED = """*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -j CT --notrack
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
-A FORWARD -j MARK --set-xmark 0x1/0xffffffff
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
*filter
:FORWARD ACCEPT [0:0]
COMMIT
"""
OF = {"family": "inet", "table": "own"}
NATIVE = {"nftables": [
    {"table": {"family": "inet", "name": "own", "handle": 1}},
    {"chain": {**OF, "name": "fwd", "hook": "forward", "type": "filter", "prio": 0, "policy": "accept", "handle": 2}},
    {"rule": {**OF, "chain": "fwd", "handle": 3, "expr": [{"drop": None}]}},
]}  # fmt: skip


@pytest.fixture
def tables() -> dict[str, Table]:
    """Tables by name: iptables' four, and one of nftables' own."""
    return {one.name: one for one in (*parse_tables(SAVED.splitlines(), 4), *parse_native(json.dumps(NATIVE)))}


def _rule(table: Table) -> Rule:
    (rule,) = table.rules()
    return rule


def test_a_rule_says_what_it_does_to_a_packet(tables: dict[str, Table]) -> None:
    """It translates, changes a field, or takes packets out of tracking, and nothing else that it does not."""
    rules = {name: _rule(tables[name]) for name in ("raw", "mangle", "nat", "own")}
    nat = rules["nat"].nat

    assert nat is not None
    assert nat.kind is NatTarget.MASQUERADE
    assert [name for name, rule in rules.items() if rule.nat is not None] == ["nat"]
    assert [name for name, rule in rules.items() if rule.untracks] == ["raw"]
    assert [name for name, rule in rules.items() if rule.writes(Field.MARK)] == ["mangle"]
    assert not rules["mangle"].writes(Field.CT_MARK)


def test_what_is_nftables_own_is_called_with_its_family(tables: dict[str, Table]) -> None:
    """Tables of iptables have a name alone."""
    assert [(one.native, one.label) for one in (tables["filter"], tables["own"])] == [
        (False, "filter"), (True, "inet own"),
    ]  # fmt: skip
    assert [_rule(tables[name]).native for name in ("nat", "own")] == [False, True]


def test_a_rule_of_another_dump_is_the_same_by_its_text_and_place() -> None:
    """Counters, number and handle change while a recording runs; the file, the table and the text do not."""
    rule = Rule("-A FORWARD -j DROP", "filter", "FORWARD", 3, packets=1)
    others = [replace(rule, dump="ip6tables-save.txt"), replace(rule, table="raw"), replace(rule, text="-A FORWARD")]

    assert rule.same(replace(rule, number=4, packets=9, handle=7))
    assert not any(rule.same(one) for one in others)


@pytest.mark.parametrize(
    ("kind", "of_source"),
    [
        (NatTarget.SNAT, True),
        (NatTarget.MASQUERADE, True),
        (NatTarget.DNAT, False),
        (NatTarget.REDIRECT, False),
    ],
)
def test_which_end_a_target_translates(kind: NatTarget, of_source: bool) -> None:
    """SNAT and MASQUERADE the source, DNAT and REDIRECT the destination."""
    assert kind.of_source is of_source


@pytest.mark.parametrize(
    ("family", "versions"),
    [("ip", (4,)), ("ip6", (6,)), ("inet", (4, 6)), ("bridge", (4, 6)), ("netdev", (4, 6)), ("arp", ())],
)
def test_a_family_sees_its_versions(family: str, versions: tuple[int, ...]) -> None:
    """ARP is no IP packet; a bridge and an interface see both."""
    assert Table(family, "x", "").versions == versions


def test_a_table_matters_if_it_has_rules_or_a_policy_that_drops(tables: dict[str, Table]) -> None:
    """One that lets all pass by empty chains does nothing; a user's chain has no policy."""
    table = tables["filter"]
    assert [tables[name].matters for name in ("filter", "nat", "own")] == [False, True, True]

    table.chains["OWN"] = Chain("OWN")
    assert not table.matters
    table.chains["FORWARD"].policy = "DROP"
    assert table.matters


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-A POSTROUTING -j MASQUERADE --random-fully", True),
        ("-A POSTROUTING -j SNAT --to-source 10.0.0.1 --random", True),
        ('-A POSTROUTING -m comment --comment "not --random" -j MASQUERADE', False),
        ("-A POSTROUTING -m statistic --mode random --probability 0.5 -j MASQUERADE", False),
        ("ip nat post: masquerade random", True),
        ("ip nat post: ip saddr 10.0.0.0/8 snat to 10.0.0.1 fully-random", True),
        ('ip nat post: masquerade comment "random"', False),
        ("ip nat post: numgen random mod 2 0 masquerade", False),
        (None, False),
    ],
)
def test_ports_at_random(text: str | None, found: bool) -> None:
    """By the target's own words."""
    assert ports_at_random(text) is found
