"""A name server answers that it cannot tell."""

from collections.abc import Iterator

from analyzer.diagnose import container_name
from analyzer.diagnose.check import Check
from analyzer.diagnose.questions import FAILURES, by_server, told
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural
from analyzer.trace.names import EMBEDDED


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each server with questions that it failed; a warning, if it answers others."""
    for server, queries in by_server(subject.names).items():
        if server == EMBEDDED:
            continue
        left = [query for query in queries if subject.explains(query.journey) != container_name.CHECK.name]
        failed = [query for query in left if query.outcome in FAILURES]
        unknown = [query for query in left if query.outcome == "NXDOMAIN"]
        if failed:
            good = any(query.outcome in ("NOERROR", "NXDOMAIN") for query in queries)
            outcomes = ", ".join(dict.fromkeys(str(query.outcome) for query in failed))
            yield CHECK.finding(
                f"name server {server} failed {plural(len(failed), 'question')}: {outcomes}",
                f"Asked for {told(failed)}." + (" It answers other questions." if good else ""),
                severity=Severity.WARNING if good else Severity.ERROR,
                evidence=subject.evidence([query.answer for query in failed if query.answer is not None]),
            )
        if unknown:
            yield CHECK.finding(
                f"name server {server} knows no such name: {told(unknown)}",
                f"{plural(len(unknown), 'question')} got NXDOMAIN. Search domains make such questions, too.",
                severity=Severity.INFO,
                evidence=subject.evidence([query.answer for query in unknown if query.answer is not None]),
                remedy="If the name is right: does this server know it, or another one?",
            )


CHECK = Check(
    "dns-failed",
    Severity.ERROR,
    "captures",
    "A name server answered SERVFAIL, REFUSED or the like (info: NXDOMAIN).",
    "Ask the server by hand (dig @SERVER NAME); SERVFAIL is often one that this server asks in turn, or DNSSEC.",
    look,
)
