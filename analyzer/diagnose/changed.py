"""Counterfactuals: a remedy is applied to the recorded state, and the same packet runs through it once more."""

from collections.abc import Callable
from dataclasses import replace

from analyzer.diagnose.subject import Subject
from analyzer.host.netfilter.ruleset import parse_rule
from analyzer.model import HostState
from analyzer.model.netfilter import Chain, NativeChain, NativeTable, Rule
from analyzer.trace.text import summary
from analyzer.trace.way import Cause

Change = Callable[[HostState], HostState]


def tried(subject: Subject, packet: int, change: Change, *, whole_way: bool = False) -> str | None:
    """
    Say what becomes of a packet after a change; None if it is stopped all the same, or if that cannot be told.

    It goes on from where it was seen last, or *whole_way* from where it was seen first.
    """
    rows = subject.context.rows_of(packet)
    rows = rows[:1] if whole_way else rows
    after = subject.tracer.prover.tried(change(subject.host), packet, rows)
    if after is None or isinstance(after, Cause):
        return None
    return f"{summary(subject.context, rows)} is then {after}"


def offered(advice: str, helps: str | None) -> str:
    """Return advice that was tried; where it does not help, say that instead of offering it."""
    return advice if helps is not None else f"Not enough, for something else stops the packet after it: {advice}"


def without_rule(rule: Rule) -> Change:
    """Delete a rule."""

    def change(host: HostState) -> HostState:
        native = tuple(_native_without(table, rule) for table in host.native)
        return replace(_edited(host, lambda _, chain: replace(chain, rules=_others(chain.rules, rule))), native=native)

    return change


def with_rule(table: str, text: str) -> Change:
    """Append a rule, given as ``-A CHAIN ...``."""
    added = parse_rule(text, table)

    def edit(of: str, chain: Chain) -> Chain:
        return replace(chain, rules=[*chain.rules, added]) if (of, chain.name) == (table, added.chain) else chain

    return lambda host: _edited(host, edit)


def _edited(host: HostState, edit: Callable[[str, Chain], Chain]) -> HostState:
    """Edit every chain; *edit* takes the table's name and the chain."""
    rulesets = tuple(
        replace(rules, tables={table: {name: edit(table, chain) for name, chain in chains.items()}
                               for table, chains in rules.tables.items()})
        for rules in host.rulesets
    )  # fmt: skip
    return replace(host, rulesets=rulesets)


def _others(rules: list[Rule], rule: Rule) -> list[Rule]:
    """Leave out one rule, once."""
    place = next((n for n, one in enumerate(rules) if one is rule), None)
    return rules if place is None else rules[:place] + rules[place + 1 :]


def _native_without(table: NativeTable, rule: Rule) -> NativeTable:
    chains: dict[str, NativeChain] = {
        name: replace(chain, rules=[one for one in chain.rules if one.shown is not rule])
        for name, chain in table.chains.items()
    }
    return replace(table, chains=chains)


def with_policy(table: str, name: str) -> Change:
    """Let a chain's policy accept."""

    def edit(of: str, chain: Chain) -> Chain:
        return replace(chain, policy="ACCEPT") if (of, chain.name) == (table, name) else chain

    return lambda host: _edited(host, edit)


def without_route(kind: str, dst: str) -> Change:
    """Delete a route."""

    def change(host: HostState) -> HostState:
        return replace(host, routes=tuple(r for r in host.routes if (r.kind, str(r.dst)) != (kind, dst)))

    return change


def with_settings(settings: dict[str, str]) -> Change:
    """Set sysctls."""
    return lambda host: replace(host, sysctls={**host.sysctls, **settings})
