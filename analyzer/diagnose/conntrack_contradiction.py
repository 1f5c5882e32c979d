"""The recorded conntrack table tells another translation than the frames show."""

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Evidence, Finding, Severity


def look(subject: Subject) -> list[Finding]:
    """Report each connection whose conntrack entry contradicts its frames."""
    found: list[Finding] = []
    for contradiction in subject.contradictions:
        connection = subject.tracer.connection(contradiction.connection)
        entry = subject.hosts.everywhere.conntrack[contradiction.entry]
        packets = subject.context.packets_of(contradiction.connection)
        journey = subject.tracer.journey(int(packets[0]))
        found.append(
            CHECK.finding(
                f"conntrack and frames disagree about {connection.original}",
                f"The frames show replies as {connection.reply}; the conntrack entry says {entry.reply}. "
                "The frames stand; the entry is of another time, another host or another zone.",
                evidence=tuple(Evidence(hop.point, hop.frames[0]) for hop in journey.hops),
            )
        )
    return found


CHECK = Check(
    "conntrack-contradiction",
    Severity.WARNING,
    "captures, conntrack.txt",
    "The recorded conntrack table tells another translation than the frames show.",
    "Record the conntrack table on the same host, while the captures run.",
    look,
)
