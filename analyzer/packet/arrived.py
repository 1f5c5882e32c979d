"""What shows that a packet arrived, wherever it was seen last: an acknowledgement, or an answer to just that packet."""

import numpy as np

from analyzer.decode.offsets import FIN, PROTO_TCP, SYN
from analyzer.link.identity import has
from analyzer.packet.answers import Answers, acknowledged_before
from analyzer.packet.context import Context
from analyzer.schema import Array, Int64, Layer


def arrivals(context: Context, answers: Answers) -> Int64:
    """
    Return for each packet the one that shows it to have arrived, -1 where none does.

    An acknowledgement that covers a TCP segment shows it (RFC 9293 section 3.4), unless the segment was sent again:
    then either copy may have arrived. Of echo requests it is the reply of that number (RFC 792).
    """
    found = np.full(context.packets, -1, np.int64)
    if not context.packets:
        return found
    start = context.packet_start[:-1]
    row, connection = context.hops["row"][start], context.hops["connection"][start].astype(np.int64)
    frames = context.frames
    flags = frames["tcp_flags"][row]
    takes = has(frames["layers"][row], Layer.TCP) & (frames["proto"][row] == PROTO_TCP) & (connection >= 0)
    takes &= (frames["payload_len"][row] > 0) | (flags & (SYN | FIN) != 0)
    takes[np.concatenate(answers.sent_again)] = False
    segments = np.flatnonzero(takes)
    last = acknowledged_before(context, segments, np.full(len(segments), context.packets, np.int64))
    found[segments] = np.where(last > segments, last, -1)  # what came before it is about an original that nobody saw
    echo = has(frames["layers"][row], Layer.ECHO) & (connection >= 0)
    _echoes(echo, connection, context.hops["reply"][start], frames["seq"][row], found)
    return found


def _echoes(echo: Array, connection: Int64, reply: Array, sequence: Array, found: Int64) -> None:
    """Join echo requests with the first reply of their number, where the number was used once each way."""
    places = np.flatnonzero(echo)
    keys = connection[places] << 17 | sequence[places].astype(np.int64) << 1 | reply[places]
    values, first, count = np.unique(keys, return_index=True, return_counts=True)
    asked = np.flatnonzero((values & 1 == 0) & (count == 1))
    answer = np.searchsorted(values, values[asked] | 1)
    there = answer < len(values)
    there[there] = (values[answer[there]] == values[asked[there]] | 1) & (count[answer[there]] == 1)
    questions, answers = places[first[asked[there]]], places[first[answer[there]]]
    later = answers > questions
    found[questions[later]] = answers[later]
