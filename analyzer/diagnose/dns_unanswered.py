"""A name server does not answer."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.questions import by_server, silent, slow, told
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.overview import NameQuery
from analyzer.model.words import plural
from analyzer.trace.names import EMBEDDED


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each server with questions that it left open; a warning, if it answers others."""
    everything = by_server(subject.names)
    for server, queries in by_server(silent(subject)).items():
        if server == EMBEDDED:
            continue
        packets = [query.journey for query in queries]
        answers = sum(query.answer is not None for query in everything[server])
        strangers = list(dict.fromkeys(str(query.stranger) for query in queries if query.stranger is not None))
        if strangers:
            yield _from_elsewhere(subject, str(server), strangers, queries)
            continue
        last = subject.context.point(int(subject.last_row[packets[0]])).name
        yield CHECK.finding(
            f"name server {server} left {plural(len(queries), 'question')} unanswered",
            f"Asked for {told(queries)}; last seen at {last}. "
            + (f"It answered {plural(answers, 'other')}." if answers else "It answered nothing at all."),
            severity=Severity.WARNING if answers else Severity.ERROR,
            evidence=subject.evidence(packets),
        )
        subject.claim(packets)
    for server, queries in by_server(slow(subject)).items():
        longest = max(queries, key=lambda query: query.latency_ns or 0)
        took, again = (longest.latency_ns or 0) / 1e9, longest.asked_again_ns
        slow_answers = f"took up to {took:.1f} s for {plural(len(queries), 'question')}"
        lost = f"answered {plural(len(queries), 'question')} only when asked again, up to {took:.1f} s later"
        yield CHECK.finding(
            f"name server {server} {slow_answers if again is None else lost}",
            f"Asked for {told(queries)}. "
            + (
                "Resolvers ask again, or give up, meanwhile."
                if again is None
                else f"Nothing came for {again / 1e9:.1f} s; the answer to what was asked then took "
                f"{took - again / 1e9:.3f} s: a question or an answer was lost, the server is not slow."
            ),
            severity=Severity.WARNING,
            evidence=subject.evidence([query.answer for query in queries if query.answer is not None]),
        )


def _from_elsewhere(subject: Subject, server: str, strangers: list[str], queries: list[NameQuery]) -> Finding:
    """Tell of answers that came, but not from whom was asked: askers throw them away (RFC 5452 section 9.1)."""
    packets = [query.journey for query in queries]
    subject.claim(packets)
    return CHECK.finding(
        f"answers to {plural(len(queries), 'question')} for {server} come from {', '.join(strangers)}",
        f"Asked for {told(queries)}. A resolver takes answers only from the address that it asked, so these are lost: "
        "the server has several addresses and answers from another one, or its answers are not translated back.",
        evidence=subject.evidence(packets, first=True),
        remedy=f"Ask {strangers[0]} instead (docker run --dns {strangers[0]}), or let the server answer from {server}.",
    )


CHECK = Check(
    "dns-unanswered",
    Severity.ERROR,
    "captures",
    "DNS questions got no answer for a second and more (warning: one that late).",
    "Try the server by hand (dig @SERVER NAME); /etc/resolv.conf in the container and docker run --dns say which.",
    look,
)
