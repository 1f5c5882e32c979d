"""Packets whose checksum is really wrong, not only left to the network card: receivers drop them."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.checksums import wrong_from
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.model import Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give each point that is the first to see wrong checksums."""
    return wrong_from(case, outer=False)


HYPOTHESIS = Hypothesis(
    "bad-checksum",
    Severity.ERROR,
    "captures that keep whole frames",
    "Unanswered packets have a checksum that is neither right nor left to the network card.",
    "Something at or before that point changes packets and leaves the checksum: a rule (nft set), a driver, a tunnel. "
    "Try ethtool -K IF tx off rx off.",
    causes,
    Specific.MECHANISM,
    asks="whole frames (tcpdump -s 0), for their checksums",
)
