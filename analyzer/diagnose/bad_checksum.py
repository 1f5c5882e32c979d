"""Packets whose checksum is really wrong, not only left to the network card: receivers drop them."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.diagnose.sums import WrongSum, wrong_sums
from analyzer.model import Finding, Severity
from analyzer.model.words import plural


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each point that is the first to see wrong checksums."""
    by_point: dict[str, list[WrongSum]] = {}
    for wrong in subject.once(wrong_sums):
        if not wrong.outer:
            by_point.setdefault(subject.context.point(wrong.row).name, []).append(wrong)
    for point, found in by_point.items():
        packets = [wrong.packet for wrong in found]
        yield CHECK.finding(
            f"{plural(len(found), 'packet')} with a wrong checksum from {point} on",
            "Their TCP, UDP or ICMP checksum does not fit their bytes, so receivers drop them. "
            + affected(subject, packets),
            evidence=tuple(subject.context.evidence(wrong.row) for wrong in found[:5]),
        )
        subject.claim(packets)


CHECK = Check(
    "bad-checksum",
    Severity.ERROR,
    "captures that keep whole frames",
    "Unanswered packets have a checksum that is neither right nor left to the network card.",
    "Something at or before that point changes packets and leaves the checksum: a rule (nft set), a driver, a tunnel. "
    "Try ethtool -K IF tx off rx off.",
    look,
)
