"""Rules below IP that may have stopped the question, or its answer."""

from collections.abc import Iterator
from shlex import quote

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.edits import for_shell
from analyzer.explain.told import Facts
from analyzer.model.rules import Rule
from analyzer.packet.prove import KILLS
from analyzer.packet.stops import moved

BELOW_IP = ("arp", "bridge", "netdev")
"""Families of tables that see ARP."""


def rules(asked: Asked) -> Iterator[Why]:
    """Give rules below IP that dropped something meanwhile: what they match of ARP is not evaluated."""
    for table in asked.host.tables:
        for rule in table.rules() if table.family in BELOW_IP else ():
            if rule.target in KILLS and rule.counts and moved(asked.host, rule):
                yield Why(_rule(rule, table.family), (f"{rule.dump}: {table.label} {rule.chain}: {rule.text}",))


def answered(asked: Asked) -> Iterator[Why]:
    """Look whether answers were seen, and got lost: with the rules below IP that do not count."""
    at = asked.question.answered_at
    if at is not None:
        silent = [
            f"{table.label} {rule.chain}: {rule.text}"
            for table in asked.host.tables
            for rule in (table.rules() if table.family in BELOW_IP else ())
            if rule.target in KILLS and not rule.counts
        ]
        facts: Facts = {"why": "answers-lost", "answered_at": at, "rules": silent[:3]}
        yield Why(facts, tuple(f"nft-ruleset.json: {text}" for text in silent[:3]))


def _rule(rule: Rule, family: str) -> Facts:
    command = f"nft delete rule {for_shell(rule.table)} {quote(rule.chain)} handle {rule.handle}"
    return {
        "why": "rule", "family": family, "rule": rule.text, "chain": f"{rule.table} {rule.chain}",
        "number": rule.number or 0, "commands": [command] if rule.handle is not None else [],
    }  # fmt: skip
