"""Which first fragment a later one belongs to: its datagram's, and no other's that has the same identification.

Identifications come again, after 65,536 datagrams or at a sender's whim. A receiver puts together what comes within
its reassembly time, so the first fragment that is nearest in time is the one.
"""

import numpy as np

from analyzer.schema import Array, Int64

REASSEMBLY4_NS = 30_000_000_000
"""net.ipv4.ipfrag_time (IP_FRAG_TIME of include/net/ip.h)."""
REASSEMBLY6_NS = 60_000_000_000
"""net.ipv6.ip6frag_time (IPV6_FRAG_TIMEOUT of include/net/ipv6_frag.h; RFC 8200 section 4.5)."""


def nearest_first(group: Int64, time_ns: Int64, first: Array, limit_ns: Array | int) -> Int64:
    """
    Find each fragment's first one.

    Args:
        group: (n,) what the fragments of one datagram share, from 0.
        time_ns: (n,)
        first: (n,) bool: a datagram's first fragment, which carries the ports.
        limit_ns: (n,) or one for all: how far apart a datagram's fragments may come.

    Returns:
        (n,) places; -1 where there is none in reach. Of two that are equally near, the earlier one.
    """
    order = np.lexsort((np.arange(len(group)), time_ns, group))
    heads = np.flatnonzero(first[order])
    found = np.full(len(group), -1, np.int64)
    if not len(heads):
        return found
    behind = np.searchsorted(heads, np.arange(len(order)), side="right")
    best, distance = found.copy(), np.full(len(group), np.iinfo(np.int64).max)
    for candidate in (behind - 1, np.minimum(behind, len(heads) - 1)):
        place = order[heads[np.maximum(candidate, 0)]]
        apart = np.abs(time_ns[order] - time_ns[place])
        nearer = (candidate >= 0) & (group[place] == group[order]) & (apart < distance)
        best[nearer], distance[nearer] = place[nearer], apart[nearer]
    found[order] = np.where(distance <= (limit_ns if isinstance(limit_ns, int) else limit_ns[order]), best, -1)
    return found
