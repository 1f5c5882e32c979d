"""What one slice of time knows from those before: the numbers of packets and connections, and whom they belong to.

A connection is remembered by a few of its packets, which the next slice sees again: the first ones, those that opened
it, the one seen at most points, the last ones. So what correlation tells from a whole connection, it tells from these.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.cuts import TIMEOUT_NS
from analyzer.correlate.identity import has
from analyzer.correlate.sorting import changes, first_places, group_rows, lengths
from analyzer.decode import offsets as o
from analyzer.schema import CONNECTIONS, Array, Columns, Int64, Layer

CLOSED_NS = 120_000_000_000
"""nf_conntrack_tcp_timeout_time_wait."""
NOBODY = int(np.iinfo(np.int64).max)
_TUPLES = tuple(column.name for column in CONNECTIONS.columns if column.name.startswith(("orig_", "reply_")))


@dataclass(slots=True)
class Recognised:
    """A slice's packets and connections by the numbers they have in the whole capture."""

    start: Int64
    """(packets + 1,) Where each packet begins in HOPS."""
    first_ns: Int64
    """(packets,) When each was first seen."""
    packet: Int64
    """(packets,)"""
    fresh: Array
    """(packets,) bool: complete, and not told by an earlier slice."""
    connection: Int64
    """(connections,)"""


class Memory:
    """Numbers packets and connections over slices, and collects CONNECTIONS."""

    def __init__(self) -> None:
        self.packets = 0
        self.connections = 0
        """How many there are so far."""
        self._table = _no_connections(1024)

    @property
    def table(self) -> Columns:
        """CONNECTIONS so far."""
        return {name: column[: self.connections] for name, column in self._table.items()}

    def recognise(
        self, frames: Columns, known: Columns, hops: Columns, connections: Columns, until_ns: int
    ) -> Recognised:
        """
        Number what a slice shows, and take its connections in.

        Frames that belong to a packet which was told already, too late for it, become a packet of their own in *hops*.

        Args:
            frames: FRAMES of the slice.
            known: KNOWN of them; filled in with what is known now.
            hops: HOPS of the slice.
            connections: CONNECTIONS of the slice.
            until_ns: packets first seen before are complete.
        """
        _part_late(frames, known, hops)
        row = hops["row"]
        begin = np.flatnonzero(changes(hops["packet"]))
        start = np.append(begin, len(row))
        if not len(row):
            none = np.zeros(0, np.int64)
            return Recognised(start, none, none, none > 0, none)
        first_ns = np.minimum.reduceat(frames["time_ns"][row], begin)
        before = np.maximum.reduceat(known["packet"][row], begin)
        new = before < 0
        fresh = new & (first_ns < until_ns)
        packet = np.where(new, self.packets + np.cumsum(new) - 1, before)
        of_packet = hops["connection"][begin].astype(np.int64)
        connection = self._number(known["connection"][row], hops["connection"], of_packet, fresh, new, connections)
        found = Recognised(start, first_ns, packet, fresh, connection)
        complete = np.repeat(fresh | ~new, np.diff(start))
        known["packet"][row] = np.where(complete, np.repeat(packet, np.diff(start)), -1)
        told = np.append(np.where(connection < self.connections, connection, -1), -1)
        known["connection"][row] = told[hops["connection"]]
        self.packets += int(fresh.sum())
        self._take_in(found, frames, hops, connections, of_packet)
        return found

    def _number(
        self, remembered: Array, of_row: Array, of_packet: Int64, fresh: Array, new: Array, connections: Columns
    ) -> Int64:
        """Return each connection's number; those of packets that are not complete yet are only expected."""
        number = np.full(len(connections["proto"]), NOBODY)
        there = (remembered >= 0) & (of_row >= 0)
        np.minimum.at(number, of_row[there], remembered[there].astype(np.int64))
        for packets in (fresh, new, np.ones(len(new), bool)):
            mine = of_packet[packets]
            mine = mine[mine >= 0]
            mine = mine[number[mine] == NOBODY]
            first = np.sort(first_places(mine, len(number)))
            unnumbered = mine[first[first >= 0]]
            taken = self.connections if packets is fresh else int(number[number < NOBODY].max(initial=-1)) + 1
            taken = max(taken, self.connections)
            number[unnumbered] = taken + np.arange(len(unnumbered))
            if packets is fresh:
                self.connections += len(unnumbered)
        return number

    def _take_in(
        self, found: Recognised, frames: Columns, hops: Columns, connections: Columns, of_packet: Int64
    ) -> None:
        """Bring the table up to date with what a slice tells of connections that have a number."""
        self._make_room()
        table, mine = self._table, np.flatnonzero(found.connection < self.connections)
        target = found.connection[mine]
        for name in ("version", "proto", *_TUPLES):
            table[name][target] = connections[name][mine]
        for name in ("seen_reply", "ambiguous"):
            table[name][target] |= connections[name][mine]
        for name in ("relayed_to", "relayed_from"):
            other = connections[name][mine]
            table[name][target] = np.where(other >= 0, found.connection[other], table[name][target])
        stated = connections["stated"][mine]
        table["stated"][target] = np.where(stated >= 0, stated, table["stated"][target])
        counted = np.flatnonzero(found.fresh & (of_packet >= 0))
        of = found.connection[of_packet[counted]]
        length = np.diff(found.start)[counted]
        np.add.at(table["frames"], of, length)
        np.add.at(table["packets"], of, 1)
        latest = np.maximum.reduceat(frames["time_ns"][hops["row"]], found.start[:-1])[counted]
        np.minimum.at(table["first_ns"], of, found.first_ns[counted])
        np.maximum.at(table["last_ns"], of, latest)

    def _make_room(self) -> None:
        room = len(self._table["proto"])
        if room < self.connections:
            grown = _no_connections(max(2 * room, self.connections))
            for name, column in self._table.items():
                grown[name][:room] = column
            self._table = grown


