"""Connections as conntrack has them: original and reply tuple, and each packet's direction.

Takes packets and the mapping of conversations, gives HOPS and CONNECTIONS. The original tuple is how the first packet
looked before any translation, the reply tuple how answers look before theirs: the inverse of the last sighting.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.nat import Mapping
from analyzer.correlate.packets import Packets
from analyzer.correlate.sorting import first_places, stable_order
from analyzer.correlate.tuples import ACK, SYN, Conversations
from analyzer.decode import offsets as o
from analyzer.schema import CONNECTIONS, HOPS, Array, Columns, Int64, Layer

WELL_KNOWN = 1024
"""Ports below are a server's (RFC 6335 section 6), where a capture begins in the middle of a connection."""
TUPLE = ("src_hi", "src", "dst_hi", "dst", "sport", "dport")
_SWAPPED = ("dst_hi", "dst", "src_hi", "src", "dport", "sport")
_OPPOSITE = np.arange(256, dtype=np.uint16)
_OPPOSITE[[o.ICMP_ECHO, o.ICMP_ECHO_REPLY, o.ICMP6_ECHO, o.ICMP6_ECHO_REPLY]] = (
    o.ICMP_ECHO_REPLY,
    o.ICMP_ECHO,
    o.ICMP6_ECHO_REPLY,
    o.ICMP6_ECHO,
)


@dataclass(slots=True)
class _Best:
    """Of each connection's direction, the packet seen at most points: rows of its first and last sighting."""

    first: Int64
    last: Int64


def build_connections(
    frames: Columns, conversations: Conversations, mapping: Mapping, packets: Packets
) -> tuple[Columns, Columns]:
    """
    Give every packet its connection and direction, and every connection its tuples.

    Returns:
        HOPS and CONNECTIONS; connections are numbered in order of their first packet.
    """
    count = len(packets.row)
    hops = HOPS.empty(count)
    hops["row"][:], hops["packet"][:], hops["hop"][:] = packets.row, packets.packet, packets.hop
    hops["ambiguous"][:] = packets.ambiguous
    connection, flipped, ambiguous = mapping.of(conversations.of_row[packets.row])
    known = connection >= 0
    away = conversations.backward[packets.row] ^ flipped
    number, total = _number_in_order(connection)
    connection = np.where(known, number[connection], -1)
    reply = away ^ _original_is_away(frames, packets, connection, away, total)[connection]
    hops["connection"][:] = connection
    hops["reply"][:] = reply & known
    hops["ambiguous"][:] |= ambiguous
    table = CONNECTIONS.empty(total)
    if total:
        places = np.flatnonzero(known)
        _tuples(frames, packets, connection, reply, places, table)
        _statistics(frames, packets, connection, places, table)
        table["ambiguous"][connection[ambiguous]] = True
    table["stated"][:] = -1
    return hops, table


def _number_in_order(connection: Int64) -> tuple[Int64, int]:
    """Return new numbers of connections, in order of their first packet, and how many there are."""
    first = first_places(connection, max(int(connection.max(initial=0)) + 1, 1))
    used = np.flatnonzero(first >= 0)
    number = np.full(len(first), -1, np.int64)
    number[used[np.argsort(first[used])]] = np.arange(len(used))
    return number, len(used)


def _original_is_away(frames: Columns, packets: Packets, connection: Int64, away: Array, total: int) -> Array:
    """Tell for each connection whether its original direction is the one called away."""
    result = np.zeros(max(total, 1), bool)
    places = np.flatnonzero(connection >= 0)[::-1]
    result[connection[places]] = away[places]  # whoever was seen first, asked
    row = packets.row[places]
    flags = frames["tcp_flags"][row]
    sport, dport = frames["sport"][row], frames["dport"][row]
    server = (sport < WELL_KNOWN) & (dport >= WELL_KNOWN) & (frames["proto"][row] == o.PROTO_TCP)
    client = (dport < WELL_KNOWN) & (sport >= WELL_KNOWN) & (frames["proto"][row] == o.PROTO_TCP)
    for here, is_original in ((server, False), (client, True)):
        result[connection[places[here]]] = away[places[here]] == is_original
    answers = (flags & (SYN | ACK)) == (SYN | ACK)
    result[connection[places[answers]]] = ~away[places[answers]]
    asks = (flags & (SYN | ACK)) == SYN
    result[connection[places[asks]]] = away[places[asks]]
    echo = has(frames["layers"][row], Layer.ECHO)
    request = np.isin(frames["icmp_type"][row], (o.ICMP_ECHO, o.ICMP6_ECHO))
    result[connection[places[echo]]] = away[places[echo]] == request[echo]
    return result


