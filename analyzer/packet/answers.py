"""Which packet answers which, and which one was sent again, among packets of one connection in order of time."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.decode.offsets import ACK, FIN, SYN
from analyzer.link.identity import has
from analyzer.link.sorting import changes, expand, group_rows, lengths, stable_order
from analyzer.packet.context import Context
from analyzer.schema import Array, Int64, Layer

HALF = 1 << 31
PATIENCE_NS = 5_000_000_000
"""How long a datagram waits for its answer; a resolver's default (resolv.conf(5), timeout)."""


@dataclass(frozen=True)
class Answers:
    """What packets answer and repeat; all (packets,), -1 for none."""

    answered_by: Int64
    answers: Int64
    retransmission_of: Int64

    @cached_property
    def sent_again(self) -> tuple[Int64, Int64]:
        """TCP packets that were sent before, in order of time, and the first of those that each repeats."""
        again = np.flatnonzero(self.retransmission_of >= 0)
        return again, self.retransmission_of[again]

    @cached_property
    def repeated(self) -> Array:
        """(packets,) bool: it was sent again."""
        found = np.zeros(len(self.retransmission_of), bool)
        found[self.sent_again[1]] = True
        return found

    def copies(self, packet: int) -> Int64:
        """Return the packets that repeat one, in order of time."""
        originals, copies = self._by_original
        return copies[slice(*np.searchsorted(originals, (packet, packet + 1)))]

    @cached_property
    def _by_original(self) -> tuple[Int64, Int64]:
        again, originals = self.sent_again
        order = stable_order(originals)
        return originals[order], again[order]


def find_answers(context: Context) -> Answers:
    """Join requests and replies among all packets."""
    connection = context.hops["connection"][context.packet_start[:-1]].astype(np.int64)
    order = stable_order(connection + 1)
    order = order[np.count_nonzero(connection < 0) :]
    found = [np.full(context.packets, -1, np.int64) for _ in range(3)]
    if not len(order):
        return Answers(*found)
    start = np.flatnonzero(changes(connection[order]))
    first = context.hops["row"][context.packet_start[order[start]]]
    tcp = has(context.frames["layers"][first], Layer.TCP)
    segments = order[np.repeat(tcp, lengths(start, len(order)))]
    for column, (packets, others) in zip(found, tcp_answers(context, segments), strict=True):
        column[packets] = others
    stop = np.append(start[1:], len(order))
    echo = has(context.frames["layers"][first], Layer.ECHO).tolist()
    row = context.hops["row"][context.packet_start[order]]
    reply = context.hops["reply"][context.packet_start[order]]
    number, time_ns = context.frames["icmp_seq"][row], context.frames["time_ns"][row]
    for group in np.flatnonzero(~tcp).tolist():
        mine = slice(start[group], stop[group])
        join, told = (_echo, number) if echo[group] else (_alternating, time_ns)
        for question, answer in join(order[mine], told[mine], reply[mine]):
            found[0][question], found[1][answer] = answer, question
    return Answers(*found)


def _echo(packets: Int64, sequence: Array, reply: Array) -> Iterator[tuple[int, int]]:
    """Give requests and replies: these carry the request's sequence number (RFC 792)."""
    asked: dict[int, int] = {}
    for packet, number, answers in zip(packets.tolist(), sequence.tolist(), reply.tolist(), strict=True):
        if not answers:
            asked[number] = packet
        elif number in asked:
            yield asked.pop(number), packet


def _alternating(packets: Int64, time_ns: Int64, reply: Array) -> Iterator[tuple[int, int]]:
    """Without numbers, a reply answers the oldest question that still waits; one that waited too long was lost."""
    waiting: deque[tuple[int, int]] = deque()
    for packet, time, answers in zip(packets.tolist(), time_ns.tolist(), reply.tolist(), strict=True):
        if not answers:
            waiting.append((packet, time))
            continue
        while waiting and time - waiting[0][1] > PATIENCE_NS:
            waiting.popleft()
        if waiting:
            yield waiting.popleft()[0], packet


@dataclass(slots=True)
class _Segments:
    """Packets of one TCP connection, in order of time; all arrays (n,)."""

    packet: Int64
    reply: Array
    seq: Int64
    ack: Int64
    flags: Array
    length: Int64
    """Sequence numbers that it takes: bytes, and one each for SYN and FIN."""


