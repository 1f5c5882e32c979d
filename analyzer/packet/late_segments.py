"""TCP segments that came only when they were sent again: the originals were lost before any point saw them."""

import numpy as np

from analyzer.link.identity import has
from analyzer.link.sorting import changes, lengths, stable_order
from analyzer.model import Role
from analyzer.packet.answers import HALF, behind
from analyzer.packet.context import Context
from analyzer.schema import Array, Columns, Int64, Layer

IDS, NEAR = 1 << 16, 4_096
"""IDs that there are, and how far apart those of two packets may be that are counted, and not random."""
REORDERED_NS = 3_000_000
"""What comes later than this was sent again, not overtaken, unless IP IDs tell otherwise; Wireshark's limit, too."""


def late_segments(context: Context, again: Int64) -> Int64:
    """
    Return the packets that came in by an uplink and fill a hole that was there for a while.

    *again* are packets of which the captures have an earlier copy: those were not lost on the way here.
    """
    frames, start = context.frames, context.packet_start[:-1]
    first = context.hops["row"][start]
    connection = context.hops["connection"][start].astype(np.int64)
    reply = context.hops["reply"][start]
    inward = context.with_role(first, Role.UPLINK) & has(frames["layers"][first], Layer.TCP)
    packets = np.flatnonzero(inward & (frames["payload_len"][first] > 1) & (connection >= 0))
    packets = packets[~np.isin(packets, again)]
    if not len(packets):
        return packets
    stream = connection[packets] * 2 + reply[packets]
    by_stream = stable_order(stream)
    order, stream = packets[by_stream], stream[by_stream]
    begins = np.flatnonzero(changes(stream))
    number = np.repeat(np.arange(len(begins)), lengths(begins, len(order)))
    seq, length = (frames[name][first[order]].astype(np.int64) for name in ("seq", "payload_len"))
    end = behind(seq, seq[begins][number]) + length
    # Streams are set apart by more than sequence numbers reach, so that one running maximum serves all.
    end += number * 4 * HALF
    highest = np.maximum.accumulate(end)
    late = np.flatnonzero(end[1:] <= highest[:-1]) + 1
    overtook = np.searchsorted(highest, end[late])
    times = frames["time_ns"][first[order]]
    # What lies within the one that came first is no hole: a probe for a lost tail, or an answer to an old request.
    hole = (end - length)[overtook] > (end - length)[late]
    late, overtook = late[hole], overtook[hole]
    late, overtook = (places[times[late] - times[overtook] > REORDERED_NS] for places in (late, overtook))
    found: Int64 = order[late[~_sent_before(frames, first[order[late]], first[order[overtook]])]]
    return found


def _sent_before(frames: Columns, late: Int64, overtook: Int64) -> Array:
    """
    (n,) bool: a segment was sent before the one that overtook it, by the IDs of their IP packets.

    Those of one connection count up (net/ipv4/ip_output.c, ip_select_ident_segs); whoever sends again takes a new one.
    Where there are none, as in IPv6, nobody knows.
    """
    ids = (frames["ip_id"][rows].astype(np.int64) for rows in (late, overtook))
    one, other = ids
    ahead = (other - one) % IDS
    found: Array = (one > 0) & (other > 0) & (ahead > 0) & (ahead < NEAR)
    return found