def _tuples(frames: Columns, packets: Packets, connection: Int64, reply: Array, places: Int64, table: Columns) -> None:
    total = len(table["proto"])
    there = _best(packets, connection, reply, places, total, want_reply=False)
    back = _best(packets, connection, reply, places, total, want_reply=True)
    forward_seen, reply_seen = there.first >= 0, back.first >= 0
    any_row = np.where(forward_seen, there.first, back.first)
    table["proto"][:] = frames["proto"][any_row]
    table["version"][:] = np.where(has(frames["layers"][any_row], Layer.IPV6), 6, 4)
    original = {
        name: np.where(forward_seen, _field(frames, there.first, name), _field(frames, back.last, other, answer=True))
        for name, other in zip(TUPLE, _SWAPPED, strict=True)
    }
    inverse = {
        name: _field(frames, there.last, other, answer=True) for name, other in zip(TUPLE, _SWAPPED, strict=True)
    }
    plain = {name: _field(frames, there.first, other, answer=True) for name, other in zip(TUPLE, _SWAPPED, strict=True)}
    observed = {name: _field(frames, back.first, name) for name in TUPLE}
    # An answer that is not the plain inverse shows the translation itself; else the question's last sighting does.
    answered = forward_seen & reply_seen & np.logical_or.reduce([observed[name] != plain[name] for name in TUPLE])
    translated = forward_seen & np.logical_or.reduce([inverse[name] != plain[name] for name in TUPLE])
    use_inverse = ~answered & (translated | ~reply_seen)
    for name in TUPLE:
        table[f"orig_{name}"][:] = original[name]
        table[f"reply_{name}"][:] = np.where(use_inverse, inverse[name], observed[name])
    table["seen_reply"][:] = reply_seen


def _field(frames: Columns, row: Int64, name: str, *, answer: bool = False) -> Array:
    """Return a tuple's field; of a ping, its id and type stand for the ports. *answer* inverts the type."""
    if name in TUPLE[:4]:
        return frames[name][row]
    echo = has(frames["layers"][row], Layer.ECHO)
    if name == "sport" if not answer else name == "dport":
        return np.where(echo, frames["icmp_id"][row], frames[name][row])
    kind = frames["icmp_type"][row].astype(np.uint16)
    if answer:
        kind = _OPPOSITE[kind]
    return np.where(echo, kind * np.uint16(256) + frames["icmp_code"][row], frames[name][row])


def _best(packets: Packets, connection: Int64, reply: Array, places: Int64, total: int, *, want_reply: bool) -> _Best:
    """Find each connection's packet with the most hops in one direction, of several the first."""
    first = np.full(total, -1, np.int64)
    last = np.full(total, -1, np.int64)
    ends = places[np.append(packets.packet[places][1:] != packets.packet[places][:-1], True)]
    ends = ends[reply[ends] == want_reply]
    order = ends[np.lexsort((-ends, packets.hop[ends]))]
    begins = np.append(True, packets.packet[1:] != packets.packet[:-1])
    new_hop = begins | np.append(True, packets.hop[1:] != packets.hop[:-1])
    place = np.arange(len(begins))
    # Of a fragmented hop, only the first part shows the ports.
    last[connection[order]] = packets.row[np.maximum.accumulate(np.where(new_hop, place, 0))[order]]
    first[connection[order]] = packets.row[np.maximum.accumulate(np.where(begins, place, 0))[order]]
    return _Best(first, last)


def _statistics(frames: Columns, packets: Packets, connection: Int64, places: Int64, table: Columns) -> None:
    order = places[stable_order(connection[places])]
    start = np.flatnonzero(np.append(True, connection[order][1:] != connection[order][:-1]))
    time_ns = frames["time_ns"][packets.row[order]]
    table["first_ns"][:] = np.minimum.reduceat(time_ns, start)
    table["last_ns"][:] = np.maximum.reduceat(time_ns, start)
    table["frames"][:] = np.diff(np.append(start, len(order)))
    begins = np.append(True, packets.packet[1:] != packets.packet[:-1])
    table["packets"][:] = np.add.reduceat(begins[order].astype(np.int64), start)