def _segments(context: Context, packets: Int64, row: Int64, reply: Array) -> _Segments:
    frames, row_of = context.frames, context.hops["row"]
    tcp = np.flatnonzero(frames["layers"][row] & np.uint32(Layer.TCP))
    packets, row, reply = packets[tcp], row[tcp], reply[tcp]
    size, flags = frames["payload_len"][row].astype(np.int64), frames["tcp_flags"][row]
    # A packet's first hop may be several frames; FIN is on the last one.
    start, last = context.packet_start[packets], context.packet_start[packets + 1] - 1
    several = np.flatnonzero((last > start) & (context.hops["hop"][np.minimum(start + 1, last)] == 0))
    if len(several):
        hop = np.searchsorted(context.hop_start, start[several], side="right")
        length = np.minimum(np.append(context.hop_start, len(row_of))[hop], last[several] + 1) - start[several]
        rows = row_of[expand(start[several], length)]
        size[several] = np.add.reduceat(frames["payload_len"][rows], np.cumsum(length) - length)
        flags[several] |= frames["tcp_flags"][row_of[start[several] + length - 1]]
    size += (flags & SYN != 0).astype(np.int64) + (flags & FIN != 0)
    seq, ack = (frames[name][row].astype(np.int64) for name in ("seq", "ack"))
    return _Segments(packets, reply, seq, ack, flags, size)


_Pairs = tuple[Int64, Int64]


def tcp_answers(context: Context, packets: Int64) -> tuple[_Pairs, _Pairs, _Pairs]:
    """
    Join segments and acknowledgements of TCP connections.

    An acknowledgement answers the newest segment it covers, and settles all before (RFC 9293 section 3.4).

    Args:
        context: of them.
        packets: all of some connections, connection by connection, in order of time.

    Returns:
        Packets and what answers them, packets and what they answer, packets and what they repeat.
    """
    start = context.packet_start[packets]
    row, reply = context.hops["row"][start], context.hops["reply"][start]
    segments = _segments(context, packets, row, reply)
    of = context.hops["connection"][context.packet_start[segments.packet]].astype(np.int64)
    number = np.cumsum(changes(of)) - 1 if len(of) else of
    settled = [_settle(segments, number, way) for way in (False, True)]
    answered_by, answers = (
        (np.concatenate([one[place][0] for one in settled]), np.concatenate([one[place][1] for one in settled]))
        for place in (0, 1)
    )
    return answered_by, answers, _sent_again(segments, of)


def acknowledged_before(context: Context, sent: Int64, until: Int64) -> Int64:
    """
    Return for each packet in *sent* the last acknowledgement before another one, *until*, if they cover it; else -1.

    Both are packets of one connection and direction each, as ``Answers.sent_again`` gives them.
    """
    if not len(sent):
        return sent
    start = context.packet_start[:-1]
    row, connection = context.hops["row"][start], context.hops["connection"][start].astype(np.int64)
    flags = context.frames["tcp_flags"][row]
    concerned = np.zeros(len(context.connections["proto"]) + 1, bool)
    concerned[connection[sent]] = True
    acks = np.flatnonzero(concerned[connection] & (connection >= 0) & (flags & ACK != 0))
    if not len(acks):
        return np.full(len(sent), -1, np.int64)
    way = context.hops["reply"][start]
    stream = connection * 2 + way
    order = acks[stable_order(stream[acks])]
    segments = _segments(context, sent, row[sent], way[sent])
    # All numbers are told from the first acknowledgement of their stream; streams are set apart by what they can reach.
    begins = np.flatnonzero(changes(stream[order]))
    number = np.repeat(np.arange(len(begins)), lengths(begins, len(order)))
    ack = context.frames["ack"][row[order]].astype(np.int64)
    reach = behind(ack, ack[begins][number])
    highest = np.maximum.accumulate(reach + number * 4 * HALF) - number * 4 * HALF
    # The place of the last acknowledgement of the other direction before *until*.
    other = stream[segments.packet] ^ 1
    width = np.int64(len(start) + 1)
    place = np.searchsorted(stream[order] * width + order, other * width + until) - 1
    known = (place >= 0) & (stream[order[np.maximum(place, 0)]] == other)
    place = np.maximum(place, 0)
    end = behind(segments.seq, ack[begins][number[place]]) + segments.length
    found: Int64 = np.where(known & (highest[place] >= end), order[place], -1)
    return found


