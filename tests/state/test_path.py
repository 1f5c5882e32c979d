"""Rules and packets whose verdict is known; what nobody knows is said, and never guessed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import HostState, Link, Route
from analyzer.model.question import ABSENT, OneOf
from analyzer.model.rules import Rule, Table, Verdict
from analyzer.model.verdict import Account
from analyzer.state.path import Path
from analyzer.state.rules import walk
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.names import PROTOCOLS
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.sets import parse_sets

FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [3:180]\n:OUTPUT ACCEPT [0:0]\n:USER - [0:0]\n{}\nCOMMIT\n"


OWN = ip_address("192.168.1.100")
HOST = HostState(
    links=(Link(2, "wlan0", None, None, None, (OWN,)), Link(3, "docker0", None, "bridge", None, ())),
    routes=(
        Route(ip_network("0.0.0.0/0"), "wlan0", None, 0, "main", "default dev wlan0"),
        Route(ip_network("::/0"), "wlan0", None, 0, "main", "default dev wlan0"),
    ),
)


def _path(*tables: Table, skip: Sequence[Rule] = ()) -> Path:
    """Return what runs packets through a host with some tables, whose own address is one and whose way out is one."""
    return Path(replace(HOST, tables=tables), skip=skip)


def _lost(*tables: Table) -> Path:
    """Return the same of a host that has a route to somewhere else alone."""
    route = Route(ip_network("10.0.0.0/8"), "wlan0", None, 0, "main", "10.0.0.0/8 dev wlan0")
    return Path(replace(HOST, routes=(route,), tables=tables))


def _read(text: str | list[str], version: int = 4) -> list[Table]:
    return parse_tables(text.splitlines() if isinstance(text, str) else text, version)


def _rules(*rules: str) -> list[Table]:
    return _read(FILTER.format("\n".join(rules)))


def _policy(account: Account) -> str | None:
    return None if account.policy is None else f"{account.policy[0].label} {account.policy[1]}"


def _packet(**values: object) -> Packet:
    given: dict[str, Any] = {
        "protocol": "tcp",
        "sport": 40_000,
        "dport": 80,
        "tcp_flags": 2,
        "ttl": 64,
        "iif": "docker0",
        **values,
    }
    src, dst = ip_address("172.17.0.2"), ip_address(str(given.pop("dst", "8.8.8.8")))
    return Packet(PROTOCOLS[given.pop("protocol")], src, dst, **given)


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
    result = _path(*_rules(*rules)).received(_packet())

    assert result.verdict is verdict
    assert (result.rule.text if result.rule else _policy(result)) == decided_by


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (
            "-A FORWARD -m bpf --bytecode 1,6 -j ACCEPT",
            "cannot tell whether “--bytecode 1,6” matches: it runs a program",
        ),
        (
            "-A FORWARD -m set ! --match-set bad src -j ACCEPT",
            "cannot tell whether “! --match-set bad src” matches: it asks a set that was not recorded",
        ),
        ("-A FORWARD -j NFQUEUE --queue-num 1", "cannot tell: target NFQUEUE asks a program in user space"),
        (
            "-A FORWARD -m limit --limit 1/sec -j ACCEPT",
            "cannot tell whether “--limit 1/sec” matches: it depends on a rate",
        ),
    ],
)
def test_what_nobody_knows(rule: str, why: str) -> None:
    """Neither yes nor no: unknown, with the match or target that is not known."""
    result = _path(*_rules(rule)).received(_packet())

    assert (result.verdict, result.text) == (Verdict.UNKNOWN, why)
    assert (result.rule and result.rule.text) == rule


def test_an_unknown_match_does_not_matter_where_another_one_fails() -> None:
    """The rule does not match, whatever the unknown one says."""
    rules = _rules("-A FORWARD -p udp -m bpf --bytecode 1,6 -j DROP", "-A FORWARD -j ACCEPT")

    assert _path(*rules).received(_packet()).verdict is Verdict.ACCEPT


def test_sets_that_were_recorded() -> None:
    """``ipset save`` beside the rules."""
    sets = parse_sets(
        ["create bad hash:net family inet", "add bad 8.8.8.0/24", "create other hash:ip,port family inet"]
    )
    text = FILTER.format("-A FORWARD -m set --match-set bad dst -j DROP\n-A FORWARD -j ACCEPT")
    evaluator = _path(*parse_tables(text.splitlines(), 4, sets))

    assert evaluator.received(_packet()).verdict is Verdict.DROP
    assert evaluator.received(_packet(dst="9.9.9.9")).verdict is Verdict.ACCEPT


def test_no_route_and_no_time_left() -> None:
    """What ends a packet between the hooks."""
    rules = _rules("-A FORWARD -j ACCEPT")

    assert _lost(*rules).received(_packet()).text == "no route to 8.8.8.8"
    assert _path(*rules).received(_packet(ttl=1)).text == "its TTL ends here"


def test_translations() -> None:
    """DNAT before routing, MASQUERADE after; one rule each, as for a hairpin."""
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
        "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
        "-A DOCKER -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"
        "-A POSTROUTING -s 172.17.0.0/16 -d 172.17.0.3/32 -j MASQUERADE\nCOMMIT\n"
    )
    result = _path(*_read(text)).received(_packet(dst="192.168.1.100", dport=8080))

    assert [(one.kind, one.to) for one in result.translations] == [("DNAT", "172.17.0.3:80"), ("MASQUERADE", None)]
    assert result.packet is not None
    assert (str(result.packet.dst), result.packet.dport) == ("172.17.0.3", 80)


@pytest.mark.parametrize("line", ["-A X --dport", "-A X --tcp-flags SYN", '-A X -m comment --comment "open'])
def test_a_rule_that_cannot_be_read_costs_no_other(line: str) -> None:
    """Whether it matches nobody knows; the rules before it still decide."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p icmp -j DROP\n{line.replace('X', 'INPUT')} -j DROP\nCOMMIT\n"
    evaluator = _path(*_read(text))
    ping = replace(_packet(dst="192.168.1.100"), protocol=1, icmp_type=8, icmp_code=0)

    assert evaluator.received(ping).verdict is Verdict.DROP
    assert evaluator.received(_packet(dst="192.168.1.100")).verdict is Verdict.UNKNOWN


