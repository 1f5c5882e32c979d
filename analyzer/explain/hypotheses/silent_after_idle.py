"""A connection was silent for a while, and from then on nothing that is sent in it is answered: somebody forgot it.

NAT, firewalls and load balancers beyond this host forget what is idle: some after minutes (RFC 5382 asks NAT for two
hours and four minutes), and drop what comes then without a word. conntrack of this host is another check's.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Count, Least, Most
from analyzer.explain.told import Told
from analyzer.model import Disposition, Severity
from analyzer.model.journey import CODES

IDLE_NS = 2_000_000_000
"""A pause that is none of the network's."""
TRIES = 3
"""How often the same was sent before anybody says that it is lost for good."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each server outside to which nothing gets through any more after a pause."""
    again, originals = case.tracer.sent_again
    tries = np.bincount(originals, minlength=case.context.packets)
    left = case.tracer.ends == CODES[Disposition.LEFT_HOST]
    late = np.flatnonzero((tries >= TRIES - 1) & (case.pause_ns >= IDLE_NS) & left & (case.connection >= 0))
    found: dict[str, list[int]] = {}
    for packet in late.tolist():
        of = case.packets_of(int(case.connection[packet]))
        others = case.reply[of] != case.reply[packet]
        if (others & (of < packet)).any() and not (others & (of > packet)).any():
            peer = str(case.context.dst(int(case.last_row[packet])))
            found.setdefault(peer, []).append(packet)
    for peer, packets in found.items():
        after = np.isin(originals, packets)
        about = sorted({*packets, *again[after].tolist()})
        yield Cause(about, partial(_tell, case, peer, packets), key=(peer,), also=case.troubled(packets))


def _tell(case: Case, peer: str, first: list[int], packets: list[int]) -> Told:
    pauses = case.pause_ns[[packet for packet in first if packet in packets] or first]
    where = case.context.point(int(case.last_row[packets[0]])).name
    return Told({
        "peer": peer, "where": where, "count": Count(len(np.unique(case.connection[packets]))),
        "least_s": Least(float(pauses.min() / 1e9)), "most_s": Most(float(pauses.max() / 1e9)),
    })  # fmt: skip


HYPOTHESIS = Hypothesis(
    "silent-after-idle",
    Severity.ERROR,
    "captures",
    "A connection that had carried answers was silent for two seconds and more, and nothing sent after that, though "
    "sent again and again, was answered.",
    "Send keepalives more often than whoever is between forgets.",
    causes,
    Specific.MECHANISM,
)
