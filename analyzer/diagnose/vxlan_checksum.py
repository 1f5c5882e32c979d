"""VXLAN packets with a wrong outer UDP checksum: the other host's kernel drops them without a word."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.diagnose.sums import tell
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each point that is the first to see wrong checksums."""
    yield from tell(subject, CHECK, "outer UDP", outer=True)


CHECK = Check(
    "vxlan-checksum",
    Severity.ERROR,
    "captures that keep whole frames",
    "Packets of an overlay network are unanswered, and the UDP checksum of the VXLAN packet around them is wrong.",
    "ethtool -K IF tx-udp_tnl-csum-segmentation off tx off on the uplink: its driver computes sums of tunnels wrongly.",
    look,
)
