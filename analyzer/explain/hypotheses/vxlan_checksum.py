"""VXLAN packets with a wrong outer UDP checksum: the other host's kernel drops them without a word."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.checksums import wrong_from
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.model import Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give each point that is the first to see wrong checksums."""
    return wrong_from(case, outer=True)


HYPOTHESIS = Hypothesis(
    "vxlan-checksum",
    Severity.ERROR,
    "captures that keep whole frames",
    "Packets of an overlay network are unanswered, and the UDP checksum of the VXLAN packet around them is wrong.",
    "ethtool -K IF tx-udp_tnl-csum-segmentation off tx off on the uplink: its driver computes sums of tunnels wrongly.",
    causes,
    Specific.SETTING,
    asks="whole frames (tcpdump -s 0), for their checksums",
)
