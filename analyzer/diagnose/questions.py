"""Questions to name servers, sorted by what became of them: four checks ask for them."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from analyzer.diagnose.subject import Subject
from analyzer.model import Address
from analyzer.model.overview import NameQuery

FAILURES = ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP")
SHOWN = 4


def by_server(queries: Iterable[NameQuery]) -> dict[Address, list[NameQuery]]:
    """Group questions."""
    found: dict[Address, list[NameQuery]] = defaultdict(list)
    for query in queries:
        found[query.server].append(query)
    return found


def silent(subject: Subject) -> list[NameQuery]:
    """
    Return the questions that got no answer although there was time for one, and that nothing explains so far.

    One that was asked again and answered then is not open. Nor is one whose connection has an answer that was cut so
    short that nobody can read it.
    """
    unreadable = subject.once(_with_cut_answers)
    quoted = {error.quoted for error in subject.errors}
    answered = {(q.name.lower(), q.kind, q.asker, q.server) for q in subject.names if q.answer is not None}
    return [
        query
        for query in subject.names
        if query.answer is None
        and (query.name.lower(), query.kind, query.asker, query.server) not in answered
        and query.journey not in quoted
        and int(subject.connection[query.journey]) not in unreadable
        and int(subject.connection[query.journey]) not in subject.claimed
        and subject.waited(query.journey)
    ]


def _with_cut_answers(subject: Subject) -> set[int]:
    """Return the connections of packets that may be answers, and of which no capture kept all."""
    context, frames, rows = subject.context, subject.context.frames, subject.context.hops["row"]
    if not context.packets:
        return set()
    cut = np.logical_and.reduceat(frames["cap_len"][rows] < frames["orig_len"][rows], context.packet_start[:-1])
    cut &= subject.reply
    cut[[query.answer for query in subject.names if query.answer is not None]] = False
    return set(subject.connection[cut].tolist())


SLOW_NS = 1_000_000_000
"""Resolvers ask again after a second or more (resolv.conf(5), timeout)."""


def slow(subject: Subject) -> list[NameQuery]:
    """Return the questions whose answer took a second and more."""
    return [query for query in subject.names if (query.latency_ns or 0) >= SLOW_NS]


def told(queries: Iterable[NameQuery]) -> str:
    """Name what was asked for."""
    names = list(dict.fromkeys(f"{query.name} {query.kind}" for query in queries))
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
