"""What nobody can answer is tried both ways; and what stands before and behind the IP stack."""

import json
from dataclasses import replace
from typing import Any

import pytest

from analyzer.model import Link
from analyzer.model.question import ABSENT, Missing, OneOf
from analyzer.model.rules import Table, Verdict
from analyzer.model.verdict import Account, Why
from analyzer.state.cases import MOST_CASES
from analyzer.state.path import Path
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from tests.state.rules.judge import HOST, syn

RANDOM = "-m statistic --mode random --probability 0.5"


def _account(*rules: str, policy: str = "ACCEPT", **packet: Any) -> Account:
    text = f"*filter\n:INPUT ACCEPT\n:FORWARD {policy}\n:USER - [0:0]\n" + "\n".join(rules) + "\nCOMMIT\n"
    return Path(replace(HOST, tables=tuple(parse_tables(text.splitlines(), 4)))).received(syn(**packet))


@pytest.mark.parametrize(
    ("rules", "policy", "verdict", "cases"),
    [
        ([f"-A FORWARD {RANDOM} -j ACCEPT"], "ACCEPT", Verdict.ACCEPT, 2),
        ([f"-A FORWARD {RANDOM} -j DROP"], "DROP", Verdict.DROP, 2),
        ([f"-A FORWARD {RANDOM} -j DROP"], "ACCEPT", Verdict.UNKNOWN, 2),
        ([f"-A FORWARD {RANDOM} -j USER", "-A USER -j RETURN", "-A FORWARD -j ACCEPT"], "DROP", Verdict.ACCEPT, 2),
        ([f"-A FORWARD {RANDOM} -j USER", "-A USER -j DROP"], "DROP", Verdict.DROP, 2),
        ([f"-A FORWARD {RANDOM} -j LOG", "-A FORWARD -j ACCEPT"], "DROP", Verdict.ACCEPT, 0),
        ([f"-A FORWARD {RANDOM} -p udp -j DROP"], "ACCEPT", Verdict.ACCEPT, 0),
        ([f"-A FORWARD {RANDOM} -j ACCEPT"] * 3, "ACCEPT", Verdict.ACCEPT, 4),
        ([f"-A FORWARD {RANDOM} -j REJECT"], "DROP", Verdict.UNKNOWN, 2),
    ],
)
def test_both_ways(rules: list[str], policy: str, verdict: Verdict, cases: int) -> None:
    """Where all cases come to the same, it was of no matter; a rule that changes nothing makes no case."""
    account = _account(*rules, policy=policy)

    assert (account.verdict, len(account.cases)) == (verdict, cases)


def test_on_what_it_hangs() -> None:
    """The first open question whose answer makes a difference, not the first open one."""
    account = _account(f"-A FORWARD {RANDOM} -j RETURN", f"-A FORWARD {RANDOM} -p tcp -j DROP")

    assert account.verdict is Verdict.UNKNOWN
    assert account.rule is not None
    assert account.rule.number == 2
    assert account.undecided is not None
    assert account.undecided.unknown.missing is Missing.CHANCE
    assert account.text == "cannot tell whether “--mode random” matches: it depends on chance"


def test_so_many_cases() -> None:
    """More than can be tried: even if all that were tried come to the same, nobody knows."""
    rules = [f"-A FORWARD {RANDOM} -j MARK --set-xmark {n}" for n in range(MOST_CASES)]
    text = "*mangle\n:FORWARD ACCEPT\n" + "\n".join(rules) + "\nCOMMIT\n"
    account = Path(replace(HOST, tables=tuple(parse_tables(text.splitlines(), 4)))).received(syn())

    assert account.verdict is Verdict.UNKNOWN
    assert account.undecided is not None
    assert account.undecided.unknown.missing is Missing.OUTCOMES
    assert len(account.cases) == MOST_CASES


def test_what_differs_is_not_known() -> None:
    """A mark that may be set or not; a destination of several, which all go the same way."""
    mangle = f"*mangle\n:PREROUTING ACCEPT\n-A PREROUTING {RANDOM} -j MARK --set-xmark 1\nCOMMIT\n"
    nat = (
        f"*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp {RANDOM} -j DNAT --to-destination 1.1.1.1\n"
        "-A PREROUTING -p tcp -j DNAT --to-destination 2.2.2.2\nCOMMIT\n"
    )
    marked, sent = (
        Path(replace(HOST, tables=tuple(parse_tables(text.splitlines(), 4)))).received(syn()) for text in (mangle, nat)
    )

    assert (marked.verdict, marked.packet.mark) == (Verdict.ACCEPT, None)
    assert (sent.verdict, sent.packet.dst, sent.packet.oif, sent.target_moved) == (Verdict.ACCEPT, None, "wlan0", True)


