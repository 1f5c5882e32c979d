"""A packet's way through the chains of a hook: the kernel's order, what rules change, and what is assumed."""

import json
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model.question import ABSENT, Missing, OneOf
from analyzer.model.rules import Rule, Table, Verdict
from analyzer.model.verdict import Why
from analyzer.state.rules import walk
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.walk import Ended, Ends, Walk
from tests.state.rules.judge import OWN, syn

CHANCE = "-m statistic --mode random --probability 0.5"
ENDS = Ends(lambda _: ip_address("127.0.0.1"), lambda _: OWN)
OTHER = ip_address("172.17.0.9")
CHAINS = {
    "filter": "FORWARD A B", "nat": "PREROUTING POSTROUTING", "mangle": "PREROUTING FORWARD POSTROUTING",
    "raw": "PREROUTING",
}  # fmt: skip


def _tables(*rules: str, policy: str = "ACCEPT") -> list[Table]:
    """Read rules, each with its table in front; every table has all its chains, and filter the chains A and B."""
    text = ""
    for table, chains in CHAINS.items():
        heads = [f":{name} {policy if len(name) > 1 else '-'} [0:0]" for name in chains.split()]
        own = [rule.partition(" ")[2] for rule in rules if rule.partition(" ")[0] == table]
        text += "\n".join([f"*{table}", *heads, *own, "COMMIT\n"])
    return parse_tables(text.splitlines(), 4)


def _walk(*rules: str, policy: str = "ACCEPT", assumed: Sequence[bool] = (), skip: Sequence[Rule] = ()) -> Walk:
    return Walk(_tables(*rules, policy=policy), lambda _, __: None, ENDS, assumed=assumed, skip=skip)


def _native(*expressions: Any, kind: str = "filter", hook: str = "forward", maps: Any = ()) -> Walk:
    """Return a walk through one chain of nftables' own, of one rule."""
    own = {"family": "ip", "table": "own"}
    chain = {**own, "name": "c", "type": kind, "hook": hook, "prio": 0, "policy": "accept"}
    items = [{"table": {"family": "ip", "name": "own"}}, {"chain": chain}, *maps,
             {"rule": {**own, "chain": "c", "handle": 1, "expr": list(expressions)}}]  # fmt: skip
    return Walk(parse_native(json.dumps({"nftables": items})), lambda _, __: None, ENDS)


def _ended(walked: Walk, hook: str = "forward", **packet: Any) -> Ended:
    with pytest.raises(Ended) as ended:
        walked.hook(syn(**packet), hook)
    return ended.value


def test_tables_are_asked_in_the_order_of_their_priorities() -> None:
    """Whatever the order of the dump; each base chain is noted with what conntrack says there."""
    walked = _walk("raw -A PREROUTING -j ACCEPT", "mangle -A PREROUTING -j ACCEPT", "nat -A PREROUTING -j ACCEPT")
    walked.hook(syn(), "prerouting")

    assert [(met.table.name, met.state) for met in walked.met if met.table] == [
        ("raw", "INVALID"), ("mangle", "NEW"), ("nat", "NEW"),
    ]  # fmt: skip
    assert [asked.rule.table for asked in walked.trail] == ["raw", "mangle", "nat"]


@pytest.mark.parametrize(
    ("table", "state"), [("raw", "UNTRACKED"), ("mangle", "NEW")], ids=["before conntrack", "behind it"]
)
def test_tracking_is_left_out_only_before_conntrack(table: str, state: str) -> None:
    """What it has seen stays tracked."""
    assert _walk(f"{table} -A PREROUTING -j NOTRACK").hook(syn(), "prerouting").ct_state == state


@pytest.mark.parametrize(
    ("packet", "nat", "asked", "undecided"),
    [
        ({}, True, True, 0), ({}, False, False, 0), ({"ct_state": "ESTABLISHED"}, True, False, 0),
        ({"ct_state": "RELATED", "protocol": 1}, True, False, 0), ({"nat_dst": True}, True, False, 0),
        ({"nat_src": True}, True, True, 0),
        ({"ct_state": None}, True, False, 1),
    ],
    ids=str,
)  # fmt: skip
def test_nat_is_asked_for_a_first_packet(packet: Any, nat: bool, asked: bool, undecided: int) -> None:
    """Of which no chain has decided at this end yet; whether it is one, is assumed where nobody knows."""
    walked = _walk("nat -A PREROUTING -j DNAT --to-destination 172.17.0.9")
    moved = walked.hook(syn(**packet), "prerouting", nat=nat)

    assert (moved.dst == OTHER, len(walked.undecided)) == (asked, undecided)


