"""Changes to a recorded state: what a command would make of its rules, routes and settings."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from analyzer.explain.confirmed import Change
from analyzer.model import HostState, Route, RoutingRule
from analyzer.model.rules import Chain, Rule, Table
from analyzer.state.rules.iptables import DUMPS, parse_rule, parse_tables
from analyzer.state.rules.nft_text import rule_text

Json = Any


EMPTY_NAT = ("*nat", *(f":{name} ACCEPT [0:0]" for name in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")), "COMMIT")


@dataclass(frozen=True, slots=True)
class Fix:
    """A command, and what it changes in a recorded state."""

    command: str
    change: Change


def for_shell(words: str) -> str:
    """Quote what a dump says, so that a shell takes it as it stands there: people paste remedies."""
    try:
        return shlex.join(shlex.split(words))
    except ValueError:
        return shlex.quote(words)


Edit = Callable[[Table, Chain], Chain]


def without_rule(rule: Rule) -> Change:
    """Delete a rule."""
    return lambda host: _edited(host, lambda _, chain: replace(chain, rules=_others(chain.rules, rule)))


def with_rule(table: str, text: str, version: int = 4) -> Change:
    """Append a rule to one of iptables' tables, given as ``-A CHAIN ...``."""

    def edit(of: Table, chain: Chain) -> Chain:
        if (of.dump, of.name) != (DUMPS[version], table) or not text.startswith(f"-A {chain.name} "):
            return chain
        return replace(chain, rules=[*chain.rules, parse_rule(text, of)])

    return lambda host: _edited(_with_chain(host, table, version), edit)


def _with_chain(host: HostState, table: str, version: int) -> HostState:
    """Return a host that has the nat table, as iptables makes it when the first rule goes into it."""
    dump = DUMPS[version]
    if table != "nat" or any((one.dump, one.name) == (dump, table) for one in host.tables):
        return host
    return replace(host, tables=(*host.tables, *parse_tables(EMPTY_NAT, version, file=dump)))


def first_in(table: str, name: str, text: str, dump: str) -> Change:
    """Put a rule, given as ``-A CHAIN ...``, before all others of a chain of the tables that *dump* has."""

    def edit(of: Table, chain: Chain) -> Chain:
        if (of.dump, of.label, chain.name) != (dump, table, name):
            return chain
        return replace(chain, rules=[parse_rule(text, of), *chain.rules])

    return lambda host: _edited(host, edit)


INSERTED = 1 << 60
"""The handle of a rule that is tried; no kernel gives so high a number."""


def first_native(label: str, name: str, text: str, expressions: list[Json], verdict: str) -> Change:
    """Put a rule before all others of a chain of nftables' own, given as ``-A CHAIN ...`` and as ``nft -j`` has it."""

    def inserted(table: Table) -> Table:
        if not table.native or table.label != label or name not in table.chains:
            return table
        chain = table.chains[name]
        said = f"{label} {name}: {rule_text([*expressions, {verdict.lower(): None}])}"
        rule = replace(parse_rule(text, table), handle=INSERTED, text=said)
        made = {"family": table.family, "table": table.name, "chain": name, "handle": INSERTED,
                "expr": [*expressions, {verdict.lower(): None}]}  # fmt: skip
        place = next(
            (n for n, one in enumerate(table.told) if one.get("rule", {}).get("chain") == name), len(table.told)
        )
        told = [*table.told[:place], {"rule": made}, *table.told[place:]]
        return replace(table, chains={**table.chains, name: replace(chain, rules=[rule, *chain.rules])}, told=told)

    return lambda host: replace(host, tables=tuple(inserted(table) for table in host.tables))


def _edited(host: HostState, edit: Edit) -> HostState:
    """Edit every chain; *edit* takes its table as well."""
    tables = (
        replace(table, chains={name: edit(table, chain) for name, chain in table.chains.items()})
        for table in host.tables
    )
    return replace(host, tables=tuple(tables))


def _others(rules: list[Rule], rule: Rule) -> list[Rule]:
    """Leave out one rule, once."""
    place = next((n for n, one in enumerate(rules) if one is rule), None)
    return rules if place is None else rules[:place] + rules[place + 1 :]


def without_route(route: Route) -> Change:
    """Delete a route."""
    return lambda host: replace(host, routes=tuple(one for one in host.routes if one is not route))


def without_routing_rule(rule: RoutingRule) -> Change:
    """Delete a rule of ``ip rule``."""
    return lambda host: replace(host, routing_rules=tuple(one for one in host.routing_rules if one is not rule))


def with_settings(settings: dict[str, str]) -> Change:
    """Set sysctls."""
    return lambda host: replace(host, sysctls={**host.sysctls, **settings})
