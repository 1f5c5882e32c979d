"""Counterfactuals: what a change does to a state, and that a remedy is safe to paste."""

from dataclasses import replace

import pytest

from analyzer.explain.edits import for_shell, with_rule, with_settings, without_rule
from analyzer.explain.remedy import outcome
from analyzer.model import HostState
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native

RULES = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j DROP\n-A FORWARD -p tcp -j DROP\nCOMMIT\n"
NATIVE = """{"nftables": [
  {"table": {"family": "inet", "name": "fw", "handle": 1}},
  {"chain": {"family": "inet", "table": "fw", "name": "fwd", "handle": 1, "type": "filter", "hook": "forward",
             "prio": 0, "policy": "drop"}},
  {"rule": {"family": "inet", "table": "fw", "chain": "fwd", "handle": 7, "expr": [{"drop": null}]}}
]}"""
HOST = HostState(tables=(*parse_tables(RULES.splitlines(), 4), *parse_native(NATIVE)))


def test_one_rule_goes_and_its_twin_stays() -> None:
    """The very rule, not one that reads alike; the state it came from is as it was."""
    first, second = HOST.tables[0].rules()
    after = without_rule(first)(HOST)

    assert [rule is second for rule in after.tables[0].rules()] == [True]
    assert len(list(HOST.tables[0].rules())) == 2


def test_nftables_rules() -> None:
    """Their own tables change alike."""
    rule = HOST.tables[1].chains["fwd"].rules[0]
    gone = without_rule(rule)(HOST)

    assert rule.handle == 7
    assert gone.tables[1].chains["fwd"].rules == []
    assert HOST.tables[1].chains["fwd"].rules == [rule]


def test_what_is_added_and_set() -> None:
    """A rule at the end of its chain, a sysctl."""
    after = with_rule("filter", "-A FORWARD -j ACCEPT")(HOST)
    known = replace(HOST, sysctls={"a": "1", "b": "2"})

    assert [rule.target for rule in after.tables[0].rules()] == ["DROP", "DROP", "ACCEPT"]
    assert with_settings({"b": "0"})(known).sysctls == {"a": "1", "b": "0"}


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        ("FORWARD -p tcp -j DROP", "FORWARD -p tcp -j DROP"),
        ('FORWARD -m comment --comment "a $(touch /tmp/x) `id`" -j DROP',
         "FORWARD -m comment --comment 'a $(touch /tmp/x) `id`' -j DROP"),
        ("FORWARD; reboot", "'FORWARD;' reboot"),
        ('FORWARD --comment "open', "'FORWARD --comment \"open'"),
    ],
)  # fmt: skip
def test_what_a_dump_says_is_no_command(words: str, quoted: str) -> None:
    """People paste remedies into a shell."""
    assert for_shell(words) == quoted


def test_what_was_tried_says_how_it_went() -> None:
    """It helps, it does not, or nobody can tell."""
    assert [outcome(helps) for helps in ("it passes", None, "")] == ["helps", "not-enough", "undecided"]
