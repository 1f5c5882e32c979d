"""Two TCP connections joined by a process in between, docker-proxy or pasta: the same bytes, one after the other.

Takes connections, tells which one another's bytes go on in. A relay opens its own connection after it accepted one;
what the client sent arrives at the server later than at the relay, and answers the other way round. Relays that
change what passes, and connections of which not all was captured, are not found. A user-mode network (pasta,
slirp4netns) may use the same two addresses on both sides: there it is told by where each side was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode.offsets import SYN
from analyzer.link.identity import has
from analyzer.link.sorting import changes, end_to_end, group_rows, rows_of
from analyzer.packet.packets import Packets
from analyzer.schema import Array, Columns, Int64, Layer

LATEST_NS = 3_000_000_000
"""Between the client's handshake and the relay's: it may wait for ARP."""


@dataclass(slots=True)
class _Stream:
    """What one direction of each connection carried; arrays are (connections,)."""

    size: Int64
    """Bytes; 0 for none."""
    digest: Int64
    """Of the first ones."""
    first_ns: Int64
    """When they were first seen."""


@dataclass(slots=True)
class Carried:
    """What both directions of connections carried."""

    asked: _Stream
    answered: _Stream
    inside: Array
    """(connections,) bool: seen at a container's own end."""
    outside: Array
    """(connections,) bool: seen elsewhere."""

    @classmethod
    def of(
        cls, packets: Packets, connection: Int64, reply: Array, known: Int64, total: int, own_end: Array
    ) -> "Carried":
        """
        Sum up what packets carried.

        Args:
            packets: all packets.
            connection: of each of the *known* ones.
            reply: whether it goes in the reply direction.
            known: numbers of the packets that have a connection.
            total: number of connections.
            own_end: (points,) bool: a container's own end.
        """
        frames = packets.rows.frames
        row = packets.rows.order[packets.start[known]]
        tcp = has(frames["layers"][row], Layer.TCP)
        ways = (np.flatnonzero(tcp & ~reply), np.flatnonzero(tcp & reply))
        where = own_end[frames["point"][row]]
        inside, outside = (np.bincount(connection[where == inner], minlength=total) > 0 for inner in (True, False))
        asked, answered = (_carried(frames, row[places], connection[places], total) for places in ways)
        return cls(asked, answered, inside, outside)

    @classmethod
    def together(cls, parts: "Sequence[Carried]", order: Int64) -> "Carried":
        """Put those of parts one after the other, and then into *order*."""
        asked, answered = end_to_end([one.asked for one in parts]), end_to_end([one.answered for one in parts])
        inside, outside = (np.concatenate([getattr(one, name) for one in parts]) for name in ("inside", "outside"))
        return cls(rows_of(asked, order), rows_of(answered, order), inside[order], outside[order])


def find_relays(carried: Carried, table: Columns) -> None:
    """Fill in ``relayed_to`` and ``relayed_from`` of CONNECTIONS, by what they *carried*."""
    asked, answered = carried.asked, carried.answered
    both = np.flatnonzero((asked.size > 0) & (answered.size > 0))
    if not len(both):
        return
    group, _ = group_rows(*(column[both] for side in (asked, answered) for column in (side.size, side.digest)))
    shared = np.bincount(group, minlength=1)[group] > 1
    if not shared.any():
        return
    both, group = both[shared], group[shared]
    order = np.lexsort((table["first_ns"][both], group))
    both, group = both[order], group[order]
    starts = np.flatnonzero(changes(group))
    for members in np.split(both, starts[1:]):
        _pair(members.tolist(), carried, table)


def _carried(frames: Columns, row: Int64, connection: Int64, total: int) -> _Stream:
    """Sum up what the packets at *row*, in order of time, carried."""
    base = np.full(total, -1, np.int64)
    sequence = frames["seq"][row].astype(np.int64)
    syn = frames["tcp_flags"][row] & SYN != 0
    for where in (np.arange(len(row)), np.flatnonzero(syn)):  # the first packet of all, or better the handshake
        base[connection[where[::-1]]] = (sequence + syn)[where[::-1]]
    data = np.flatnonzero(frames["payload_len"][row] > 0)
    row, connection = row[data], connection[data]
    begin = (sequence[data] - base[connection]) % (1 << 32)
    size = np.zeros(total, np.int64)
    np.maximum.at(size, connection, begin + frames["payload_len"][row])
    first = np.flatnonzero((begin == 0) & has(frames["layers"][row], Layer.DIGEST))[::-1]
    found = _Stream(size, np.zeros(total, np.int64), np.zeros(total, np.int64))
    found.digest[connection[first]] = frames["digest"][row[first]]
    found.first_ns[connection[first]] = frames["time_ns"][row[first]]
    found.size[np.setdiff1d(np.arange(total), connection[first])] = 0
    return found


def _pair(members: list[int], carried: Carried, table: Columns) -> None:
    """Join connections of equal bytes, sorted by time: relays serve first who came first, but that is no proof."""
    waiting: list[int] = []
    for one in members:
        fitting = [w for w in waiting if _goes_on(w, one, carried, table)]
        if fitting:
            front = fitting[0]
            table["relayed_to"][front], table["relayed_from"][one] = one, front
            waiting.remove(front)
        if len(fitting) > 1:
            table["ambiguous"][[*fitting, one]] = True
        begun = int(table["first_ns"][one])
        waiting = [w for w in waiting if begun - int(table["first_ns"][w]) <= LATEST_NS]
        waiting.append(one)


def _goes_on(front: int, back: int, carried: Carried, table: Columns) -> bool:
    """Tell whether *back* may carry on what *front* brought: another pair of hosts, question later, answer earlier."""
    ends = [
        {(int(table[f"orig_{end}_hi"][number]), int(table[f"orig_{end}"][number])) for end in ("src", "dst")}
        for number in (front, back)
    ]
    same = ends[0] == ends[1]
    if same:  # two connections of one client, unless one was seen inside a container only, and one outside only
        inside, outside = carried.inside[[front, back]], carried.outside[[front, back]]
        same = bool((inside == outside).any() or inside[0] == inside[1])
    asked, answered = carried.asked, carried.answered
    asks_later = asked.first_ns[front] <= asked.first_ns[back]
    return bool(not same and asks_later and answered.first_ns[back] <= answered.first_ns[front])
