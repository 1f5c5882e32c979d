"""conntrack's table is full: new connections are dropped."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analyzer.diagnose.check import Check
from analyzer.diagnose.host import conntrack_table
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity

DROPPED = "conntrack.drop"


def look(subject: Subject) -> Iterator[Finding]:
    """Compare the table with its limit, and the drops that it counted with the packets that are missing."""
    for host in subject.hosts.states:
        drops = host.counted(DROPPED) or 0
        everybody = subject.unclaimed(np.arange(subject.context.packets)).tolist() if drops else []
        missing = [p for p in everybody if subject.host_of(p) is host and _begins(subject, p)]
        for found in conntrack_table.check(host):
            subject.claim(missing)
            proof = (f"conntrack-stats.txt: drop went up by {drops}, {len(missing)} first packets are missing",)
            yield replace(
                found,
                severity=Severity.ERROR if drops else found.severity,
                evidence=subject.evidence(missing),
                proof=found.proof + (proof if drops else ()),
            )


def _begins(subject: Subject, packet: int) -> bool:
    """Tell whether a packet is of a connection that nobody answered: its first packets had no entry."""
    number = int(subject.connection[packet])
    return number >= 0 and not subject.context.connections["seen_reply"][number]


CHECK = Check(
    "conntrack-full",
    Severity.ERROR,
    "sysctl.txt (conntrack-stats.txt before and after)",
    "conntrack holds as many entries as it may; a warning from nine tenths on.",
    "Raise net.netfilter.nf_conntrack_max.",
    look,
)
