"""TCP data that was sent and never came to this host: later segments of its sender count on it (RFC 9293)."""

import numpy as np

from analyzer.decode.offsets import FIN, SYN
from analyzer.link.identity import has
from analyzer.link.sorting import changes, lengths, stable_order
from analyzer.model import Role
from analyzer.packet.answers import HALF, behind
from analyzer.packet.context import Context
from analyzer.schema import Int64, Layer


def never_came(context: Context) -> tuple[Int64, Int64]:
    """
    Return the packets that came in by an uplink behind a hole that nothing filled any more, and its bytes.

    Of each connection and direction the last one, if it is behind one. Points that lost frames show no holes.
    """
    frames, start = context.frames, context.packet_start[:-1]
    first = context.hops["row"][start]
    connection = context.hops["connection"][start].astype(np.int64)
    inward = context.with_role(first, Role.UPLINK) & has(frames["layers"][first], Layer.TCP) & (connection >= 0)
    whole = [point.id for point in context.points if not point.dropped]
    packets = np.flatnonzero(inward & np.isin(frames["point"][first], whole))
    stream = connection[packets] * 2 + context.hops["reply"][start][packets]
    by_stream = stable_order(stream)
    order, stream = packets[by_stream], stream[by_stream]
    if not len(order):
        return order, order
    begins = np.flatnonzero(changes(stream))
    number = np.repeat(np.arange(len(begins)), lengths(begins, len(order)))
    seq, length, flags = (frames[name][first[order]].astype(np.int64) for name in ("seq", "payload_len", "tcp_flags"))
    begin = behind(seq, seq[begins][number]) + number * 4 * HALF  # streams are apart by more than numbers reach
    end = begin + length + (flags & SYN != 0) + (flags & FIN != 0)
    highest = np.maximum.accumulate(end)
    last = np.append(begins[1:], len(order)) - 1
    before = np.where(last > begins, highest[last - 1], begin[last])
    hole = np.where(flags[last] & SYN != 0, 0, begin[last] - before)
    behind_one = hole > 0
    return order[last[behind_one]], hole[behind_one]