def _part_late(frames: Columns, known: Columns, hops: Columns) -> None:
    """Part frames from the packets that earlier slices told without them: nothing that was recorded is left out."""
    row = hops["row"]
    if not len(row):
        return
    begin = np.flatnonzero(changes(hops["packet"]))
    remembered = known["packet"][row]
    told = np.repeat(np.maximum.reduceat(remembered, begin) >= 0, lengths(begin, len(row)))
    late = (remembered < 0) & told
    if not late.any():
        return
    group, first = group_rows(hops["packet"], late)
    first_ns = np.full(len(first), NOBODY)
    np.minimum.at(first_ns, group, frames["time_ns"][row])
    order = np.lexsort((np.arange(len(row)), group, first_ns[group]))
    for name, column in hops.items():
        hops[name] = column[order]
    begins = changes(group[order])
    hops["packet"] = np.cumsum(begins) - 1
    steps = changes(hops["packet"], hops["hop"])
    count = np.cumsum(steps)
    hops["hop"] = (count - count[np.flatnonzero(begins)][hops["packet"]]).astype(np.int16)


def _no_connections(room: int) -> Columns:
    table = CONNECTIONS.empty(room)
    table["first_ns"][:], table["last_ns"][:] = NOBODY, -NOBODY
    for name in ("relayed_to", "relayed_from", "stated"):
        table[name][:] = -1
    return table


def to_see_again(
    frames: Columns, neighbours: Columns, hops: Columns, found: Recognised, *, since_ns: int, others_since_ns: int
) -> Int64:
    """
    Choose the rows that the next slice needs.

    Args:
        frames: FRAMES of a slice.
        neighbours: NEIGHBOURS of them.
        hops: HOPS of them.
        found: what was recognised.
        since_ns: packets first seen since then are needed.
        others_since_ns: likewise, of packets without a connection, as ARP's.

    Returns:
        (n,) rows, ascending.
    """
    row = hops["row"]
    begin, length = found.start[:-1], np.diff(found.start)
    connection = hops["connection"][begin].astype(np.int64)
    keep = found.first_ns >= np.where(connection >= 0, since_ns, others_since_ns)
    live = _live(frames, hops, found, connection, since_ns)
    _representatives(frames, hops, found, np.flatnonzero(live), keep)
    # Where each MAC is at home, and who answered for an address, is told by the first frame that showed it.
    travels = (length > 1) & has(frames["layers"][row[begin]], Layer.MAC_SRC)
    places = np.flatnonzero(travels)
    head = row[begin[places]]
    keep[places[group_rows(frames["eth_src"][head], frames["point"][head])[1]]] = True
    packet_of_row = np.empty(len(row), np.int64)
    packet_of_row[row] = np.repeat(np.arange(len(length)), length)
    for order in (slice(None), slice(None, None, -1)):
        messages = neighbours["row"][order]
        columns = (frames["point"][messages], *(neighbours[n][order] for n in ("op", "asked_hi", "asked", "mac")))
        keep[packet_of_row[messages[group_rows(*columns)[1]]]] = True
    found_rows: Int64 = row[np.repeat(keep, length)]
    found_rows.sort()
    return found_rows


def _live(frames: Columns, hops: Columns, found: Recognised, connection: Int64, now_ns: int) -> Array:
    """Tell the packets of connections that conntrack would not have forgotten, as nf_conntrack_proto_*.c do."""
    total = len(found.connection)
    row = hops["row"][found.start[:-1]]
    mine = np.flatnonzero(connection >= 0)
    of = connection[mine]
    last_ns = np.full(total, -NOBODY)
    np.maximum.at(last_ns, of, found.first_ns[mine])
    flags = np.zeros((2, total), np.int64)
    np.bitwise_or.at(
        flags, (hops["reply"][found.start[:-1]][mine].astype(np.int64), of), frames["tcp_flags"][row[mine]]
    )
    closed = ((flags[0] | flags[1]) & o.RST != 0) | (flags[0] & flags[1] & o.FIN != 0)
    quiet = np.zeros(total, bool)
    quiet[of[frames["proto"][row[mine]] != o.PROTO_TCP]] = True
    forgotten = (quiet & (last_ns < now_ns - TIMEOUT_NS[True])) | (closed & (last_ns < now_ns - CLOSED_NS))
    live = np.zeros(len(connection), bool)
    live[mine] = ~forgotten[of]
    return live


def _representatives(frames: Columns, hops: Columns, found: Recognised, packets: Int64, keep: Array) -> None:
    """Mark those of *packets*, in order of time, that tell all about each connection's directions."""
    begin, stop = found.start[:-1][packets], found.start[1:][packets]
    row = hops["row"][begin]
    stream = hops["connection"][begin].astype(np.int64) * 2 + hops["reply"][begin]
    count = 2 * len(found.connection)
    reach = hops["hop"][stop - 1]
    most = np.zeros(count, np.int64)
    np.maximum.at(most, stream, reach)
    loaded = frames["payload_len"][row] > 0
    opens = frames["tcp_flags"][row] & o.SYN != 0
    everything = np.arange(len(packets))
    for chosen in (everything, np.flatnonzero(loaded), np.flatnonzero(opens), np.flatnonzero(reach == most[stream])):
        first = first_places(stream[chosen], count)
        keep[packets[chosen[first[first >= 0]]]] = True
    for chosen in (everything, np.flatnonzero(loaded)):
        last = first_places(stream[chosen][::-1], count)
        keep[packets[chosen[::-1][last[last >= 0]]]] = True