def test_lines_that_are_none() -> None:
    """Refused with a ValueError, which names the dump."""
    with pytest.raises(ValueError):
        _read(["*filter", "[x:y] -A X"])


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
    result = _path(*_read(text)).received(_packet())

    assert result.rule is not None
    assert result.rule.text == decided_by


def _own(priority: int) -> list[Table]:
    """A chain of nftables' own that drops what is forwarded."""
    chain = {"family": "inet", "table": "own", "name": "fwd", "hook": "forward", "type": "filter", "prio": priority}
    rule = {"family": "inet", "table": "own", "chain": "fwd", "expr": [{"drop": None}]}
    dump = [{"table": {"family": "inet", "name": "own"}}, {"chain": chain}, {"rule": rule}]
    return parse_native(json.dumps({"nftables": dump}))


@pytest.mark.parametrize(("table", "own"), [("mangle", -150), ("filter", 0), ("security", 50)])
def test_nftables_chains_stand_between_the_tables(table: str, own: int) -> None:
    """A chain of nftables' own is asked before a table whose priority is higher, and after one whose is lower."""
    text = f"*{table}\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n"
    rules = _read(text)
    before, after = (_path(*rules, *_own(priority)).received(_packet()).rule for priority in (own - 1, own + 1))

    assert before is not None
    assert after is not None
    assert (before.table, after.table) == ("inet own", table)


ALL_HOOKS = "*{0}\n" + "".join(f":{hook} ACCEPT [0:0]\n" for hook in (
    "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"
)) + ":USER - [0:0]\n:OTHER - [0:0]\n{1}\nCOMMIT\n"  # fmt: skip


def _tables(**rules: list[str]) -> list[Table]:
    """Rules by table, each in a table that has all hooks and two chains of its own."""
    text = "".join(ALL_HOOKS.format(table, "\n".join(lines)) for table, lines in rules.items())
    return _read(text)


def _native(*expr: dict[str, Any], hook: str = "forward", **of: Any) -> list[Table]:
    """One rule in a base chain of nftables' own, which also has the chains ``other`` (drops) and ``empty``."""
    inside = {"family": "inet", "table": "own"}
    base = {**inside, "name": "fwd", "hook": hook, "type": "filter", "prio": 0, **of}
    dump: list[dict[str, Any]] = [
        {"table": {"family": "inet", "name": "own"}},
        {"chain": base},
        {"chain": {**inside, "name": "other"}},
        {"chain": {**inside, "name": "empty"}},
        {"rule": {**inside, "chain": "fwd", "expr": list(expr)}},
        {"rule": {**inside, "chain": "other", "expr": [{"counter": None}, {"drop": None}]}},
    ]
    return parse_native(json.dumps({"nftables": dump}))


def _received(rules: list[Table], native: list[Table] | None = None, **values: object) -> Account:
    return _path(*rules, *(native or ())).received(_packet(**values))


def _left(result: Account) -> Packet:
    assert result.verdict is Verdict.ACCEPT, result.text
    assert result.packet is not None
    return result.packet


DROP_ALL = {
    f"{hook}": [f"-A {hook} -j DROP"] for hook in ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
}  # fmt: skip
WAYS: dict[str, dict[str, tuple[str, ...]]] = {
    "received": {
        "PREROUTING": ("raw", "mangle", "nat"), "FORWARD": ("mangle", "filter", "security"),
        "POSTROUTING": ("mangle", "nat"),
    },
    "local": {"PREROUTING": ("raw", "mangle", "nat"), "INPUT": ("mangle", "filter", "security", "nat")},
    "sent": {
        "OUTPUT": ("raw", "mangle", "nat", "filter", "security"), "POSTROUTING": ("mangle", "nat")
    },
    "bridged": {
        "PREROUTING": ("raw", "mangle", "nat"), "FORWARD": ("mangle", "filter", "security"),
        "POSTROUTING": ("mangle", "nat"),
    },
}  # fmt: skip


@pytest.mark.parametrize("table", ["raw", "mangle", "nat", "filter", "security"])
@pytest.mark.parametrize("hook", DROP_ALL)
@pytest.mark.parametrize("way", WAYS)
def test_which_chains_a_packet_passes(way: str, hook: str, table: str) -> None:
    """Those of its way's hooks, in the tables that have such a chain."""
    evaluator = _path(*_tables(**{table: DROP_ALL[hook]}))
    packet = _packet(dst="192.168.1.100" if way == "local" else "8.8.8.8")
    run = {"sent": evaluator.sent, "bridged": evaluator.bridged}.get(way, evaluator.received)

    assert (run(packet).verdict is Verdict.DROP) is (table in WAYS[way].get(hook, ()))


@pytest.mark.parametrize("hook", DROP_ALL)
@pytest.mark.parametrize("way", WAYS)
def test_policies(way: str, hook: str) -> None:
    """A base chain that returns does what its policy says, which is told with its table."""
    rules = _read(["*mangle", f":{hook} DROP [0:0]", "COMMIT"])
    evaluator = _path(*rules)
    packet = _packet(dst="192.168.1.100" if way == "local" else "8.8.8.8")
    result = {"sent": evaluator.sent, "bridged": evaluator.bridged}.get(way, evaluator.received)(packet)
    passed = hook in WAYS[way]

    assert (result.verdict, _policy(result)) == (
        (Verdict.DROP, f"mangle {hook}") if passed else (Verdict.ACCEPT, None)
    )  # fmt: skip
    assert result.rule is None


@pytest.mark.parametrize(
    ("ttl", "left"), [(64, 63), (2, 1), (None, None), (1, "its TTL ends here"), (0, "its TTL ends here")]
)
def test_ttl(ttl: int | None, left: object) -> None:
    """Forwarding takes one, before the FORWARD hook is asked; a packet that has none left is dropped."""
    result = _received(_tables(filter=[]), ttl=ttl)

    if isinstance(left, str):
        assert (result.verdict, result.text, result.rule, result.policy) == (Verdict.DROP, left, None, None)
    else:
        assert _left(result).ttl == left


def test_ttl_in_the_forward_hook() -> None:
    """A rule there sees what is left, one in PREROUTING what came; for the host itself nothing is taken."""
    rules = _tables(mangle=["-A PREROUTING -m ttl --ttl-eq 64 -j ACCEPT", "-A PREROUTING -j DROP",
                            "-A FORWARD -m ttl --ttl-eq 63 -j DROP"])  # fmt: skip

    assert (rule := _received(rules).rule) is not None
    assert rule.chain == "FORWARD"
    assert _left(_received(rules, dst="192.168.1.100")).ttl == 64


