"""What both ends of a TCP connection said first: which protocol that is, read from the captures once more."""

import re
from dataclasses import dataclass

import numpy as np

from analyzer.decode.offsets import PROTO_TCP
from analyzer.decode.tls import is_hello, server_name
from analyzer.explain.case import Case
from analyzer.packet.questions import carried
from analyzer.schema import Int64

MOST = 400
"""Connections of one client to one port whose first words are read, the first ones."""
MOST_SAID = 4096
"""Bytes that a server sends in connections in which something went wrong from the start; of others nothing is read."""
FTP = 21
"""The port of FTP's control connections (RFC 959)."""
METHODS = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT) \S+ HTTP/1\.[01]\r?\n")


@dataclass(frozen=True, slots=True)
class Said:
    """The first bytes that either side sent, as far as frames keep them, and the packets that carry them."""

    asked: bytes
    answered: bytes
    packets: tuple[int, ...]


def first_words(case: Case) -> dict[int, Said]:
    """Return what was said first, of connections in which the server said little."""
    payload = case.first("payload_len")
    carries = (case.first("proto") == PROTO_TCP) & (payload > 0) & (case.connection >= 0)
    count = len(case.context.connections["proto"])
    said = np.bincount(case.connection[carries & case.reply], weights=payload[carries & case.reply], minlength=count)
    chosen = np.flatnonzero((said <= MOST_SAID) & (np.bincount(case.connection[carries], minlength=count) > 0))
    chosen = case.few_connections(chosen, MOST)
    of = np.flatnonzero(carries & np.isin(case.connection, chosen))
    sides, places = np.unique(case.connection[of] * 2 + case.reply[of], return_index=True)
    firsts = dict(zip(sides.tolist(), of[places].tolist(), strict=True))
    texts = _read(case, np.sort(of[places]))
    found = {}
    for number in chosen.tolist():
        packets = [firsts.get(2 * number + reply) for reply in (0, 1)]
        asked, answered = (texts.get(packet, b"") if packet is not None else b"" for packet in packets)
        found[number] = Said(asked, answered, tuple(packet for packet in packets if packet is not None))
    return found


def asked_names(case: Case, connections: list[int]) -> dict[int, str]:
    """Return the name that each connection's TLS begins with, where it does, and that much was kept."""
    firsts: dict[int, int] = {}
    for number in connections:
        own = case.packets_of(number, reply=False)
        data = own[case.first("payload_len")[own] > 0]
        if len(data):
            firsts[int(data[0])] = number
    texts = _read(case, np.array(sorted(firsts), np.int64))
    names = {firsts[packet]: server_name(text) for packet, text in texts.items() if is_hello(text)}
    return {number: name for number, name in names.items() if name is not None}


def said_in(case: Case, connection: int, most: int) -> list[tuple[int, bytes]]:
    """Return what both sides of a connection say where it was seen last, packet by packet, the first *most* of them."""
    packets = case.packets_of(connection)
    data = np.sort(packets[(case.first("payload_len")[packets] > 0) & ~case.sent_again[packets]][:most])
    texts = _read(case, data, last=True)
    return [(packet, texts[packet]) for packet in data.tolist() if packet in texts]


def _read(case: Case, packets: Int64, *, last: bool = False) -> dict[int, bytes]:
    """Return TCP's payload of packets, as their first frames keep it, or their last ones."""
    rows, context = case.last_row if last else case.first_row, case.context
    again = case.read_again(np.sort(rows[packets].astype(np.int64)))
    return {
        int(context.packet_of_row[row]): carried(context, row, data, length, interface)
        for row, data, length, interface in again
    }


def is_request(text: bytes) -> bool:
    """Tell a request of HTTP/1."""
    return METHODS.match(text) is not None
