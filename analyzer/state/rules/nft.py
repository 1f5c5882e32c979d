"""``nft -j list ruleset`` to tables of chains of rules, in the one language of all rules (libnftables-json(5)).

Tables that ``iptables-save`` shows as well are left to it: their rules stand here as ``xt``, without their targets.
"""

import json
from collections.abc import Callable, Collection
from typing import Any

from analyzer.model.question import Constant, Elements, Expression, Field, Missing, Of, OneOf, Opaque
from analyzer.model.rules import (
    NFT,
    Chain,
    Count,
    Decide,
    Dispatch,
    Jump,
    NatTarget,
    Return,
    Rule,
    Statement,
    Step,
    Table,
    Translate,
    Unfollowed,
    Untrack,
    Verdict,
    Write,
)  # fmt: skip
from analyzer.state.rules.nft_questions import constant, elements, expression, match, of_type, pairs, result
from analyzer.state.rules.nft_text import rule_text, statement_text

Json = Any
IPTABLES = frozenset(("raw", "mangle", "nat", "filter", "security"))
MOST_STATEMENTS = 500_000
_WITHOUT_EFFECT = frozenset((
    "log", "comment", "continue", "ct helper", "ct timeout", "ct expectation", "reset", "last", "dup", "secmark",
    "flow", "tproxy",
))  # fmt: skip
"""Statements that change nothing which a rule can ask for, of this packet."""
_QUESTIONS = {
    "limit": Missing.RATE,
    "quota": Missing.HISTORY,
    "ct count": Missing.HISTORY,
    "connlimit": Missing.HISTORY,
}
"""Statements that let a packet go on to the next one, or not, and why nobody knows."""


def parse_native(text: str, elsewhere: Collection[str] = ("ip", "ip6")) -> list[Table]:
    """
    Read a dump; iptables' tables of the families in *elsewhere* are left out.

    Raises:
        ValueError, LookupError, TypeError: it is not what ``nft -j`` prints.
    """
    found: dict[tuple[str, str], Table] = {}
    count = 0
    for item in json.loads(text)["nftables"]:
        (kind, value), *_ = item.items()
        if kind == "table":
            found[value["family"], value["name"]] = Table(value["family"], value["name"], NFT, sets={})
            continue
        table = found.get((value.get("family"), value.get("table")))
        if table is None:
            continue
        table.told.append(item)
        if kind == "chain":
            table.chains[value["name"]] = _chain(value)
        elif kind in ("set", "map"):
            table.sets = {**table.sets, value["name"]: _elements(value)}
        elif kind == "rule":
            count += len(value["expr"])
            if count > MOST_STATEMENTS:
                raise ValueError(f"more than {MOST_STATEMENTS:,} statements")
            chain = table.chains[value["chain"]]
            chain.rules.append(_rule(table, chain, value))
    return [table for table in found.values() if table.name not in IPTABLES or table.family not in elsewhere]


def _chain(value: Json) -> Chain:
    hook, devices = value.get("hook"), value.get("dev") or ()
    return Chain(
        name=value["name"],
        policy=str(value.get("policy", "accept")).upper() if hook else None,
        hook=hook,
        kind=value.get("type") or "filter",
        priority=int(value.get("prio", 0)),
        devices=(devices,) if isinstance(devices, str) else tuple(devices),
    )


def _elements(value: Json) -> Elements:
    told, key = value.get("elem", ()), of_type(value.get("type"))
    if "map" not in value and not any(isinstance(one, list) for one in told):
        return elements({"set": list(told)}, key)
    read: Callable[[Json], Any] = _verdict if value.get("map") == "verdict" else result
    return pairs(told, key, lambda one: read(one) if isinstance(one, dict) or read is result else one)


def _rule(table: Table, chain: Chain, value: Json) -> Rule:
    counters: list[Json] = [s["counter"] for s in value["expr"] if isinstance(s.get("counter"), dict)]
    counter = counters[0] if counters else {}
    return Rule(
        text=f"{table.label} {chain.name}: {rule_text(value['expr'], str(value.get('comment', '')))}",
        table=table.label,
        chain=chain.name,
        number=len(chain.rules) + 1,
        steps=tuple(step for statement in value["expr"] for step in _steps(statement)),
        target=_target(value["expr"]),
        packets=int(counter.get("packets", 0)),
        bytes=int(counter.get("bytes", 0)),
        handle=int(value["handle"]) if "handle" in value else None,
        counts=bool(counters),
        dump=NFT,
        comment=str(value.get("comment", "")),
    )


