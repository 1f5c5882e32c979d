"""A name server does not answer."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.questions import by_server, silent, slow, told
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
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
        last = subject.context.point(int(subject.last_row[packets[0]])).name
        yield CHECK.finding(
            f"name server {server} left {plural(len(queries), 'question')} unanswered",
            f"Asked for {told(queries)}; last seen at {last}. "
            + (f"It answered {answers} others." if answers else "It answered nothing at all."),
            severity=Severity.WARNING if answers else Severity.ERROR,
            evidence=subject.evidence(packets),
        )
        subject.claim(packets)
    for server, queries in by_server(slow(subject)).items():
        longest = max(query.latency_ns or 0 for query in queries) / 1e9
        yield CHECK.finding(
            f"name server {server} took up to {longest:.1f} s for {plural(len(queries), 'question')}",
            f"Asked for {told(queries)}. Resolvers ask again, or give up, meanwhile.",
            severity=Severity.WARNING,
            evidence=subject.evidence([query.answer for query in queries if query.answer is not None]),
        )


CHECK = Check(
    "dns-unanswered",
    Severity.ERROR,
    "captures",
    "DNS questions got no answer for a second and more (warning: one that late).",
    "Try the server by hand (dig @SERVER NAME); /etc/resolv.conf in the container and docker run --dns say which.",
    look,
)
