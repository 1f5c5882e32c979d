"""Which packet answers which, and which one was sent again; per connection, in order of time."""

from dataclasses import dataclass
from heapq import heappop, heappush

from analyzer.schema import Layer
from analyzer.trace.context import Context

FIN, SYN, ACK = 0x01, 0x02, 0x10
HALF = 1 << 31


@dataclass(slots=True)
class Answers:
    """By packet id."""

    answers: dict[int, int]
    answered_by: dict[int, int]
    retransmission_of: dict[int, int]


def find_answers(context: Context, packets: list[int]) -> Answers:
    """Join requests and replies among *packets* of one connection."""
    found = Answers({}, {}, {})
    if not packets:
        return found
    layers = context.layers(context.rows_of(packets[0])[0])
    if layers & Layer.TCP:
        _tcp(context, packets, found)
    elif layers & Layer.ECHO:
        _echo(context, packets, found)
    else:
        _alternating(context, packets, found)
    return found


def _is_reply(context: Context, packet: int) -> bool:
    return bool(context.hops["reply"][context.packet_start[packet]])


def _join(found: Answers, question: int, answer: int) -> None:
    found.answered_by.setdefault(question, answer)
    found.answers.setdefault(answer, question)


def _echo(context: Context, packets: list[int], found: Answers) -> None:
    """Echo replies carry the request's sequence number (RFC 792)."""
    asked: dict[int, int] = {}
    for packet in packets:
        sequence = context.value("icmp_seq", context.rows_of(packet)[0])
        if not _is_reply(context, packet):
            asked[sequence] = packet
        elif sequence in asked:
            _join(found, asked.pop(sequence), packet)


def _alternating(context: Context, packets: list[int], found: Answers) -> None:
    """Without numbers, a reply answers the oldest question that has none."""
    waiting: list[int] = []
    for packet in packets:
        if not _is_reply(context, packet):
            waiting.append(packet)
        elif waiting:
            _join(found, waiting.pop(0), packet)


def _tcp(context: Context, packets: list[int], found: Answers) -> None:
    """An acknowledgement answers the newest segment it covers, and settles all before (RFC 9293 section 3.4)."""
    unanswered: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
    base: dict[bool, int] = {}
    sent: dict[tuple[bool, int, int, int], int] = {}
    for packet in packets:
        row = context.rows_of(packet)[0]
        if not context.layers(row) & Layer.TCP:
            continue
        reply, flags = _is_reply(context, packet), context.value("tcp_flags", row)
        if flags & ACK and (not reply) in base:
            reach = _after(context.value("ack", row), base[not reply])
            _settle(found, unanswered[not reply], reach, packet)
        parts = context.hops_of(packet)[0]
        flags = context.value("tcp_flags", parts[-1]) | flags  # FIN is on the last part
        length = sum(context.value("payload_len", part) for part in parts) + bool(flags & SYN) + bool(flags & FIN)
        if not length:
            continue
        sequence = context.value("seq", row)
        key = (reply, sequence, length, flags & (SYN | FIN))
        if key in sent:
            found.retransmission_of[packet] = sent[key]
        sent.setdefault(key, packet)
        start = _after(sequence, base.setdefault(reply, sequence))
        heappush(unanswered[reply], (start + length, packet))


def _after(number: int, base: int) -> int:
    """Return how far a sequence number lies behind *base*, negative before it."""
    return (number - base + HALF) % (1 << 32) - HALF


def _settle(found: Answers, waiting: list[tuple[int, int]], reach: int, packet: int) -> None:
    """Let *packet* answer all segments that end at *reach* or before."""
    covered: list[int] = []
    while waiting and waiting[0][0] <= reach:
        covered.append(heappop(waiting)[1])
    if covered:
        _join(found, max(covered), packet)
        for earlier in covered:
            found.answered_by.setdefault(earlier, packet)
