"""Questions to name servers, sorted by what became of them: four checks ask for them."""

from collections import defaultdict
from collections.abc import Container, Iterable

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
    joined = {query.answer for query in subject.names}
    quoted = {error.quoted for error in subject.errors}
    answered = {(q.name.lower(), q.kind, q.asker, q.server) for q in subject.names if q.answer is not None}
    return [
        query
        for query in subject.names
        if query.answer is None
        and (query.name.lower(), query.kind, query.asker, query.server) not in answered
        and query.journey not in quoted
        and not _answer_cut(subject, query, joined)
        and int(subject.connection[query.journey]) not in subject.claimed
        and subject.waited(query.journey)
    ]


def _answer_cut(subject: Subject, query: NameQuery, joined: Container[int | None]) -> bool:
    """Tell whether a packet that may be the answer was captured, but not enough of it."""
    context, number = subject.context, int(subject.connection[query.journey])
    for packet in subject.packets_of(number, reply=True).tolist() if number >= 0 else ():
        if packet not in joined and all(context.cut(row) for row in context.rows_of(packet)):
            return True
    return False


SLOW_NS = 1_000_000_000
"""Resolvers ask again after a second or more (resolv.conf(5), timeout)."""


def slow(subject: Subject) -> list[NameQuery]:
    """Return the questions whose answer took a second and more."""
    return [query for query in subject.names if (query.latency_ns or 0) >= SLOW_NS]


def told(queries: Iterable[NameQuery]) -> str:
    """Name what was asked for."""
    names = list(dict.fromkeys(f"{query.name} {query.kind}" for query in queries))
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
