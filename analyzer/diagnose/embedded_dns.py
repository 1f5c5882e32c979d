"""Docker's own name server, 127.0.0.11, fails."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.questions import FAILURES, silent, told
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural
from analyzer.trace.names import EMBEDDED


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of questions that it failed or left open."""
    mine = [q for q in subject.names if q.server == EMBEDDED and not subject.explains(q.journey)]
    failed = [query for query in mine if query.outcome in FAILURES]
    failed += [query for query in silent(subject) if query.server == EMBEDDED]
    if not failed:
        return
    packets = [query.answer if query.answer is not None else query.journey for query in failed]
    yield CHECK.finding(
        f"Docker's name server failed {plural(len(failed), 'question')}",
        f"127.0.0.11 could not answer {told(failed)}. Names of containers it knows itself; all others it passes on to "
        "the servers of the host's resolv.conf or of --dns, which did not answer, or failed.",
        evidence=subject.evidence(packets),
    )
    subject.claim(packets)


CHECK = Check(
    "embedded-dns-failed",
    Severity.ERROR,
    "captures of a container's loopback (hoptrace capture --inside)",
    "Docker's own name server answered with a failure, or not at all.",
    "Capture the host's uplink as well: it shows whom dockerd asks. docker run --dns SERVER names another one.",
    look,
)
