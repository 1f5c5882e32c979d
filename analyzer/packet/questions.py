"""Questions to name servers and their answers, joined as a resolver joins them: by connection, id and name."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.dns import HEADER, PORT, Message
from analyzer.link.identity import has
from analyzer.link.sorting import changes, expand
from analyzer.model import Address
from analyzer.model.overview import NameQuery
from analyzer.packet.context import Context
from analyzer.read.records import LINKTYPE_ETHERNET, Interface
from analyzer.schema import Int64, Layer

EMBEDDED = IPv4Address("127.0.0.11")
"""Docker's own name server, in containers on a network of their own: rules there lead to another port than 53."""
COLUMNS = (
    "point", "time_ns", "cap_len", "orig_len", "layers", "proto", "src_hi", "src", "dst_hi", "dst", "sport", "dport",
    "ip_len", "payload_len",
)  # fmt: skip
"""Of FRAMES, by which messages are found and joined."""
LENGTH = 2
"""Bytes before a message over TCP, which say how long it is (RFC 1035 section 4.2.2)."""
MOST = 20_000
"""Messages that are read; the first ones."""
MOST_TCP = 2_000
"""Of them over TCP, where most segments are no message's beginning."""


def message_rows(context: Context) -> Int64:
    """Return the first frames of the packets that hold DNS messages, in order of time; of a cut one, a fuller one."""
    frames, hops = context.frames, context.hops
    rows, last = hops["row"][context.packet_start[:-1]], hops["row"][context.packet_start[1:] - 1]
    holds = has(frames["layers"][rows], Layer.PORTS) & (frames["proto"][rows] == o.PROTO_UDP)
    holds |= has(frames["layers"][rows], Layer.TCP) & (frames["payload_len"][rows] > LENGTH + HEADER)
    whole = ~has(frames["layers"][rows], Layer.FRAGMENT)
    ports = (frames[name][of] == PORT for name in ("sport", "dport") for of in (rows, last))  # published as another one
    asks = np.logical_or.reduce(list(ports))
    asks |= has(frames["layers"][rows], Layer.IPV4) & (frames["dst"][rows] == int(EMBEDDED))
    found = rows[holds & whole & asks]
    tcp = has(frames["layers"][found], Layer.TCP)
    kept: Int64 = found[~tcp | (np.cumsum(tcp) <= MOST_TCP)][:MOST].astype(np.int64)
    cut = np.flatnonzero(frames["cap_len"][kept] < frames["orig_len"][kept])
    packets = context.packet_of_row[kept[cut]]
    length = context.packet_start[packets + 1] - context.packet_start[packets]
    every = hops["row"][expand(context.packet_start[packets], length)]
    by_packet = np.repeat(np.arange(len(cut)), length)
    order = np.lexsort((-frames["cap_len"][every].astype(np.int64), by_packet))
    kept[cut] = every[order[changes(by_packet[order])]]
    return kept


def message_of(context: Context, row: int, data: bytes, length: int, interface: Interface) -> bytes:
    """Return the message in a frame; over TCP its length comes first, and only one that begins a segment is read."""
    text = carried(context, row, data, length, interface)
    return text[LENGTH:] if context.layers(row) & Layer.TCP else text


def carried(context: Context, row: int, data: bytes, length: int, interface: Interface) -> bytes:
    """Return what was captured behind the last header of a frame that is no fragment."""
    if interface.link_type != LINKTYPE_ETHERNET or context.layers(row) & (Layer.VLAN | Layer.PPP | Layer.TUNNEL):
        from analyzer.decode.reference import payload  # noqa: PLC0415 - dpkt is slow to import, and seldom needed

        return payload(data, length, interface)
    end = o.ETH_HEADER + context.value("ip_len", row)
    return data[end - context.value("payload_len", row) : end]


def join_messages(context: Context, messages: Iterable[tuple[int, Message]]) -> list[NameQuery]:
    """Join questions and answers; *messages* are by row, in any order."""
    waiting: dict[tuple[tuple[int, ...], int, str, str], list[int]] = {}
    found: list[NameQuery] = []
    strangers: list[tuple[int, Message]] = []
    by_time = sorted(messages, key=lambda one: (context.value("time_ns", one[0]), one[0]))
    for row, message in by_time:
        packet = int(context.packet_of_row[row])
        key = _scope(context, packet, row), message.id, message.name.lower(), message.kind
        src, dst = context.src(row), context.dst(row)
        time_ns = context.value("time_ns", row)
        if src is None or dst is None:
            continue
        if not message.response:
            waiting.setdefault(key, []).append(len(found))
            found.append(NameQuery(message.name, message.kind, src, dst, time_ns, packet))
        elif waiting.get(key):
            copies = waiting[key]
            again = found[copies[-1]].asked_ns if len(copies) > 1 else None
            place = copies.pop(0)  # the oldest, for one that waits is sent again under the same id
            asked = found[place]
            found[place] = replace(
                asked,
                answer=packet,
                outcome=message.outcome,
                records=message.records,
                answers=message.answers,
                truncated=message.truncated,
                latency_ns=_back(context, packet, asked),
                asked_again_ns=None if again is None else again - asked.asked_ns,
            )
        else:
            strangers.append((row, message))
    return _from_elsewhere(context, found, strangers)


def _from_elsewhere(context: Context, found: list[NameQuery], answers: list[tuple[int, Message]]) -> list[NameQuery]:
    """Note with open questions whose answer came from somebody else, to the port that asked, translated or not."""
    open_: dict[tuple[Address | None, int, str, str], list[int]] = {}
    for place, asked in enumerate(found):
        for row in context.rows_of(asked.journey) if asked.answer is None else ():
            key = context.src(row), context.value("sport", row), asked.name.lower(), asked.kind
            open_.setdefault(key, []).append(place)
    for row, message in answers:
        key = context.dst(row), context.value("dport", row), message.name.lower(), message.kind
        sender = context.src(row)
        time_ns = context.value("time_ns", row)
        before = [place for place in open_.get(key, ()) if found[place].asked_ns <= time_ns]
        for place in before[-1:]:
            if found[place].server != sender:
                found[place] = replace(found[place], stranger=sender)
    return found


def _scope(context: Context, packet: int, row: int) -> tuple[int, ...]:
    """Return what a question and its answer share: the connection, with Docker's server the client's port."""
    src, dst = context.src(row), context.dst(row)
    if EMBEDDED in (src, dst):
        return context.value("point", row), context.value("sport" if dst == EMBEDDED else "dport", row)
    return (int(context.hops["connection"][context.packet_start[packet]]),)


def _back(context: Context, answer: int, asked: NameQuery) -> int | None:
    """Return the time until the answer was at the point that saw the question first."""
    first = int(context.hops["row"][context.packet_start[asked.journey]])
    point = context.value("point", first)
    rows = np.array(context.rows_of(answer))
    back = rows[context.frames["point"][rows] == point]
    return int(context.frames["time_ns"][back[-1]]) - asked.asked_ns if len(back) else None
