"""Reads /proc/net/netfilter/nfnetlink_queue: which queues programs read, and what becomes of packets for others."""

import re
from collections.abc import Iterable
from dataclasses import replace

from analyzer.model.rules import Decide, Rule, Table, Unfollowed, Verdict

QUEUES = frozenset(("NFQUEUE", "QUEUE"))
_NUMBER = re.compile(r"--queue-num (\d+)")
_SEVERAL = re.compile(r"--queue-(bypass|balance)")


def parse_readers(lines: Iterable[str]) -> frozenset[int] | None:
    """Return the numbers of the queues that a program reads; None if that was not recorded."""
    told = [line.split() for line in lines if line.strip()]
    if not told:
        return None
    return frozenset(int(words[0]) for words in told[1:] if words[0].isdecimal())


def unread(tables: Iterable[Table], read: frozenset[int] | None) -> None:
    """Let rules drop that give packets to a queue which nobody reads (net/netfilter/nf_queue.c, nf_queue())."""
    if read is None:
        return
    for chain in (chain for table in tables for chain in table.chains.values()):
        chain.rules[:] = [
            _dropping(rule) if (queue := queue_of(rule)) is not None and queue not in read else rule
            for rule in chain.rules
        ]


def queue_of(rule: Rule) -> int | None:
    """Return the only queue that a rule of iptables gives packets to, if there is no way round it."""
    if rule.target not in QUEUES or _SEVERAL.search(rule.text):
        return None
    number = _NUMBER.search(rule.text)
    return int(number[1]) if number is not None else 0


def _dropping(rule: Rule) -> Rule:
    steps = tuple(Decide(Verdict.DROP) if isinstance(step, Unfollowed) else step for step in rule.steps)
    return replace(rule, steps=steps)
