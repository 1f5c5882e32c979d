"""TCP segments that came only when they were sent again: the originals were lost before any point saw them."""

import numpy as np

from analyzer.link.identity import has
from analyzer.link.sorting import changes, lengths, stable_order
from analyzer.model import Role
from analyzer.packet.answers import HALF, behind
from analyzer.packet.context import Context
from analyzer.schema import Int64, Layer

REORDERED_NS = 3_000_000
"""What comes later than this after its follower was sent again, not overtaken; Wireshark's limit, too."""


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
    found: Int64 = order[late[times[late] - times[overtook] > REORDERED_NS]]
    return found
