"""SNAT gave connections other source ports, because theirs were taken, or at random."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural


def look(subject: Subject) -> Iterator[Finding]:
    """Count connections whose source port is another one after SNAT."""
    table = subject.context.connections
    ports = np.isin(table["proto"], (6, 17))
    numbers = np.flatnonzero(ports & subject.source_moved & (table["orig_sport"] != table["reply_dport"]))
    if not len(numbers):
        return
    connection = subject.tracer.connection(int(numbers[0]))
    packets = [int(subject.context.packets_of(number)[0]) for number in numbers[:5].tolist()]
    yield CHECK.finding(
        f"{plural(len(numbers), 'connection')} got another source port from SNAT",
        f"E.g. {connection.original} left from port {connection.reply.dport}: another connection to the same server "
        "had its port, or the rule takes ports at random. This is no fault; servers and firewalls see another port.",
        evidence=subject.evidence(packets),
    )


CHECK = Check(
    "nat-port-rewritten",
    Severity.INFO,
    "captures",
    "SNAT changed source ports, not only addresses.",
    "Nothing to do, unless something outside asks for a fixed source port.",
    look,
)
