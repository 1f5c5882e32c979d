"""VXLAN packets with a wrong outer UDP checksum: the other host's kernel drops them without a word."""

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
        if wrong.outer:
            by_point.setdefault(subject.context.point(wrong.row).name, []).append(wrong)
    for point, found in by_point.items():
        packets = [wrong.packet for wrong in found]
        yield CHECK.finding(
            f"{plural(len(found), 'packet')} with a wrong checksum from {point} on",
            "Their outer UDP checksum does not fit their bytes, so receivers drop them. " + affected(subject, packets),
            evidence=tuple(subject.context.evidence(wrong.row) for wrong in found[:5]),
        )
        subject.claim(packets)


CHECK = Check(
    "vxlan-checksum",
    Severity.ERROR,
    "captures that keep whole frames",
    "Packets of an overlay network are unanswered, and the UDP checksum of the VXLAN packet around them is wrong.",
    "ethtool -K IF tx-udp_tnl-csum-segmentation off tx off on the uplink: its driver computes sums of tunnels wrongly.",
    look,
)