def test_an_empty_nat_chain_leaves_nothing_to_assume() -> None:
    """And an assumption of yes has it asked."""
    walked = _walk()
    walked.hook(syn(ct_state=None), "prerouting")
    yes = _walk("nat -A PREROUTING -j DNAT --to-destination 172.17.0.9", assumed=(True,))

    assert walked.undecided == []
    assert yes.hook(syn(ct_state=None), "prerouting").dst == OTHER


def test_a_rule_or_a_policy_ends_the_way() -> None:
    """Which of them is told; a rule that shall not match is passed over."""
    tables = _tables("filter -A FORWARD -p tcp -j DROP", policy="DROP")
    rule = next(rule for table in tables for rule in table.rules())
    by_rule = _ended(Walk(tables[:1], lambda _, __: None, ENDS))
    by_policy = _ended(Walk(tables[:1], lambda _, __: None, ENDS, skip=(rule,)))

    assert (by_rule.verdict, by_rule.why, by_rule.told["rule"]) == (Verdict.DROP, Why.RULE, rule)
    assert (by_policy.why, by_policy.told["policy"][1]) == (Why.POLICY, "FORWARD")
    assert _ended(_walk("filter -A FORWARD -j REJECT")).verdict is Verdict.REJECT


@pytest.mark.parametrize(
    ("rules", "asked"),
    [
        (["-A FORWARD -j A", "-A A -j RETURN", "-A FORWARD -j ACCEPT"], [("FORWARD", 0), ("A", 1), ("FORWARD", 0)]),
        (["-A FORWARD -g A", "-A A -p tcp", "-A FORWARD -j ACCEPT"], [("FORWARD", 0), ("A", 1)]),
        (["-A FORWARD -j A", "-A A -g B", "-A B -p tcp", "-A A -j ACCEPT", "-A FORWARD -p tcp"],
         [("FORWARD", 0), ("A", 1), ("B", 2), ("FORWARD", 0)]),
        (["-A FORWARD -j A", "-A A -j ACCEPT", "-A FORWARD -j DROP"], [("FORWARD", 0), ("A", 1)]),
    ],
    ids=["return", "goto", "goto in a chain", "accept"],
)  # fmt: skip
def test_chains_come_back_behind_a_jump(rules: list[str], asked: list[tuple[str, int]]) -> None:
    """Behind a goto they come back to where its chain was called; what is accepted does not come back."""
    walked = _walk(*(f"filter {rule}" for rule in rules))
    walked.hook(syn(), "forward")

    assert [(one.rule.chain, one.depth) for one in walked.trail] == asked