def test_interfaces_on_each_way() -> None:
    """A packet for the host has no way out; a bridged one leaves by its bridge; one that is sent came in by none."""
    evaluator = _path(*_tables(filter=[]))
    forwarded, local = (_left(evaluator.received(_packet(dst=dst))) for dst in ("8.8.8.8", "192.168.1.100"))
    bridged = _left(evaluator.bridged(_packet()))
    sent, to_itself = (_left(evaluator.sent(_packet(iif=ABSENT, dst=dst))) for dst in ("8.8.8.8", "192.168.1.100"))

    assert (forwarded.iif, forwarded.oif, forwarded.bridged) == ("docker0", "wlan0", False)
    assert (local.iif, local.oif) == ("docker0", ABSENT)
    assert (bridged.iif, bridged.oif, bridged.bridged) == ("docker0", "docker0", True)
    assert (sent.iif, sent.oif, to_itself.oif) == (ABSENT, "wlan0", "lo")


def test_what_is_sent_is_routed_again_after_dnat() -> None:
    """OUTPUT sees the first way out, POSTROUTING the one to where DNAT sends it."""
    rules = _tables(
        nat=["-A OUTPUT -o lo -j DNAT --to-destination 9.9.9.9", "-A POSTROUTING -o wlan0 -j SNAT --to-source 1.1.1.1"]
    )
    result = _path(*rules).sent(_packet(iif=ABSENT, dst="192.168.1.100"))

    assert [one.kind for one in result.translations] == ["DNAT", "SNAT"]
    assert _left(result).oif == "wlan0"


@pytest.mark.parametrize(
    ("rules", "verdict", "counted"),
    [
        (["-A FORWARD -j USER", "-A USER -j OTHER", "-A OTHER -j ACCEPT", "-A FORWARD -j DROP"], Verdict.ACCEPT, 3),
        (["-A FORWARD -j USER", "-A USER -g OTHER", "-A USER -j DROP", "-A FORWARD -j ACCEPT"], Verdict.ACCEPT, 3),
        (["-A FORWARD -j USER", "-A USER -j OTHER", "-A USER -j DROP"], Verdict.DROP, 3),
        (["-A FORWARD -g USER", "-A USER -j ACCEPT", "-A FORWARD -j DROP"], Verdict.ACCEPT, 2),
        (["-A FORWARD -j RETURN", "-A FORWARD -j DROP"], Verdict.ACCEPT, 1),
        (["-A FORWARD -p udp -j DROP", "-A FORWARD -j ACCEPT"], Verdict.ACCEPT, 1),
        (["-A FORWARD", "-A FORWARD -j DROP"], Verdict.DROP, 2),
    ],
)
def test_chains(rules: list[str], verdict: Verdict, counted: int) -> None:
    """A chain that returns is gone on with behind the jump, behind a goto not; each rule that matched is counted."""
    result = _received(_tables(filter=rules))

    assert (result.verdict, len(result.matched)) == (verdict, counted)


@pytest.mark.parametrize(
    ("hook", "nat", "table", "rule", "stopped"),
    [
        ("PREROUTING", "DNAT --to-destination 9.9.9.9", "mangle", "-d 9.9.9.9", False),
        ("OUTPUT", "DNAT --to-destination 9.9.9.9", "mangle", "-d 9.9.9.9", False),
        ("OUTPUT", "DNAT --to-destination 9.9.9.9", "filter", "-d 9.9.9.9", True),
        ("INPUT", "SNAT --to-source 9.9.9.9", "filter", "-s 9.9.9.9", False),
        ("INPUT", "SNAT --to-source 9.9.9.9", "security", "-s 9.9.9.9", False),
        ("POSTROUTING", "SNAT --to-source 9.9.9.9", "mangle", "-s 9.9.9.9", False),
    ],
)
def test_when_nat_is_asked(hook: str, nat: str, table: str, rule: str, stopped: bool) -> None:
    """Destinations are translated behind mangle and before filter, sources behind all others."""
    rules = _tables(nat=[f"-A {hook} -j {nat}"], **{table: [f"-A {hook} {rule} -j DROP"]})
    evaluator = _path(*rules)
    packet = _packet(dst="192.168.1.100" if hook == "INPUT" else "8.8.8.8")
    result = evaluator.sent(packet) if hook == "OUTPUT" else evaluator.received(packet)

    assert len(result.translations) == 1
    assert (result.verdict is Verdict.DROP) is stopped


def test_chains_behind_nat_are_asked_though_nat_is_not() -> None:
    """Of a connection that conntrack knows, only the nat chains are left out."""
    rules = _tables(nat=["-A OUTPUT -j ACCEPT"], filter=["-A OUTPUT -j DROP"])

    assert _path(*rules).sent(_packet(ct_state="ESTABLISHED")).verdict is Verdict.DROP


def test_accepting_in_one_table_is_not_for_the_others() -> None:
    """The next table is asked as well."""
    rules = _tables(mangle=["-A FORWARD -j ACCEPT"], filter=["-A FORWARD -j DROP"])

    assert _received(rules).verdict is Verdict.DROP


@pytest.mark.parametrize(
    "target",
    ["LOG --log-prefix x", "NFLOG", "ULOG", "TCPMSS --clamp-mss-to-pmtu", "TRACE", "AUDIT --type accept", "CHECKSUM",
     "DSCP --set-dscp 0x00", "TOS --set-tos 0x00", "TTL --ttl-set 9", "HL --hl-set 9", "CLASSIFY --set-class 1:1",
     "ECN", "SECMARK", "CONNSECMARK", "RATEEST", "SET --add-set seen src", "LED", "CONNMARK --save-mark",
     "CONNMARK --set-xmark 0x1/0xffffffff", "MARK --set-xmark 0x1/0xffffffff", "CT --notrack", "CT --helper ftp"],
)  # fmt: skip
def test_targets_that_do_not_decide(target: str) -> None:
    """The next rule is asked."""
    result = _received(_tables(raw=[f"-A PREROUTING -j {target}", "-A PREROUTING -j DROP"]))

    assert (result.verdict, len(result.matched)) == (Verdict.DROP, 2)


