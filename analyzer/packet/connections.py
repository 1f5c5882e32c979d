"""Connections as conntrack has them: original and reply tuple, and each packet's direction.

Takes packets and the mapping of conversations, gives HOPS and CONNECTIONS. The original tuple is how the first packet
looked before any translation, the reply tuple how answers look before theirs: the inverse of the last sighting.
"""

from dataclasses import dataclass, field

import numpy as np

from analyzer.decode import offsets as o
from analyzer.link.identity import has
from analyzer.link.nat import Mapping
from analyzer.link.sorting import expand, first_places, number_again
from analyzer.packet.packets import Packets
from analyzer.packet.relays import Carried
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


@dataclass(slots=True)
class Built:
    """Packets and connections of one part, numbered there in order of time."""

    hops: Columns
    connections: Columns
    label: Int64
    """(connections,) What the mapping calls each."""
    first_packet: Int64
    """(connections,) Number of its first packet."""
    carried: Carried
    """What each carried."""


def build_connections(frames: Columns, mapping: Mapping, packets: Packets, own_end: Array) -> Built:
    """Give every packet its connection and direction, and every connection its tuples."""
    hops = HOPS.empty(len(packets.hop))
    hops["row"][:], hops["hop"][:], hops["ambiguous"][:] = packets.rows.order, packets.hop, packets.ambiguous
    known = np.flatnonzero(packets.stream >= 0)
    number, first = number_again(packets.stream[known] >> 1)
    label = packets.stream[known[first]] >> 1
    away = packets.stream[known] & 1 != 0
    of_packet = np.full(len(packets.start), -1, np.int32)
    of_packet[known] = number
    reply = np.zeros(len(of_packet), bool)
    table = CONNECTIONS.empty(len(first))
    if len(first):
        reply[known] = away ^ _original_is_away(packets, known, number, away, len(first))[number]
        _tuples(frames, packets, known, number, reply[known], table)
        _statistics(packets, known, number, reply[known], table)
        doubtful = np.zeros(len(mapping.connection), bool)
        doubtful[mapping.connection[mapping.ambiguous]] = True
        table["ambiguous"][:] = doubtful[label]
    carried = Carried.of(packets, number, reply[known], known, len(first), own_end)
    for name in ("stated", "relayed_to", "relayed_from"):
        table[name][:] = -1
    length = packets.length
    hops["packet"][:] = np.repeat(np.arange(len(length)), length)
    hops["connection"][:], hops["reply"][:] = np.repeat(of_packet, length), np.repeat(reply, length)
    return Built(hops, table, label, known[first], carried)


@dataclass(slots=True)
class Doubts:
    """What is not sure of connections; by number, in both directions."""

    candidates: dict[int, set[int]] = field(default_factory=dict)
    """Of ambiguous ones: those that could be swapped with them."""
    maybe: dict[int, set[int]] = field(default_factory=dict)
    """Those that may be the same connection, on the other side of a translation."""

    @classmethod
    def of(cls, mapping: Mapping, label: Int64) -> "Doubts":
        """Tell what *mapping* doubts by the numbers of connections, of which (connections,) *label* are its own."""
        new = dict(zip(label.tolist(), range(len(label)), strict=True)) if mapping.rivals or mapping.doubts else {}
        return cls(*(_pairs(found, mapping.connection, new) for found in (mapping.rivals, mapping.doubts)))


def _pairs(pairs: list[tuple[int, int]], connection: Int64, new: dict[int, int]) -> dict[int, set[int]]:
    """Return pairs of conversations as pairs of connections."""
    found: dict[int, set[int]] = {}
    for conversations in pairs:
        one, other = (new.get(int(connection[conversation]), -1) for conversation in conversations)
        if one != other and min(one, other) >= 0:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return found


