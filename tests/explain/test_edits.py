"""Changes to a recorded state: where a rule goes, what stays as it is, and that a dump's words are no command."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest

from analyzer.explain.confirmed import Change
from analyzer.explain.edits import (
    INSERTED,
    first_in,
    first_native,
    for_shell,
    with_rule,
    with_settings,
    without_route,
    without_routing_rule,
    without_rule,
)
from analyzer.model import HostState, Route, RoutingRule
from analyzer.model.rules import Rule
from analyzer.state.rules.iptables import DUMPS, LEGACY, parse_tables
from analyzer.state.rules.nft import parse_native

RULES = "*filter\n:FORWARD ACCEPT [0:0]\n:MINE - [0:0]\n-A FORWARD -p tcp -j DROP\n-A MINE -p udp -j DROP\nCOMMIT\n"
NATIVE = """{"nftables": [
  {"table": {"family": "inet", "name": "filter", "handle": 1}},
  {"chain": {"family": "inet", "table": "filter", "name": "one", "handle": 1}},
  {"chain": {"family": "inet", "table": "filter", "name": "two", "handle": 2}},
  {"rule": {"family": "inet", "table": "filter", "chain": "one", "handle": 6, "expr": [{"drop": null}]}},
  {"rule": {"family": "inet", "table": "filter", "chain": "two", "handle": 7, "expr": [{"drop": null}]}},
  {"rule": {"family": "inet", "table": "filter", "chain": "two", "handle": 8, "expr": [{"accept": null}]}}
]}"""
V4, V6, NFT = range(3)
TWIN = Route(ip_network("10.0.0.0/8"), "wlan0", None, 0, "main", "10.0.0.0/8 dev wlan0")
HOST = HostState(
    tables=(*parse_tables(RULES.splitlines(), 4), *parse_tables(RULES.splitlines(), 6), *parse_native(NATIVE)),
    routes=(TWIN, replace(TWIN)),
    sysctls={"a": "1", "b": "2"},
)


def _targets(host: HostState, table: int, chain: str) -> list[str]:
    return [rule.target for rule in host.tables[table].chains[chain].rules]


def test_a_rule_that_goes_is_that_one_alone() -> None:
    """One that reads alike stays, in the same chain, and of the other IP version; so does the state it came from."""
    rule = HOST.tables[V4].chains["FORWARD"].rules[0]
    chains = HOST.tables[V4].chains
    double = replace(chains["FORWARD"], rules=[replace(rule), rule])
    host = replace(HOST, tables=(replace(HOST.tables[V4], chains={**chains, "FORWARD": double}), *HOST.tables[1:]))
    after = without_rule(rule)(host)

    assert [one is rule for one in after.tables[V4].chains["FORWARD"].rules] == [False]
    assert _targets(after, V6, "FORWARD") == ["DROP"]
    assert [one is rule for one in host.tables[V4].chains["FORWARD"].rules] == [False, True]


def test_a_rule_that_is_not_there_changes_nothing() -> None:
    """Such as one of before the captures."""
    gone = Rule("-A FORWARD -p tcp -j DROP", "filter", "FORWARD", 1)

    assert without_rule(gone)(HOST) == HOST


@pytest.mark.parametrize(
    ("change", "table", "chain", "after"),
    [
        (with_rule("filter", "-A FORWARD -j ACCEPT"), V4, "FORWARD", ["DROP", "ACCEPT"]),
        (with_rule("filter", "-A FORWARD -j ACCEPT"), V4, "MINE", ["DROP"]),
        (with_rule("filter", "-A FORWARD -j ACCEPT"), V6, "FORWARD", ["DROP"]),
        (with_rule("filter", "-A FORWARD -j ACCEPT", 6), V6, "FORWARD", ["DROP", "ACCEPT"]),
        (with_rule("filter", "-A FORWARD -j ACCEPT", 6), V4, "FORWARD", ["DROP"]),
        (with_rule("nat", "-A FORWARD -j ACCEPT"), V4, "FORWARD", ["DROP"]),
        (first_in("filter", "FORWARD", "-A FORWARD -j ACCEPT", DUMPS[4]), V4, "FORWARD", ["ACCEPT", "DROP"]),
        (first_in("filter", "FORWARD", "-A FORWARD -j ACCEPT", DUMPS[4]), V4, "MINE", ["DROP"]),
        (first_in("nat", "FORWARD", "-A FORWARD -j ACCEPT", DUMPS[4]), V4, "FORWARD", ["DROP"]),
        (first_in("filter", "FORWARD", "-A FORWARD -j ACCEPT", DUMPS[4]), V6, "FORWARD", ["DROP"]),
        (first_in("filter", "FORWARD", "-A FORWARD -j ACCEPT", LEGACY[4]), V4, "FORWARD", ["DROP"]),
        (first_in("filter", "two", "-A two -j ACCEPT", DUMPS[4]), NFT, "two", ["DROP", "ACCEPT"]),
    ],
)
def test_a_rule_goes_into_its_chain_and_no_other(change: Change, table: int, chain: str, after: list[str]) -> None:
    """Behind all others or before them; in the table of that name, and by its dump of that IP version."""
    assert _targets(change(HOST), table, chain) == after


@pytest.mark.parametrize("version", [4, 6])
def test_the_first_rule_makes_the_nat_table(version: int) -> None:
    """As iptables does; no other table is made, and one that is there stays the only one."""
    change = with_rule("nat", "-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE", version)
    (made,) = (table for table in change(HostState()).tables if table.name == "nat")

    assert [rule.target for rule in made.chains["POSTROUTING"].rules] == ["MASQUERADE"]
    assert (made.chains["POSTROUTING"].hook, made.dump) == ("postrouting", DUMPS[version])
    assert len(change(change(HostState())).tables) == 1
    assert with_rule("raw", "-A PREROUTING -j NOTRACK", version)(HostState()).tables == ()


def _native(label: str = "inet filter", name: str = "two") -> HostState:
    return first_native(label, name, f"-A {name} -s 192.0.2.1 -j ACCEPT", [{"counter": {}}], "ACCEPT")(HOST)


def test_a_rule_of_nftables_own_comes_first_in_both_forms() -> None:
    """As rules are followed, and as the dump has them: before the first of its chain, with a handle that is free."""
    table = _native().tables[NFT]
    told = [item["rule"] for item in table.told if "rule" in item]

    assert [rule.target for rule in table.chains["two"].rules] == ["ACCEPT", "DROP", "ACCEPT"]
    assert [rule.target for rule in table.chains["one"].rules] == ["DROP"]
    assert [rule["handle"] for rule in told] == [6, INSERTED, 7, 8]
    assert told[1]["expr"] == [{"counter": {}}, {"accept": None}]
    assert table.chains["two"].rules[0].handle == INSERTED


@pytest.mark.parametrize(
    "make",
    [lambda: _native("filter", "FORWARD"), lambda: _native("ip filter"), lambda: _native(name="three")],
    ids=["iptables'", "other-family", "no-such-chain"],
)
def test_a_chain_of_nftables_own_is_meant(make: Callable[[], HostState]) -> None:
    """Nothing changes where there is none."""
    assert make() == HOST


def test_a_route_or_routing_rule_that_goes_is_that_one_alone() -> None:
    """Of two that read alike one stays."""
    rule = RoutingRule(5, 4, None, None, None, None, False, "main", None, "5: from all lookup main")
    host = replace(HOST, routing_rules=(replace(rule), rule))

    assert [one is TWIN for one in without_route(TWIN)(HOST).routes] == [False]
    assert [one is rule for one in without_routing_rule(rule)(host).routing_rules] == [False]


def test_settings_take_the_place_of_those_that_were() -> None:
    """All others stay, also in the state that it came from."""
    assert with_settings({"b": "0", "c": "3"})(HOST).sysctls == {"a": "1", "b": "0", "c": "3"}
    assert HOST.sysctls == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("words", "quoted"),
    [("-p tcp -j DROP", "-p tcp -j DROP"), ('--comment "a; reboot"', "--comment 'a; reboot'"),
     ("--comment it's", '\'--comment it\'"\'"\'s\'')],
)  # fmt: skip
def test_a_shell_takes_what_a_dump_says_as_it_stands_there(words: str, quoted: str) -> None:
    """Also where its quotes do not end."""
    assert for_shell(words) == quoted
