"""From one packet on, nothing that is sent in a connection is answered, however often: somebody beyond drops it.

After a rest, NAT, a firewall or a load balancer has forgotten it: some do after minutes (RFC 5382 asks NAT for two
hours and four minutes). Right after the handshake, somebody lets SYNs pass and not what follows. What is too long for a
link, and what conntrack of this host forgot, are other checks'.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.long_packets import LONG
from analyzer.explain.tally import Count, Least, Most
from analyzer.explain.told import Told
from analyzer.model import Disposition, Severity
from analyzer.model.journey import CODES

IDLE_NS = 2_000_000_000
"""A pause that is none of the network's."""
TRIES = 3
"""How often the same was sent before anybody says that it is lost for good."""
RESTED, OPENED, MIDWAY = "rested", "opened", "midway"
"""After a pause; after the handshake; in the midst of things."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each peer outside to which nothing gets through any more, by what came before."""
    again, originals = case.tracer.answers.sent_again
    tries = np.bincount(originals, minlength=case.context.packets)
    left = case.tracer.ends == CODES[Disposition.LEFT_HOST]
    last = np.flatnonzero((tries >= TRIES - 1) & left & (case.connection >= 0) & (case.first("payload_len") > 0))
    found: dict[tuple[str, str], list[int]] = {}
    for packet in last.tolist():
        of = case.packets_of(int(case.connection[packet]))
        others = case.reply[of] != case.reply[packet]
        before, after = of[others & (of < packet)], of[others & (of > packet)]
        if not len(before) or len(after):
            continue
        kind = _kind(case, packet, spoke=bool((case.first("payload_len")[before] > 0).any()))
        if kind == RESTED or case.first("ip_len")[packet] < LONG:
            peer = str(case.context.dst(int(case.last_row[packet])))
            found.setdefault((peer, kind), []).append(packet)
    for (peer, kind), packets in found.items():
        about = sorted({*packets, *again[np.isin(originals, packets)].tolist()})
        tell = partial(_tell, case, (peer, kind), packets)
        yield Cause(about, tell, key=(peer, kind), also=case.troubled(packets))


def _kind(case: Case, packet: int, *, spoke: bool) -> str:
    if case.pause_ns[packet] >= IDLE_NS:
        return RESTED
    return MIDWAY if spoke else OPENED


def _tell(case: Case, key: tuple[str, str], first: list[int], packets: list[int]) -> Told:
    pauses = case.pause_ns[[packet for packet in first if packet in packets] or first]
    where = case.context.point(int(case.last_row[packets[0]])).name
    return Told({
        "peer": key[0], "kind": key[1], "where": where, "count": Count(len(np.unique(case.connection[packets]))),
        "least_s": Least(float(pauses.min() / 1e9)), "most_s": Most(float(pauses.max() / 1e9)),
        "alive": Most(_alive(case, packets)),
    })  # fmt: skip


def _alive(case: Case, packets: list[int]) -> bool:
    """Tell whether the peer answers the same client at the same port later on, in another connection."""
    table, number = case.context.connections, int(case.connection[packets[0]])
    ends = ("proto", "orig_src_hi", "orig_src", "orig_dst_hi", "orig_dst", "orig_dport")
    same = np.logical_and.reduce([table[name] == table[name][number] for name in ends])
    same[number] = False
    later = np.flatnonzero(case.reply & np.append(same, False)[case.connection])
    return bool((later > packets[0]).any())


HYPOTHESIS = Hypothesis(
    "connection-goes-silent",
    Severity.ERROR,
    "captures",
    "From one packet on, nothing that leaves in a connection is answered, though it is sent again and again: after a "
    "pause, after the handshake, or midway.",
    "Send keepalives more often than whoever is between forgets; look for what drops it beyond this host.",
    causes,
    Specific.MECHANISM,
)