@pytest.mark.parametrize("target", ["LOG", "NFLOG", "ULOG", "TRACE", "AUDIT", "RATEEST", "LED", ""])
def test_an_unknown_match_of_a_rule_that_changes_nothing(target: str) -> None:
    """It is passed over, and not counted."""
    jump = f" -j {target}" if target else ""
    result = _received(_tables(filter=[f"-A FORWARD -m bpf --bytecode 1{jump}", "-A FORWARD -j ACCEPT"]))

    assert (result.verdict, len(result.matched)) == (Verdict.ACCEPT, 1)


@pytest.mark.parametrize("state", ["NEW", "INVALID", "UNTRACKED"])
def test_what_has_no_entry_yet_is_as_new_in_another_zone(state: str) -> None:
    """Nothing was known of it in the first one either."""
    result = _received(_tables(raw=["-A PREROUTING -j CT --zone 1"], filter=["-A FORWARD -j ACCEPT"]), ct_state=state)

    assert (result.verdict, _left(result).ct_state) == (Verdict.ACCEPT, state)


def test_the_entry_of_another_zone_may_translate_otherwise() -> None:
    """What a bridge passes on goes its way all the same; what is routed may be for somebody else."""
    tables = _tables(
        raw=["-A PREROUTING -j CT --zone 1"], filter=["-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP"]
    )
    routed = _received(tables, ct_state="ESTABLISHED")

    assert (routed.verdict, routed.text) == (Verdict.UNKNOWN, "cannot tell: target CT --zone uses conntrack zones")
    bridged = _path(*tables).bridged(_packet(ct_state="ESTABLISHED"))
    assert bridged.verdict is Verdict.DROP


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("CT --zone-orig 1", "cannot tell: target CT --zone uses conntrack zones"),
        ("SYNPROXY --mss 1460", "cannot tell: target SYNPROXY is not followed"),
    ],
)
def test_targets_that_nobody_follows(target: str, why: str) -> None:
    """The verdict is unknown, and says why and by which rule."""
    result = _received(_tables(raw=[f"-A PREROUTING -j {target}"]))

    assert (result.verdict, result.text) == (Verdict.UNKNOWN, why)
    assert result.rule is not None
    assert result.rule.text == f"-A PREROUTING -j {target}"


@pytest.mark.parametrize(
    ("told", "before", "after"),
    [
        ("--set-xmark 0x1/0xffffffff", 0xFF, 0x1),
        ("--set-xmark 0x10/0x10", 0x01, 0x11),
        ("--set-xmark 0x0/0x1", 0x03, 0x02),
        ("--set-xmark 0x3/0x0", 0x01, 0x02),
        ("--set-xmark 7", 0xFF, 0x7),
        ("--set-mark 0x1", 0xFF, 0x1),
        ("--set-xmark 0xffffffff/0x0", 0x0, 0xFFFF_FFFF),
    ],
)
def test_marks(told: str, before: int, after: int) -> None:
    """The bits of the mask are cleared, then those of the value flipped."""
    assert _left(_received(_tables(mangle=[f"-A PREROUTING -j MARK {told}"]), mark=before)).mark == after


def test_a_transparent_proxy_takes_what_begins_a_connection() -> None:
    """It is marked, and no further rule of the table is asked; whether a socket has a later one, nobody knows."""
    seen = _tables(mangle=[
        "-A PREROUTING -p tcp -m socket --transparent -j DROP",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1",
        "-A PREROUTING -j DROP",
    ])  # fmt: skip
    new = _received(seen, ct_state="NEW", protocol="tcp", dport=80, mark=0x10)

    assert (new.verdict, _left(new).mark) == (Verdict.ACCEPT, 0x11)
    assert _received(seen, ct_state="ESTABLISHED", protocol="tcp", dport=80).verdict is Verdict.UNKNOWN


def test_conntrack_comes_after_raw() -> None:
    """In raw no connection has a state yet, behind it the packet has the one that it came with."""
    seen = _tables(
        raw=["-A PREROUTING -m conntrack --ctstate INVALID -j RETURN", "-A PREROUTING -j DROP"],
        mangle=["-A PREROUTING -m conntrack --ctstate INVALID -j DROP",
                "-A PREROUTING -m conntrack --ctstate ESTABLISHED -j RETURN", "-A PREROUTING -j DROP"],
    )  # fmt: skip

    assert _left(_received(seen, ct_state="ESTABLISHED")).ct_state == "ESTABLISHED"


@pytest.mark.parametrize(("priority", "state"), [(-201, "invalid"), (-200, "established"), (-199, "established")])
def test_nftables_chains_before_and_after_conntrack(priority: int, state: str) -> None:
    """Its priority is -200."""
    match = {"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": state}}
    native = _native(match, {"drop": None}, hook="prerouting", prio=priority)

    assert _received([], native, ct_state="ESTABLISHED").verdict is Verdict.DROP


@pytest.mark.parametrize("target", ["CT --notrack", "NOTRACK"])
def test_what_is_not_tracked(target: str) -> None:
    """It stays so, and is not translated."""
    rules = _tables(
        raw=[f"-A PREROUTING -j {target}"], nat=["-A PREROUTING -j DNAT --to-destination 9.9.9.9"],
        filter=["-A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT", "-A FORWARD -j DROP"],
    )  # fmt: skip
    result = _received(rules)

    assert (_left(result).ct_state, result.translations) == ("UNTRACKED", [])


@pytest.mark.parametrize("target", ["CT --notrack", "NOTRACK"])
def test_rules_behind_notrack_are_asked(target: str) -> None:
    """Both targets continue (notrack_tg of net/netfilter/xt_CT.c)."""
    result = _received(_tables(raw=[f"-A PREROUTING -j {target}", "-A PREROUTING -j DROP"]))

    assert result.verdict is Verdict.DROP


def test_a_native_translation_of_the_port_alone() -> None:
    """The address stays."""
    native = _native({"dnat": {"port": 8080}}, hook="prerouting", type="nat", prio=-100)
    result = _received([], native)

    assert (str(_left(result).dst), _left(result).dport, result.translations[0].to) == ("8.8.8.8", 8080, ":8080")


def test_nftables_notrack() -> None:
    """The same of nftables' own."""
    native = _native({"notrack": None}, hook="prerouting", prio=-300)

    assert _left(_received([], native)).ct_state == "UNTRACKED"


