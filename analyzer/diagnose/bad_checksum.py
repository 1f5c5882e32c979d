"""Packets whose checksum is really wrong, not only left to the network card: receivers drop them."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.diagnose.sums import tell
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each point that is the first to see wrong checksums."""
    yield from tell(subject, CHECK, "TCP, UDP or ICMP", outer=False)


CHECK = Check(
    "bad-checksum",
    Severity.ERROR,
    "captures that keep whole frames",
    "Unanswered packets have a checksum that is neither right nor left to the network card.",
    "Something at or before that point changes packets and leaves the checksum: a rule (nft set), a driver, a tunnel. "
    "Try ethtool -K IF tx off rx off.",
    look,
)