def _target(statements: list[Json]) -> str:
    """Return what a rule ends with, as iptables would call it: a verdict, or the chain that it jumps to."""
    for kind, told in (item for statement in statements for item in statement.items()):
        if kind in ("accept", "drop", "reject", "return"):
            return str(kind).upper()
        if kind in ("jump", "goto"):
            return str(told["target"])
    return ""


def _steps(statement: Json) -> tuple[Step, ...]:
    """Return what a statement asks or does; nothing if it changes nothing that a rule can ask for."""
    (kind, told), *_ = statement.items()
    if kind == "match":
        return (match(told),)
    if kind == "counter":
        return (Count(),)
    if kind == "vmap":
        key, data = expression(told["key"]), told["data"]
        if not isinstance(data, str | dict):
            return (Unfollowed(statement_text(statement), Missing.VALUE),)
        of = data.removeprefix("@") if isinstance(data, str) else pairs(data.get("set", []), key, _verdict)
        return (Dispatch(key, of, statement_text(statement)),)
    if kind in _QUESTIONS:
        return (Opaque(statement_text(statement), _QUESTIONS[kind]),)
    if kind in ("set", "map"):  # what is added to a set with a limit may be refused, which ends the rule
        return (Opaque(statement_text(statement), Missing.HISTORY),) if told.get("stmt") else ()
    if kind == "xt" and isinstance(told, dict) and told.get("type") == "match":
        return (Opaque(f"xt match {told.get('name', '')}"),)
    if kind == "mangle":
        return _write(told)
    return () if kind in _WITHOUT_EFFECT else (_verdict(statement),)


def _verdict(statement: Json) -> Statement:
    """Return a statement that decides, jumps or translates; verdict maps have them as well."""
    (kind, told), *_ = statement.items()
    if kind in ("accept", "drop", "reject"):
        return Decide(Verdict(kind))
    if kind == "return":
        return Return()
    if kind in ("jump", "goto"):
        return Jump(told["target"], kind == "goto")
    if kind == "notrack":
        return Untrack()
    if kind in ("dnat", "snat", "masquerade", "redirect"):
        return _translate(NatTarget(kind.upper()), told if isinstance(told, dict) else {}, statement)
    return Unfollowed(f"statement {kind}", Missing.USERSPACE if kind == "queue" else Missing.TARGET)


_WRITTEN = frozenset((
    Field.MARK, Field.CT_MARK, Field.TTL, Field.DSCP, Field.SRC, Field.DST, Field.SPORT, Field.DPORT, Field.SRC_MAC,
    Field.DST_MAC,
))  # fmt: skip


def _write(told: Json) -> tuple[Step, ...]:
    key, of = expression(told["key"]), told["key"] if isinstance(told["key"], dict) else {}
    if isinstance(key, Of) and key.field in _WRITTEN:
        value = told["value"]
        return (Write(key.field, result(value) if isinstance(value, dict) else constant(value, key)),)
    if "ct" in of and of["ct"].get("key") == "zone":
        return (Unfollowed("ct zone set", Missing.ZONE),)
    if "payload" in of and "field" not in of["payload"]:  # bytes that have no name may be anything
        return (Unfollowed(statement_text({"mangle": told}), Missing.TARGET),)
    return ()


def _translate(kind: NatTarget, told: Json, statement: Json) -> Statement:
    address, port = told.get("addr"), told.get("port")
    if told.get("type_flags") == "prefix":
        return Unfollowed(statement_text(statement), Missing.TARGET)
    new_address, new_port = (None if one is None else _end(one) for one in (address, port))
    flags = told.get("flags") or ()
    if {"random", "fully-random"} & ({flags} if isinstance(flags, str) else set(flags)):
        new_port = new_port if isinstance(new_port, OneOf) else OneOf(1, 65_535)
    return Translate(kind, new_address, new_port, _told_end(kind, told))


def _end(told: Json) -> Expression:
    """Return an address or port that a translation gives; a prefix is all addresses in it."""
    if isinstance(told, str) and told.isdecimal():
        return Constant(int(told))
    return result(told)


def _told_end(kind: NatTarget, told: Json) -> str | None:
    """Return where a statement translates to, as iptables would say it; None where an expression says it."""
    address, port = told.get("addr", ""), told.get("port", "")
    if not isinstance(address, str) or not isinstance(port, int | str):
        return None
    if not address:
        plain = kind in (NatTarget.REDIRECT, NatTarget.MASQUERADE)
        return None if port == "" else str(port) if plain else f":{port}"
    return address if port == "" else f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