@pytest.mark.parametrize(
    ("target", "to", "dst", "dport", "changed"),
    [
        ("DNAT --to-destination 172.17.0.3:8080", "172.17.0.3:8080", "172.17.0.3", 8080, True),
        ("DNAT --to-destination 172.17.0.3", "172.17.0.3", "172.17.0.3", 80, True),
        ("DNAT --to-destination :8080", ":8080", "8.8.8.8", 8080, True),
        ("DNAT --to-destination 172.17.0.3-172.17.0.9:8080-8090", "172.17.0.3-172.17.0.9:8080-8090",
         OneOf(ip_address("172.17.0.3"), ip_address("172.17.0.9")), OneOf(8080, 8090), True),
        ("DNAT --to-destination 8.8.8.8:80", "8.8.8.8:80", "8.8.8.8", 80, False),
    ],
)  # fmt: skip
def test_destinations(target: str, to: str | None, dst: object, dport: object, changed: bool) -> None:
    """Of a range, one is taken, nobody knows which; what does not change anything is no translation to conntrack."""
    result = _received(_tables(nat=[f"-A PREROUTING -j {target}", "-A PREROUTING -j DROP"]))
    packet = _left(result)

    assert [(one.kind, one.to, one.rule.text) for one in result.translations] == [
        ("DNAT", to, f"-A PREROUTING -j {target}")
    ]
    wanted = ip_address(dst) if isinstance(dst, str) else dst
    assert (packet.dst, packet.dport, packet.ct_dnat, packet.ct_snat) == (wanted, dport, changed, False)
    assert (str(packet.src), packet.sport) == ("172.17.0.2", 40_000)


@pytest.mark.parametrize(
    ("target", "to", "dport"),
    [("REDIRECT --to-ports 8080", "8080", 8080), ("REDIRECT --to-ports 8080-8090", "8080-8090", OneOf(8080, 8090)),
     ("REDIRECT", None, 80)],
)  # fmt: skip
def test_redirects(target: str, to: str | None, dport: object) -> None:
    """The host gets it at a port that is told."""
    result = _received(_tables(nat=[f"-A PREROUTING -j {target}"]), dst="192.168.1.101")
    packet = _left(result)

    assert [(one.kind, one.to) for one in result.translations] == [("REDIRECT", to)]
    assert (packet.dport, packet.ct_dnat, packet.oif) == (dport, True, ABSENT)


@pytest.mark.parametrize(
    ("target", "dst", "iif", "changed"),
    [
        ("REDIRECT", "192.168.1.100", "wlan0", False),
        ("REDIRECT", "192.168.1.101", "wlan0", True),
        ("REDIRECT --to-ports 80", "192.168.1.100", "wlan0", False),
        ("REDIRECT --to-ports 8080", "192.168.1.100", "wlan0", True),
        ("REDIRECT --to-ports 80-89", "192.168.1.100", "wlan0", None),
        ("REDIRECT --to-ports 8080-8090", "192.168.1.100", "wlan0", True),
        ("REDIRECT", "192.168.1.100", "docker0", None),
        ("REDIRECT", "8.8.8.8", "docker0", True),
        ("REDIRECT --to-ports 8080", "192.168.1.100", "docker0", True),
        ("DNAT --to-destination 8.8.8.8-8.8.8.9", "8.8.8.8", "docker0", None),
        ("DNAT --to-destination 8.8.8.8-8.8.8.9", "8.8.4.4", "docker0", True),
        ("DNAT --to-destination 8.8.8.8-8.8.8.9:81", "8.8.8.8", "docker0", True),
    ],
)
def test_whether_a_destination_is_another_one(target: str, dst: str, iif: str, changed: bool | None) -> None:
    """Else conntrack does not call it translated; which of several addresses is taken, nobody knows."""
    packet = _left(_received(_tables(nat=[f"-A PREROUTING -p tcp -j {target}"]), dst=dst, iif=iif))

    assert packet.ct_dnat is changed


@pytest.mark.parametrize(
    ("target", "own", "changed"),
    [
        ("MASQUERADE", False, True),
        ("MASQUERADE", True, None),
        ("SNAT --to-source 192.168.1.100", True, None),
        ("SNAT --to-source 192.168.1.100:40000", True, False),
        ("SNAT --to-source 192.168.1.100:1024", True, True),
    ],
)
def test_whether_a_source_is_another_one(target: str, own: bool, changed: bool | None) -> None:
    """Its port stays the same unless another connection has it, which nobody knows."""
    path = _path(*_tables(nat=[f"-A POSTROUTING -p tcp -j {target}"]))
    packet = replace(_packet(iif=ABSENT), src=OWN)

    assert _left(path.sent(packet) if own else path.received(_packet())).ct_snat is changed


@pytest.mark.parametrize(
    ("target", "to", "src", "sport"),
    [
        ("SNAT --to-source 192.168.1.100", "192.168.1.100", "192.168.1.100", None),
        ("SNAT --to-source 192.168.1.100:1024", "192.168.1.100:1024", "192.168.1.100", 1024),
        ("SNAT --to-source 192.168.1.100:1024-2048", "192.168.1.100:1024-2048", "192.168.1.100", OneOf(1024, 2048)),
        ("MASQUERADE", None, "192.168.1.100", None),
    ],
)
def test_sources(target: str, to: str | None, src: str, sport: object) -> None:
    """Masquerading takes the address of the way out; it counts as a translation all the same."""
    result = _received(_tables(nat=[f"-A POSTROUTING -j {target}", "-A POSTROUTING -j DROP"]))
    packet = _left(result)

    assert [(one.kind, one.to) for one in result.translations] == [(target.split(maxsplit=1)[0], to)]
    assert (str(packet.src), packet.sport, packet.ct_snat, packet.ct_dnat) == (src, sport, True, False)
    assert (str(packet.dst), packet.dport) == ("8.8.8.8", 80)


def test_ipv6_destination_with_a_port() -> None:
    """In brackets."""
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DNAT --to-destination [fd00::3]:8080\nCOMMIT\n"
    packet = Packet("tcp", ip_address("2001:db8::1"), ip_address("2001:db8::2"), 1, 80, iif="eth0")
    left = _left(_path(*_read(text, 6)).received(packet))

    assert (str(left.dst), left.dport) == ("fd00::3", 8080)


