"""Counterfactuals: a remedy is applied to the recorded state, and the same packet runs through it once more."""

import shlex
from collections.abc import Callable
from dataclasses import replace

from analyzer.diagnose.confirmed import Change, helped
from analyzer.diagnose.subject import Subject
from analyzer.model import HostState, Route, RoutingRule
from analyzer.model.rules import Chain, Rule, Table
from analyzer.state.rules.iptables import DUMPS, parse_rule
from analyzer.trace.text import summary
from analyzer.trace.way import Cause, Passed


def tried(
    subject: Subject, packet: int, change: Change, *, whole_way: bool = False, translated: bool = False
) -> str | None:
    """
    Say what becomes of a packet after a change; None if it is stopped all the same, empty if that cannot be told.

    It goes on from where it was seen last, or *whole_way* from where it was seen first; with *translated* it only
    counts if it leaves with another source.
    """
    rows = subject.context.rows_of(packet)
    rows = rows[:1] if whole_way else rows
    after = subject.tracer.prover.tried(change(subject.host_of(packet)), packet, rows)
    if isinstance(after, Cause) and after.unknown:
        return ""
    if not isinstance(after, Passed) or not (after.source_moved or not translated):
        return None
    return helped(subject, packet, change, f"{summary(subject.context, rows)} is then {after.text}")


def tried_answer(subject: Subject, packet: int, change: Change) -> str | None:
    """Say that the host's answer to a packet passes after a change; None if it is stopped all the same."""
    rows = subject.context.rows_of(packet)
    stopped = subject.tracer.prover.answer(packet, rows, change(subject.host_of(packet)))
    return f"the answer to {summary(subject.context, rows)} is then stopped by no rule" if stopped is None else None


def for_shell(words: str) -> str:
    """Quote what a dump says, so that a shell takes it as it stands there: people paste remedies."""
    try:
        return shlex.join(shlex.split(words))
    except ValueError:
        return shlex.quote(words)


def offered(advice: str, helps: str | None) -> str:
    """Return advice that was tried; where it does not help, say that instead of offering it."""
    if helps is None:
        return f"Not enough, for something else stops the packet after it: {advice}"
    return advice if helps else f"{advice} Whether that is enough, the recorded rules do not decide."


def without_rule(rule: Rule) -> Change:
    """Delete a rule."""
    return lambda host: _edited(host, lambda _, chain: replace(chain, rules=_others(chain.rules, rule)))


def with_rule(table: str, text: str, version: int = 4) -> Change:
    """Append a rule to one of iptables' tables, given as ``-A CHAIN ...``."""

    def edit(of: Table, chain: Chain) -> Chain:
        if (of.dump, of.name) != (DUMPS[version], table) or not text.startswith(f"-A {chain.name} "):
            return chain
        return replace(chain, rules=[*chain.rules, parse_rule(text, of)])

    return lambda host: _edited(host, edit)


def with_policy(table: str, name: str) -> Change:
    """Let a chain's policy accept."""

    def edit(of: Table, chain: Chain) -> Chain:
        return replace(chain, policy="ACCEPT") if (of.label, chain.name) == (table, name) else chain

    return lambda host: _edited(host, edit)


def _edited(host: HostState, edit: Callable[[Table, Chain], Chain]) -> HostState:
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
