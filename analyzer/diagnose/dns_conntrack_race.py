"""Of two DNS questions sent at once from one port, one is lost in the host.

Both have the same tuple and race for its conntrack entry; the one that comes second cannot be inserted and is dropped
(nf_conntrack_core.c, __nf_conntrack_confirm, insert_failed). The resolver waits five seconds.
"""

from collections import defaultdict
from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.questions import silent, told
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Disposition, Finding, Severity
from analyzer.model.journey import CODES
from analyzer.model.overview import NameQuery
from analyzer.model.words import plural

TOGETHER_NS = 5_000_000


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of questions that are lost inside the host, while their twin from the same port gets through."""
    by_connection: dict[int, list[NameQuery]] = defaultdict(list)
    for query in subject.names:
        by_connection[int(subject.connection[query.journey])].append(query)
    lost: list[NameQuery] = []
    for query in silent(subject):
        if subject.tracer.ends[query.journey] == CODES[Disposition.LOST]:
            twins = by_connection[int(subject.connection[query.journey])]
            if any(_twin(query, other) and other.answer is not None for other in twins):
                lost.append(query)
    if not lost:
        return
    packets = [query.journey for query in lost]
    failed = subject.host_of(packets[0]).counted("conntrack.insert_failed")
    yield CHECK.finding(
        f"{plural(len(lost), 'DNS question')} lost in the host beside a twin from the same port",
        f"A and AAAA were asked at once from one socket, and one of them went no further: {told(lost)}. Both race for "
        "one conntrack entry, and the second one is dropped; the resolver then waits for its timeout.",
        basis=Basis.STATED if failed else Basis.INFERRED,
        evidence=subject.evidence(packets),
        proof=(f"conntrack-stats.txt: insert_failed went up by {failed}",) if failed else (),
    )
    subject.claim(packets)


def _twin(query: NameQuery, other: NameQuery) -> bool:
    return other.kind != query.kind and abs(other.asked_ns - query.asked_ns) < TOGETHER_NS


CHECK = Check(
    "dns-conntrack-race",
    Severity.ERROR,
    "captures (conntrack-stats.txt before and after)",
    "Of two DNS questions that were sent at once from one port, one was lost inside the host.",
    "docker run --dns-option single-request-reopen (resolv.conf(5)), or a name server in a container beside it.",
    look,
)