@pytest.mark.parametrize("state", ["ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", None])
def test_nat_is_asked_for_first_packets_only(state: str | None) -> None:
    """Of a connection that conntrack knows, and of what is none, nothing is translated anew."""
    rules = _tables(nat=["-A PREROUTING -j DNAT --to-destination 9.9.9.9", "-A POSTROUTING -j MASQUERADE"])
    native = _native({"dnat": {"addr": "9.9.9.9"}}, hook="prerouting", prio=-90, type="nat")

    assert _received(rules, native, ct_state=state).translations == []


@pytest.mark.parametrize(
    ("port", "after"), [(8080, 8080), (None, 80)], ids=["with a port", "without a port"]
)  # fmt: skip
def test_a_connection_that_conntrack_knows(port: int | None, after: int) -> None:
    """Its destination is the old one in raw and mangle, and conntrack's from nat in PREROUTING on."""
    rules = _tables(
        mangle=["-A PREROUTING -d 8.8.8.8 -j ACCEPT", "-A PREROUTING -j DROP"],
        filter=[f"-A FORWARD -d 172.17.0.3 -p tcp --dport {after} -j ACCEPT", "-A FORWARD -j DROP"],
    )
    known = (ip_address("172.17.0.3"), port)
    packet = _left(_received(rules, ct_state="ESTABLISHED", ct_to=known))

    assert (str(packet.dst), packet.dport, packet.ct_to) == ("172.17.0.3", after, None)