def test_what_cannot_be_walked_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains that call each other, targets that nobody follows, and too many rules."""
    loop = _ended(_walk("filter -A FORWARD -j A", "filter -A A -j B", "filter -A B -j A"))
    queue = _ended(_walk("filter -A FORWARD -j NFQUEUE"))
    monkeypatch.setattr(walk, "MOST_RULES_ASKED", 2)
    enough = _walk(*["filter -A FORWARD -p tcp"] * 2).hook(syn(), "forward")
    many = _ended(_walk(*["filter -A FORWARD -p tcp"] * 3))

    assert enough == syn()
    assert [one.verdict for one in (loop, queue, many)] == [Verdict.UNKNOWN] * 3
    assert [one.told["undecided"].unknown.missing for one in (loop, queue, many)] == [
        Missing.LOOP, Missing.USERSPACE, Missing.COUNT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "undecided"),
    [
        (f"-A FORWARD {CHANCE} -j DROP", 1),
        (f"-A FORWARD {CHANCE} -j LOG", 0),
        (f"-A FORWARD {CHANCE} -p udp -j DROP", 0),
        (f"-A FORWARD -p udp {CHANCE} -j DROP", 0),
        (f"-A FORWARD {CHANCE} {CHANCE} -j DROP", 1),
    ],
)
def test_only_what_matters_is_assumed(rule: str, undecided: int) -> None:
    """Nothing where the rule does nothing, or where another question of it is no; and once for all of a rule."""
    walked = _walk(f"filter {rule}")
    walked.hook(syn(), "forward")

    assert len(walked.undecided) == undecided
    assert [asked.answer is True for asked in walked.trail] == [False]


def test_assumptions_are_taken_in_order_and_else_are_no() -> None:
    """The second yes is that of the second question."""
    rules = [f"filter -A FORWARD {CHANCE} -j DROP", f"filter -A FORWARD {CHANCE} -j REJECT"]

    assert _walk(*rules).hook(syn(), "forward") == syn()
    assert _ended(_walk(*rules, assumed=(True,))).verdict is Verdict.DROP
    assert _ended(_walk(*rules, assumed=(False, True))).verdict is Verdict.REJECT


def test_rules_that_match_are_counted() -> None:
    """Also those that only count, and not those that do not match."""
    walked = _walk("filter -A FORWARD -p tcp", "filter -A FORWARD -p udp", "filter -A FORWARD -j LOG")
    walked.hook(syn(), "forward")

    assert [rule.number for rule in walked.matched] == [1, 3]
    assert [asked.answer for asked in walked.trail] == [True, False, True]


@pytest.mark.parametrize(
    ("rule", "packet", "name", "value"),
    [
        ("mangle -A FORWARD -j TTL --ttl-dec 1", {"ttl": 64}, "ttl", 63),
        ("mangle -A FORWARD -j TTL --ttl-dec 9", {"ttl": 5}, "ttl", 0),
        ("mangle -A FORWARD -j TTL --ttl-dec 1", {"ttl": None}, "ttl", None),
        ("mangle -A FORWARD -j MARK --set-xmark 0x7/0xffffffff", {"mark": None}, "mark", 7),
        ("mangle -A FORWARD -j CONNMARK --save-mark", {"mark": 5}, "ct_mark", 5),
        ("mangle -A FORWARD -j CONNMARK --save-mark", {"mark": 5, "ct_state": "UNTRACKED"}, "ct_mark", None),
        ("mangle -A FORWARD -j CONNMARK --restore-mark", {"mark": 5, "ct_mark": 9}, "mark", 9),
        ("mangle -A FORWARD -j CONNMARK --restore-mark", {"mark": 5, "ct_state": "INVALID"}, "mark", 5),
    ],
)
def test_what_rules_write(rule: str, packet: Any, name: str, value: int | None) -> None:
    """No field becomes less than nothing; without a connection there is nothing to save to, or to restore."""
    assert getattr(_walk(rule).hook(syn(**packet), "forward"), name) == value


def test_where_nothing_is_to_write_one_tool_goes_on_and_the_other_does_not() -> None:
    """A target of iptables has matched nonetheless; of nftables, the rest of the rule is left out."""
    walked = _walk("mangle -A FORWARD -j CONNMARK --restore-mark")
    walked.hook(syn(ct_state="INVALID"), "forward")
    mangle = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"ct": {"key": "mark"}}}}

    assert [asked.answer for asked in walked.trail] == [True]
    assert _native(mangle, {"drop": None}).hook(syn(ct_state="INVALID"), "forward") == syn(ct_state="INVALID")
    assert _ended(_native(mangle, {"drop": None}), ct_mark=9).verdict is Verdict.DROP


def test_a_later_rule_sees_what_an_earlier_one_wrote() -> None:
    """Of the same hook, in a later table."""
    walked = _walk("mangle -A FORWARD -j MARK --set-mark 7", "filter -A FORWARD -m mark --mark 7 -j DROP")

    assert _ended(walked).verdict is Verdict.DROP


def _moved(rule: str, hook: str, **packet: Any) -> Packet:
    return _walk(f"nat -A {hook.upper()} {rule}").hook(syn(**packet), hook)


@pytest.mark.parametrize(
    ("rule", "dst", "dport", "dnat"),
    [
        ("-p tcp -j DNAT --to-destination 172.17.0.9:8080", OTHER, 8080, True),
        ("-p tcp -j DNAT --to-destination 172.17.0.9", OTHER, 80, True),
        ("-p tcp -j DNAT --to-destination 8.8.8.8:80", ip_address("8.8.8.8"), 80, False),
        ("-p tcp -j DNAT --to-destination 8.8.8.8:80-90", ip_address("8.8.8.8"), OneOf(80, 90), None),
        ("-p tcp -j DNAT --to-destination 8.8.8.8:90-99", ip_address("8.8.8.8"), OneOf(90, 99), True),
        ("-p tcp -j REDIRECT --to-ports 8080", ip_address("127.0.0.1"), 8080, True),
    ],
)
def test_destinations_are_translated(rule: str, dst: Any, dport: Any, dnat: bool | None) -> None:
    """It counts as translated if anything changes; of a range that has the old port, nobody knows."""
    moved = _moved(rule, "prerouting")

    assert (moved.dst, moved.dport, moved.ct_dnat) == (dst, dport, dnat)
    assert (moved.nat_dst, moved.nat_src, moved.redirected) == (True, False, "REDIRECT" in rule)


@pytest.mark.parametrize(
    ("rule", "src", "sport", "snat"),
    [
        ("-j MASQUERADE", OWN, None, True),
        ("-j SNAT --to-source 172.17.0.2", ip_address("172.17.0.2"), None, None),
        ("-p tcp -j SNAT --to-source 172.17.0.2:40000", ip_address("172.17.0.2"), 40_000, False),
        ("-p tcp -j SNAT --to-source 172.17.0.2:40001", ip_address("172.17.0.2"), 40_001, True),
    ],
)
def test_sources_are_translated(rule: str, src: Any, sport: Any, snat: bool | None) -> None:
    """Where the rule says no port, it may become another one, as another connection may have it."""
    walked = _walk(f"nat -A POSTROUTING {rule}")
    moved = walked.hook(syn(oif="wlan0", iif=ABSENT), "postrouting")

    assert (moved.src, moved.sport, moved.ct_snat, moved.nat_src) == (src, sport, snat, True)
    assert len(walked.translations) == 1


@pytest.mark.parametrize(
    ("hook", "rule", "dropped"),
    [
        ("prerouting", "mangle -A PREROUTING -d 8.8.8.8 -j DROP", True),
        ("prerouting", "mangle -A PREROUTING -d 172.17.0.9 -j DROP", False),
        ("postrouting", "mangle -A POSTROUTING -s 172.17.0.2 -j DROP", True),
        ("postrouting", "mangle -A POSTROUTING -s 172.17.0.9 -j DROP", False),
    ],
)
def test_a_known_connection_is_translated_where_nat_stands(hook: str, rule: str, dropped: bool) -> None:
    """mangle sees the packet as it came; behind the hook it is as conntrack has it."""
    packet = syn(ct_state="ESTABLISHED", oif="wlan0", ct_to=(OTHER, 8080), ct_from=(OTHER, None))
    if dropped:
        with pytest.raises(Ended):
            _walk(rule).hook(packet, hook)
        return
    found = _walk(rule).hook(packet, hook)
    own, others = ((found.dst, found.dport), (found.src, found.sport))

    assert (own, others) == (
        ((OTHER, 8080), (packet.src, 40_000)) if hook == "prerouting" else ((packet.dst, 80), (OTHER, 40_000))
    )


def test_a_map_that_has_nothing_ends_its_rule() -> None:
    """As if it did not match; what it has is done."""
    dport = {"payload": {"protocol": "tcp", "field": "dport"}}
    verdicts = {"vmap": {"key": dport, "data": {"set": [[80, {"drop": None}], [443, {"accept": None}]]}}}
    walked = _native(verdicts, {"drop": None})

    assert walked.hook(syn(dport=22), "forward") == syn(dport=22)
    assert [asked.answer for asked in walked.trail] == [False]
    assert _ended(_native(verdicts), dport=80).verdict is Verdict.DROP
    assert _native(verdicts, {"drop": None}).hook(syn(dport=443), "forward") == syn(dport=443)


def test_tables_of_the_other_ip_version_are_not_asked() -> None:
    """Those of both are."""
    text = {"nftables": [
        item
        for family in ("ip", "ip6", "inet")
        for item in (
            {"table": {"family": family, "name": "own"}},
            {"chain": {"family": family, "table": "own", "name": "c", "type": "filter", "hook": "forward", "prio": 0}},
        )
    ]}  # fmt: skip
    walked = Walk(parse_native(json.dumps(text)), lambda _, __: None, ENDS)
    walked.hook(syn(src="fd00::2", dst="fd00::9"), "forward")

    assert [met.table.family for met in walked.met if met.table] == ["ip6", "inet"]