def test_the_trail() -> None:
    """Every rule that was asked, how deep, its answer, and the question that it was not."""
    account = _account("-A FORWARD -p udp -j DROP", "-A FORWARD -j USER", "-A USER -p tcp -m tcp --dport 80 -j DROP")
    told = [(one.depth, one.rule.number, one.answer, getattr(one.step, "text", None)) for one in account.trail]

    assert told == [(0, 1, False, "-p udp"), (0, 2, True, None), (1, 1, True, None)]
    assert {one.hook for one in account.trail} == {"forward"}
    assert [one.rule.chain for one in account.asked(matched=True)] == ["FORWARD", "USER"]


LINKS = (*HOST.links, Link(4, "veth1", None, "veth", "docker0", ()))


def _native(family: str, hook: str, *expr: dict[str, Any], **chain: Any) -> list[Table]:
    of = {"family": family, "table": "own"}
    return parse_native(json.dumps({"nftables": [
        {"table": {"family": family, "name": "own"}},
        {"chain": {**of, "name": "c", "hook": hook, "type": "filter", "prio": 0, "policy": "accept", **chain}},
        {"rule": {**of, "chain": "c", "handle": 1, "expr": [*expr, {"drop": None}]}},
    ]}))  # fmt: skip


def _by(name: str, key: str = "iifname") -> dict[str, Any]:
    return {"match": {"op": "==", "left": {"meta": {"key": key}}, "right": name}}


@pytest.mark.parametrize(
    ("tables", "way", "verdict"),
    [
        (_native("bridge", "forward"), "bridged", Verdict.DROP),
        (_native("bridge", "forward", _by("veth1")), "bridged", Verdict.DROP),
        (_native("bridge", "forward", _by("docker0")), "bridged", Verdict.ACCEPT),
        (_native("bridge", "forward", _by("veth2", "oifname")), "bridged", Verdict.UNKNOWN),
        (_native("bridge", "forward"), "received", Verdict.ACCEPT),
        (_native("bridge", "prerouting", _by("veth1")), "received", Verdict.DROP),
        (_native("bridge", "input"), "received", Verdict.DROP),
        (_native("bridge", "prerouting"), "bridged", Verdict.DROP),
        (_native("bridge", "postrouting"), "bridged", Verdict.DROP),
        (_native("bridge", "output"), "received", Verdict.ACCEPT),
        (_native("bridge", "output"), "to a container", Verdict.DROP),
        (_native("bridge", "postrouting"), "to a container", Verdict.DROP),
        (_native("netdev", "ingress", dev="veth1"), "received", Verdict.DROP),
        (_native("netdev", "ingress", dev=["eth9", "docker0"]), "received", Verdict.DROP),
        (_native("netdev", "ingress", dev="eth9"), "received", Verdict.ACCEPT),
        (_native("inet", "ingress", dev="veth1"), "bridged", Verdict.DROP),
        (_native("netdev", "egress", dev="wlan0"), "received", Verdict.DROP),
        (_native("netdev", "egress", dev="docker0"), "received", Verdict.ACCEPT),
        (_native("arp", "input"), "received", Verdict.ACCEPT),
    ],
)
def test_bridges_and_devices(tables: list[Table], way: str, verdict: Verdict) -> None:
    """Their own tables see the bridge's ports, and packets that go their way alone."""
    path = Path(replace(HOST, links=LINKS, tables=tuple(tables)))
    packet = syn(port_in="veth1")
    if way == "to a container":
        to_bridge = replace(HOST.routes[0], dev="docker0")
        path = Path(replace(HOST, links=LINKS, routes=(to_bridge,), tables=tuple(tables)))
        packet = syn(iif="wlan0", port_in=ABSENT)
    account = path.bridged(packet) if way == "bridged" else path.received(packet)

    assert account.verdict is verdict


def test_one_of_several_addresses() -> None:
    """What all of a range are, the packet is; else nobody knows."""
    nat = "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.2-10.0.0.9:80-90\nCOMMIT\n"
    rule = "*filter\n:FORWARD ACCEPT\n-A FORWARD {} -j DROP\nCOMMIT\n"
    verdicts = [
        Path(replace(HOST, tables=tuple(parse_tables((nat + rule.format(match)).splitlines(), 4)))).received(syn())
        for match in ("-d 10.0.0.0/28", "-d 10.0.0.0/30", "-d 10.0.1.0/24", "-p tcp -m tcp --dport 80:90",
                      "-p tcp -m tcp --dport 80:85", "-p tcp -m tcp --dport 91")
    ]  # fmt: skip

    assert [one.verdict for one in verdicts] == [
        Verdict.DROP, Verdict.UNKNOWN, Verdict.ACCEPT, Verdict.DROP, Verdict.UNKNOWN, Verdict.ACCEPT
    ]  # fmt: skip
    assert isinstance(verdicts[2].packet.dst, OneOf)
    assert verdicts[0].why is Why.RULE
