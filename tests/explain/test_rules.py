"""Rules below IP that may have stopped a question for a neighbour, or its answer."""

import json
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.absent.rules import answered, rules
from analyzer.explain.case import Case
from analyzer.model import ArpExchange, HostState, Mac
from analyzer.model.rules import Table
from analyzer.state.rules.nft import parse_native
from tests.build import C1, T0, arp, ether, mac
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import dumps

WEB = "172.17.0.3"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Record a question."""
    scene = Scene(tmp_path_factory.mktemp("rules"), dumps=dumps())
    scene.see("veth-c2", 10, ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, INSIDE, C1, WEB), 0x0806))
    return scene.case()


def _table(family: str, *packets: int | None, verdict: str = "drop", name: str = "fw") -> Table:
    """Make a table of rules that counted, or that have no counter."""
    entries: list[dict[str, Any]] = [
        {"table": {"family": family, "name": name, "handle": 1}},
        {"chain": {"family": family, "table": name, "name": "in", "handle": 1, "type": "filter", "hook": "input",
                   "prio": 0, "policy": "accept"}},
    ]  # fmt: skip
    for handle, count in enumerate(packets, 7):
        counter = [] if count is None else [{"counter": {"packets": count, "bytes": 0}}]
        match = {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": handle}}
        rule = {"family": family, "table": name, "chain": "in", "handle": handle}
        entries.append({"rule": rule | {"expr": [match, *counter, {verdict: None}]}})
    return parse_native(json.dumps({"nftables": entries}))[0]


def _asked(case: Case, host: HostState, answered_at: str | None = None) -> Asked:
    asker = Mac(int.from_bytes(mac(C1)))
    question = ArpExchange("arp", ip_address(WEB), asker, ip_address(INSIDE), "veth-c2", 1, T0, answered_at=answered_at)
    return Asked(case, host, question)


def _told(case: Case, after: Table, before: Table | None) -> list[Why]:
    host = replace(case.hosts[None], tables=(after,), tables_before=() if before is None else (before,))
    return list(rules(_asked(case, host)))


@pytest.mark.parametrize("family", ["arp", "bridge", "netdev"])
def test_a_rule_below_ip_that_counted_meanwhile_is_a_reason(case: Case, family: str) -> None:
    """It is told with its chain and place, and the command deletes just it; the one whose counter stood is not."""
    (why,) = _told(case, _table(family, 3, 9), _table(family, 3, 4))

    assert (why.facts["why"], why.facts["family"], why.facts["number"]) == ("rule", family, 2)
    assert why.facts["chain"] == f"{family} fw in"
    assert why.facts["commands"] == [f"nft delete rule {family} fw in handle 8"]
    assert why.proof[0].startswith(f"nft-ruleset.json: {family} fw in: ")


@pytest.mark.parametrize(
    ("after", "before"),
    [
        (_table("arp", 9), _table("arp", 9)),
        (_table("arp", 9), None),
        (_table("arp", None), _table("arp", None)),
        (_table("arp", 9, verdict="accept"), _table("arp", 4, verdict="accept")),
        (_table("inet", 9), _table("inet", 4)),
    ],
    ids=["stood-still", "no-dump-before", "no-counter", "accepts", "sees-no-arp"],
)
def test_a_rule_of_which_that_is_not_known_is_none(case: Case, after: Table, before: Table | None) -> None:
    """What a rule matches of ARP is not evaluated: only its counter may accuse it."""
    assert _told(case, after, before) == []


def test_a_name_from_a_dump_is_no_command(case: Case) -> None:
    """People paste what is offered."""
    (why,) = _told(case, _table("arp", 9, name="a;b"), _table("arp", 4, name="a;b"))

    assert why.facts["commands"] == ["nft delete rule arp 'a;b' in handle 7"]


def test_answers_that_got_lost_are_told_with_rules_that_nobody_counts(case: Case) -> None:
    """Only those below IP that drop: a counter would have told by itself. No more than three are named."""
    silent, counted, above = _table("arp", *[None] * 4), _table("bridge", 5), _table("inet", None)
    accepts = _table("netdev", None, verdict="accept")
    host = replace(case.hosts[None], tables=(counted, above, accepts, silent))
    (why,) = answered(_asked(case, host, "veth-web"))
    found = why.facts["rules"]

    assert (why.facts["why"], why.facts["answered_at"]) == ("answers-lost", "veth-web")
    assert isinstance(found, list)
    assert len(found) == 3
    assert all(str(text).startswith("arp fw in: ") for text in found)
    assert list(answered(_asked(case, host))) == []