def _sent_again(segments: _Segments, connection: Int64) -> tuple[Int64, Int64]:
    """Return the packets that take sequence numbers which one before them took, and those before."""
    sent = np.flatnonzero(segments.length > 0)
    sent = sent[_repeated(connection[sent], segments.reply[sent], segments.seq[sent])]
    kind = segments.flags[sent] & (SYN | FIN)
    group, first = group_rows(connection[sent], segments.reply[sent], segments.seq[sent], segments.length[sent], kind)
    again = np.flatnonzero(first[group] != np.arange(len(sent)))
    return segments.packet[sent[again]], segments.packet[sent[first[group[again]]]]


def _repeated(*columns: Array) -> Int64:
    """Return the rows that are there more than once, and maybe a few others: most are not, and sorting is fast."""
    state = np.zeros(len(columns[0]), np.uint64)
    for lane, column in enumerate(columns):
        state = mix_rows(state, column.astype(np.uint64), lane)
    by_hash = np.sort(state)
    return np.flatnonzero(np.isin(state, np.unique(by_hash[1:][by_hash[1:] == by_hash[:-1]])))


APART = 16 * HALF
"""Sets the numbers of one connection apart from those of the next: more than any two of one can be."""


def _settle(segments: _Segments, number: Int64, way: bool) -> tuple[_Pairs, _Pairs]:
    """
    Find for each segment sent this *way* the first acknowledgement after it that covers it.

    *number* counts the connections. Returns segments with their acknowledgements, and acknowledgements with the newest
    segment that each covers first.
    """
    none = np.zeros(0, np.int64)
    sent = np.flatnonzero((segments.reply == way) & (segments.length > 0))
    if not len(sent):
        return (none, none), (none, none)
    # All numbers are told from the first segment of their connection.
    begins = np.flatnonzero(changes(number[sent]))
    first = np.full(int(number[-1]) + 1, len(number))
    first[number[sent[begins]]] = sent[begins]
    acks = np.flatnonzero((segments.reply != way) & (segments.flags & ACK != 0))
    acks = acks[acks > first[number[acks]]]
    if not len(acks):
        return (none, none), (none, none)
    base = np.append(segments.seq, 0)[first]
    of_sent, of_ack = number[sent], number[acks]
    end = behind(segments.seq[sent], base[of_sent]) + segments.length[sent]
    reach = behind(segments.ack[acks], base[of_ack])
    highest = np.maximum.accumulate(reach + of_ack * APART)
    opens, closes = (np.searchsorted(of_ack, of_sent, side=side) for side in ("left", "right"))
    following = np.searchsorted(acks, sent)
    before = np.where(following > opens, highest[np.maximum(following - 1, 0)] - of_sent * APART, -APART)
    # What nobody had acknowledged yet, the first to reach it does. What was sent again after that, is seldom.
    answer = np.where(end > before, np.searchsorted(highest, end + of_sent * APART), following)
    for place in np.flatnonzero(end <= before).tolist():
        answer[place] = _first_reaching(reach[: closes[place]], int(following[place]), int(end[place]))
    covered = np.flatnonzero(answer < closes)
    questions, by = segments.packet[sent[covered]], answer[covered]
    newest = np.full(len(acks), -1, np.int64)
    newest[by] = questions  # in order of time, so the last one stays
    used = np.flatnonzero(newest >= 0)
    return (questions, segments.packet[acks[by]]), (segments.packet[acks[used]], newest[used])


def _first_reaching(reach: Int64, begin: int, end: int) -> int:
    """Return the first place from *begin* on where *reach* is at least *end*, else how many there are."""
    width = 64
    while begin < len(reach):
        later = reach[begin : begin + width] >= end
        if later.any():
            return begin + int(later.argmax())
        begin, width = begin + width, width * 2
    return len(reach)


def behind(number: Array, base: Int64 | int) -> Int64:
    """Return how far sequence numbers lie behind *base*, negative before it (RFC 1982)."""
    distance: Array = number - base
    found: Int64 = (distance + HALF) % (1 << 32) - HALF
    return found