@pytest.mark.parametrize(("priority", "dst"), [(-101, "8.8.8.8"), (-100, "172.17.0.3")])
def test_from_which_priority_on_the_destination_is_conntracks(priority: int, dst: str) -> None:
    """From that of nat in PREROUTING on, -100."""
    match = {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": dst}}
    native = _native(match, {"drop": None}, hook="prerouting", prio=priority)
    known = (ip_address("172.17.0.3"), None)

    assert _received([], native, ct_state="ESTABLISHED", ct_to=known).verdict is Verdict.DROP


def test_without_any_chain_the_destination_is_conntracks_too() -> None:
    """Routing needs it."""
    known = (ip_address("192.168.1.100"), 22)
    packet = _left(_received([], ct_state="ESTABLISHED", ct_to=known))

    assert (str(packet.dst), packet.dport, packet.oif) == ("192.168.1.100", 22, ABSENT)


def test_the_second_nat_chain_of_a_hook_is_not_asked() -> None:
    """What one has translated, no other one translates again; what it left alone, the other may."""
    rules = _tables(nat=["-A PREROUTING -p tcp -j DNAT --to-destination 9.9.9.9"])
    native = _native({"dnat": {"addr": "7.7.7.7"}}, hook="prerouting", prio=-90, type="nat")
    tcp, udp = (_received(rules, native, protocol=protocol) for protocol in ("tcp", "udp"))

    assert [one.to for one in tcp.translations] == ["9.9.9.9"]
    assert [one.to for one in udp.translations] == ["7.7.7.7"]


def test_the_second_nat_chain_is_not_asked_where_the_first_changed_nothing() -> None:
    """The first has decided all the same (nf_nat_initialized)."""
    rules = _tables(nat=["-A PREROUTING -j DNAT --to-destination 8.8.8.8"])
    native = _native({"dnat": {"addr": "7.7.7.7"}}, hook="prerouting", prio=-90, type="nat")

    assert str(_left(_received(rules, native)).dst) == "8.8.8.8"


@pytest.mark.parametrize(("hook", "priority"), [("postrouting", 110), ("input", 110)])
def test_the_second_source_chain_of_a_hook_is_not_asked(hook: str, priority: int) -> None:
    """Where sources are translated, as well; that the destination was translated does not matter."""
    rules = _tables(
        nat=["-A PREROUTING -j DNAT --to-destination :81", f"-A {hook.upper()} -p tcp -j SNAT --to-source 9.9.9.9"]
    )
    native = _native({"snat": {"addr": "7.7.7.7"}}, hook=hook, prio=priority, type="nat")
    dst = "192.168.1.100" if hook == "input" else "8.8.8.8"
    tcp, udp = (_received(rules, native, protocol=protocol, dst=dst) for protocol in ("tcp", "udp"))

    assert [one.to for one in tcp.translations] == [":81", "9.9.9.9"]
    assert [one.to for one in udp.translations] == [":81", "7.7.7.7"]


@pytest.mark.parametrize(
    ("state", "original", "verdict"),
    [
        ("NEW", None, Verdict.DROP),
        ("ESTABLISHED", None, Verdict.UNKNOWN),
        ("NEW", (ip_address("1.1.1.1"), ip_address("2.2.2.2"), 1, 2), Verdict.ACCEPT),
    ],
)
def test_the_original_tuple_of_a_first_packet(state: str, original: object, verdict: Verdict) -> None:
    """It is the packet's own, before it was translated; where one is known, that one counts."""
    source, destination = "--ctorigsrc 172.17.0.2 --ctorigsrcport 40000", "--ctorigdst 8.8.8.8 --ctorigdstport 80"
    rules = _tables(
        nat=["-A PREROUTING -j DNAT --to-destination 9.9.9.9:81"],
        filter=[f"-A FORWARD -m conntrack {source} {destination} -j DROP"],
    )

    assert _received(rules, ct_state=state, ct_original=original).verdict is verdict


def test_rules_that_shall_not_match() -> None:
    """They are left out, and others of the same text are not."""
    rules = _tables(filter=["-A FORWARD -j DROP", "-A FORWARD -j REJECT", "-A FORWARD -j DROP"])
    first, second, third = rules[0].rules()
    native = _native({"drop": None})
    own = native[0].chains["fwd"].rules[0]

    assert _path(*rules, skip=[first]).received(_packet()).rule is second
    assert _path(*rules, skip=[first, second]).received(_packet()).rule is third
    assert _left(_path(*native, skip=[own]).received(_packet())).oif == "wlan0"


def test_chains_that_call_each_other() -> None:
    """The kernel refuses them; a dump that has them gives no verdict."""
    result = _received(_tables(filter=["-A FORWARD -j USER", "-A USER -j OTHER", "-A OTHER -j USER"]))

    assert (result.verdict, result.text) == (Verdict.UNKNOWN, "cannot tell: chain USER calls itself")


@pytest.mark.parametrize(("deep", "verdict"), [(64, Verdict.DROP), (65, Verdict.UNKNOWN)])
def test_the_deepest_chain(deep: int, verdict: Verdict) -> None:
    """64 jumps into each other are followed, iptables' and nftables' own."""
    jumps = [f"-A C{n} -j C{n + 1}" for n in range(1, deep)]
    chains = [f":C{n} - [0:0]" for n in range(1, deep + 1)]
    lines = ["*filter", ":FORWARD ACCEPT [0:0]", *chains, "-A FORWARD -j C1", *jumps, f"-A C{deep} -j DROP", "COMMIT"]
    inside = {"family": "inet", "table": "own"}
    dump: list[dict[str, Any]] = [{"table": {"family": "inet", "name": "own"}}]
    dump += [{"chain": {**inside, "name": "C0", "hook": "forward", "type": "filter", "prio": 0}}]
    dump += [{"chain": {**inside, "name": f"C{n}"}} for n in range(1, deep + 1)]
    dump += [{"rule": {**inside, "chain": f"C{n}", "expr": [{"jump": {"target": f"C{n + 1}"}}]}} for n in range(deep)]
    dump += [{"rule": {**inside, "chain": f"C{deep}", "expr": [{"drop": None}]}}]
    reason = "" if verdict is Verdict.DROP else f"cannot tell: chain C{deep} calls itself"
    results = _received(_read(lines)), _received([], parse_native(json.dumps({"nftables": dump})))

    assert [(one.verdict, one.text) for one in results] == [(verdict, reason)] * 2


def test_the_most_rules_that_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many are asked, of iptables and of nftables' own together; with one more there is no verdict."""
    monkeypatch.setattr(walk, "MOST_RULES_ASKED", 3)
    two, three = (_tables(filter=["-A FORWARD -p udp -j DROP"] * count) for count in (2, 3))
    evaluator = _path(*two, *_native({"counter": None}, prio=10))
    results = [evaluator.received(_packet()) for _ in range(2)]
    more = _received(three, _native({"counter": None}, prio=10))

    assert [result.verdict for result in results] == [Verdict.ACCEPT, Verdict.ACCEPT]
    assert (more.verdict, more.text) == (Verdict.UNKNOWN, "cannot tell: chain fwd has too many rules before it")


@pytest.mark.parametrize(
    ("expr", "verdict", "counted"),
    [
        ([{"counter": None}, {"drop": None}], Verdict.DROP, 1),
        ([{"counter": None}, {"reject": None}], Verdict.REJECT, 1),
        ([{"accept": None}], Verdict.ACCEPT, 0),
        ([{"continue": None}, {"drop": None}], Verdict.DROP, 0),
        ([{"jump": {"target": "other"}}], Verdict.DROP, 1),
        ([{"goto": {"target": "other"}}], Verdict.DROP, 1),
        ([{"jump": {"target": "empty"}}, {"drop": None}], Verdict.DROP, 0),
        ([{"log": {"prefix": "x"}}, {"comment": "y"}, {"drop": None}], Verdict.DROP, 0),
        ([{"mangle": {"key": {"meta": {"key": "priority"}}, "value": 1}}, {"drop": None}], Verdict.DROP, 0),
        ([{"vmap": {"key": {"meta": {"key": "l4proto"}}, "data": {"set": [["tcp", {"drop": None}]]}}}],
         Verdict.DROP, 0),
        ([{"vmap": {"key": {"meta": {"key": "l4proto"}}, "data": {"set": [["tcp", {"jump": {"target": "other"}}]]}}}],
         Verdict.DROP, 1),
        ([{"vmap": {"key": {"fib": {"result": "type", "flags": "saddr"}},
                   "data": {"set": [["unicast", {"drop": None}]]}}}],
         Verdict.DROP, 0),
        ([{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": "daddr"}}, "right": "unicast"}},
          {"drop": None}], Verdict.DROP, 0),
        ([{"vmap": {"key": {"meta": {"key": "l4proto"}}, "data": {"set": [["udp", {"drop": None}]]}}},
          {"counter": None}, {"drop": None}], Verdict.ACCEPT, 0),
        ([{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "udp"}}, {"counter": None},
          {"drop": None}], Verdict.ACCEPT, 0),
        ([{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}, {"counter": None},
          {"drop": None}], Verdict.DROP, 1),
    ],
    ids=str,
)  # fmt: skip
def test_statements(expr: list[dict[str, Any]], verdict: Verdict, counted: int) -> None:
    """One after the other, until one decides or a match fails; a rule counts where its counter stands."""
    result = _received([], _native(*expr))

    assert (result.verdict, len(result.matched)) == (verdict, counted)
    assert (result.rule is not None) is (verdict is not Verdict.ACCEPT)


@pytest.mark.parametrize(
    ("expr", "verdict"),
    [
        ([{"goto": {"target": "empty"}}], Verdict.ACCEPT),
        ([{"return": None}], Verdict.ACCEPT),
        ([{"jump": {"target": "empty"}}], Verdict.DROP),
        ([{"accept": None}], Verdict.ACCEPT),
    ],
)
def test_what_ends_a_chain_of_nftables(expr: list[dict[str, Any]], verdict: Verdict) -> None:
    """Behind a goto, a return and an acceptance, the chain's next rule is not asked."""
    native = _native(*expr)
    drop = _native({"drop": None})[0].chains["fwd"].rules[0]
    native[0].chains["fwd"].rules.append(drop)

    assert _received([], native).verdict is verdict


@pytest.mark.parametrize(
    ("statement", "verdict", "policy"),
    [
        ({"return": None}, Verdict.DROP, "inet own fwd"),
        ({"goto": {"target": "empty"}}, Verdict.DROP, "inet own fwd"),
        ({"accept": None}, Verdict.ACCEPT, None),
    ],
)
def test_policies_of_nftables(statement: dict[str, Any], verdict: Verdict, policy: str | None) -> None:
    """It is told with its table's family; what was accepted, it does not reach."""
    result = _received([], _native(statement, policy="drop"))

    assert (result.verdict, _policy(result), result.rule) == (verdict, policy, None)


BY_PORT = {"map": {"key": {"payload": {"protocol": "tcp", "field": "dport"}},
                   "data": {"set": [[80, "9.9.9.9"], [81, "7.7.7.7"]]}}}  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "to", "end"),
    [
        ({"dnat": {"addr": "172.17.0.3", "port": 8080}}, "172.17.0.3:8080", "172.17.0.3 8080"),
        ({"dnat": {"addr": "172.17.0.3"}}, "172.17.0.3", "172.17.0.3 80"),
        ({"dnat": {"addr": "fd00::3", "port": 8080}}, "[fd00::3]:8080", "fd00::3 8080"),
        ({"dnat": {"addr": "fd00::3"}}, "fd00::3", "fd00::3 80"),
        ({"dnat": {"addr": BY_PORT, "port": 8080}}, None, "9.9.9.9 8080"),
        ({"dnat": {"addr": "172.17.0.3", "port": {"numgen": {"mode": "random", "mod": 9}}}}, None, "172.17.0.3 None"),
        ({"dnat": {"addr": {"range": ["1.1.1.1", "1.1.1.1"]}}}, None, "1.1.1.1 80"),
    ],
    ids=str,
)
def test_destinations_of_nftables(statement: dict[str, Any], to: str | None, end: str) -> None:
    """As iptables would say them; what an expression gives is not told, and taken if it is known."""
    result = _received([], _native(statement, {"drop": None}, hook="prerouting", prio=-100, type="nat"))
    packet = _left(result)

    assert [(one.kind, one.to, one.rule.table) for one in result.translations] == [("DNAT", to, "inet own")]
    assert f"{packet.dst} {packet.dport}" == end