def _original_is_away(packets: Packets, known: Int64, connection: Int64, away: Array, total: int) -> Array:
    """Tell for each connection whether its original direction is the one called away; by *known* packets."""
    frames = packets.rows.frames
    result = np.zeros(total, bool)

    def decide(places: Int64, is_away: Array) -> None:
        """Let *places* decide, the first of each connection before all others."""
        result[connection[places[::-1]]] = is_away[::-1]

    decide(np.arange(len(known)), away)  # whoever was seen first, asked
    row = packets.rows.order[packets.start[known]]
    tcp = np.flatnonzero(frames["proto"][row] == o.PROTO_TCP)
    last = packets.rows.order[packets.start[known[tcp]] + packets.length[known[tcp]] - 1]
    sides = [(frames["sport"][rows] < WELL_KNOWN, frames["dport"][rows] < WELL_KNOWN) for rows in (last, row[tcp])]
    servers = [(tcp[np.flatnonzero(low & ~other_low)], False) for low, other_low in sides]
    clients = [(tcp[np.flatnonzero(low & ~other_low)], True) for other_low, low in sides]
    flags = frames["tcp_flags"][row[tcp]] & (o.SYN | o.ACK)
    shaken = [(tcp[np.flatnonzero(flags == o.SYN | o.ACK)], False), (tcp[np.flatnonzero(flags == o.SYN)], True)]
    for places, is_original in (*servers, *clients, *shaken):
        decide(places, away[places] == is_original)
    echo = np.flatnonzero(has(frames["layers"][row], Layer.ECHO))
    request = np.isin(frames["icmp_type"][row[echo]], (o.ICMP_ECHO, o.ICMP6_ECHO))
    decide(echo, away[echo] == request)
    return result


def _tuples(frames: Columns, packets: Packets, known: Int64, connection: Int64, reply: Array, table: Columns) -> None:
    there = _best(packets, known, connection, reply, len(table["proto"]), want_reply=False)
    back = _best(packets, known, connection, reply, len(table["proto"]), want_reply=True)
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


def _best(packets: Packets, known: Int64, connection: Int64, reply: Array, total: int, *, want_reply: bool) -> _Best:
    """Find each connection's packet with the most hops in one direction, of several the first."""
    mine = np.flatnonzero(reply == want_reply)
    ends = packets.start[known[mine]] + packets.length[known[mine]] - 1
    reach = packets.hop[ends]
    most = np.zeros(total, np.int64)
    np.maximum.at(most, connection[mine], reach)
    best = np.full(total, -1, np.int64)
    longest = np.flatnonzero(reach == most[connection[mine]])[::-1]
    best[connection[mine[longest]]] = longest
    there = np.flatnonzero(best >= 0)
    chosen = best[there]
    first, last = np.full(total, -1, np.int64), np.full(total, -1, np.int64)
    first[there] = packets.rows.order[packets.start[known[mine[chosen]]]]
    # Of a fragmented hop, only the first part shows the ports.
    end = ends[chosen]
    while (same := (packets.hop[end - 1] == packets.hop[end]) & (end > packets.start[known[mine[chosen]]])).any():
        end = end - same
    last[there] = packets.rows.order[end]
    return _Best(first, last)


def _statistics(packets: Packets, known: Int64, connection: Int64, reply: Array, table: Columns) -> None:
    time_ns, length = packets.rows.column("time_ns"), packets.length
    latest = np.maximum.reduceat(time_ns, packets.start)[known]
    # Packets are in order of their first frames, and connections in that of their first packets.
    first = known[first_places(connection, len(table["proto"]))]
    begin = np.cumsum(length[first]) - length[first]
    table["first_ns"][:] = np.minimum.reduceat(time_ns[expand(packets.start[first], length[first])], begin)
    table["last_ns"][:] = np.iinfo(np.int64).min
    np.maximum.at(table["last_ns"], connection, latest)
    rows = packets.rows.order[packets.start[known]]
    frames = packets.rows.frames
    resets = (frames["proto"][rows] == o.PROTO_TCP) & (frames["tcp_flags"][rows] & o.RST != 0)
    table["reset"][connection[resets]] = True
    table["served"][connection[reply & (frames["payload_len"][rows] > 0)]] = True
    table["frames"][:] = np.bincount(connection, length[known])
    table["packets"][:] = np.bincount(connection)
