"""TCP connections as they left: what tells whether others that went the same way were answered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode.offsets import ECN, SYN
from analyzer.link.identity import has
from analyzer.link.sorting import end_to_end, rows_of
from analyzer.packet.context import Context
from analyzer.schema import Array, Int64, Layer


@dataclass(frozen=True, slots=True)
class Begun:
    """Segments that begin TCP connections, where they were seen last; b of them, in order of time."""

    packet: Int64
    """Number among all."""
    connection: Int64
    """Likewise."""
    point: Array
    ttl: Array
    dst_hi: Array
    dst: Array
    eth_dst: Array
    """MAC that they were sent to there, the next hop's."""
    ecn: Array
    """bool: it offers explicit congestion notification (RFC 3168, section 6.1.1)."""
    answered: Array
    """bool: an answer of the connection was seen."""

    @classmethod
    def of(cls, context: Context) -> "Begun":
        """Take those that are told in a part."""
        frames, hops, start = context.frames, context.hops, context.packet_start
        first, last = hops["row"][start[:-1]], hops["row"][start[1:] - 1]
        connection = hops["connection"][start[:-1]]
        begins = has(frames["layers"][first], Layer.TCP) & (frames["tcp_flags"][first] & SYN != 0)
        begins &= ~hops["reply"][start[:-1]] & (connection >= 0) & context.mine
        packet = np.flatnonzero(begins)
        connection, row = connection[packet], last[packet]
        point, ttl, high, low, mac = (frames[name][row] for name in ("point", "ttl", "dst_hi", "dst", "eth_dst"))
        ecn = frames["tcp_flags"][row] & ECN == ECN
        answered = context.connections["seen_reply"][connection]
        return cls(context.numbers[packet], context.connection_id(connection), point, ttl, high, low, mac, ecn,
                   answered)  # fmt: skip

    @classmethod
    def together(cls, parts: "Sequence[Begun]") -> "Begun":
        """Put those of parts together."""
        every = end_to_end(parts)
        return rows_of(every, np.argsort(every.packet, kind="stable"))

    def at(self, point: int) -> "Begun":
        """Return those that were seen last at a point."""
        return rows_of(self, np.flatnonzero(self.point == point))