@pytest.mark.parametrize(
    ("told", "to", "dport"), [({"port": 8080}, "8080", 8080), ({"port": "8080"}, "8080", 8080), (None, None, 80)]
)
def test_redirects_of_nftables(told: object, to: str | None, dport: int) -> None:
    """Likewise, to a port of the host's own."""
    native = _native({"redirect": told}, {"drop": None}, hook="prerouting", prio=-100, type="nat")
    result = _received([], native, dst="192.168.1.100")

    assert [(one.kind, one.to) for one in result.translations] == [("REDIRECT", to)]
    assert _left(result).dport == dport


@pytest.mark.parametrize(
    ("statement", "kind", "to", "src"),
    [
        ({"snat": {"addr": "192.168.1.100"}}, "SNAT", "192.168.1.100", "192.168.1.100"),
        ({"masquerade": None}, "MASQUERADE", None, "192.168.1.100"),
    ],
)
def test_sources_of_nftables(statement: dict[str, Any], kind: str, to: str | None, src: str) -> None:
    """As iptables would say them."""
    result = _received([], _native(statement, {"drop": None}, hook="postrouting", prio=100, type="nat"))
    packet = _left(result)

    assert [(one.kind, one.to) for one in result.translations] == [(kind, to)]
    assert (str(packet.src), packet.ct_snat) == (src, True)


def test_marks_of_nftables() -> None:
    """A number is set, or what an expression gives; what nobody knows makes the mark unknown."""
    mark = {"meta": {"key": "mark"}}

    assert _left(_received([], _native({"mangle": {"key": mark, "value": 7}}), mark=1)).mark == 7
    assert _left(_received([], _native({"mangle": {"key": mark, "value": {"|": [mark, 1]}}}), mark=2)).mark == 3
    assert _left(_received([], _native({"mangle": {"key": mark, "value": {"numgen": {}}}}), mark=2)).mark is None


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ({"queue": {"num": 1}}, "cannot tell: statement queue asks a program in user space"),
        ({"vmap": {"key": {"meta": {"key": "l4proto"}}, "data": "@lost"}},
         "cannot tell: @lost asks a set that was not recorded"),
    ],
)  # fmt: skip
def test_statements_that_nobody_follows(statement: dict[str, Any], why: str) -> None:
    """The verdict is unknown, and says why and by which rule."""
    result = _received([], _native(statement))

    assert (result.verdict, result.text) == (Verdict.UNKNOWN, why)
    assert result.rule is not None
    assert result.rule.table == "inet own"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("-j DNAT --to-destination here", "cannot tell: DNAT --to-destination here has a value that it cannot have"),
        (
            f"-j DNAT --to-destination {'x' * 99}",
            f"cannot tell: DNAT --to-destination {'x' * 58} has a value that it cannot have",
        ),
    ],
)
def test_a_value_that_its_option_cannot_have(rule: str, why: str) -> None:
    """No verdict, and the beginning of what is wrong."""
    result = _received(_tables(nat=[f"-A PREROUTING {rule}"]))

    assert (result.verdict, result.text) == (Verdict.UNKNOWN, why)


def test_a_jump_to_a_chain_that_is_not_there() -> None:
    """No verdict, of either kind of rules."""
    iptables = _received(_tables(filter=["-A FORWARD -j NOWHERE"]))
    own = _received([], _native({"jump": {"target": "nowhere"}}))

    assert (iptables.verdict, iptables.text) == (Verdict.UNKNOWN, "cannot tell: target NOWHERE is not followed")
    assert (own.verdict, own.text) == (
        Verdict.UNKNOWN,
        "cannot tell: rule “inet own fwd: jump nowhere” jumps to a chain that is not there",
    )


def test_no_route() -> None:
    """The packet is dropped behind PREROUTING, by no rule and no policy."""
    rules = _tables(mangle=["-A PREROUTING -j ACCEPT"], filter=["-A FORWARD -j ACCEPT"])
    result = _lost(*rules).received(_packet())

    assert (result.verdict, result.text, len(result.matched)) == (Verdict.DROP, "no route to 8.8.8.8", 1)
    assert (result.rule, result.policy) == (None, None)


def test_a_packet_that_was_stopped() -> None:
    """It is told as it came, for it did not leave."""
    packet = _packet()
    result = _path(*_tables(filter=["-A FORWARD -j DROP"])).received(packet)

    assert result.packet is not None
    assert (result.packet.dst, result.packet.oif, result.packet.ttl) == (packet.dst, ABSENT, 64)


def test_the_limited_broadcast_is_for_the_host() -> None:
    """No route is asked, so a default route does not send it on."""
    packet = _packet(dst="255.255.255.255", protocol="udp", tcp_flags=None)
    account = _path().received(packet)

    assert (account.verdict, account.for_host) == (Verdict.ACCEPT, True)
