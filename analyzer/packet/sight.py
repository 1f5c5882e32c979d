"""Frames as journeys are told from them: the columns of FRAMES that a hop shows, looked up for many packets at once."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from analyzer.link.sorting import expand
from analyzer.model import Address, address
from analyzer.packet.context import Context
from analyzer.schema import Int64, Layer

AT_A_TIME = 1_000
"""Packets that are looked up together."""
MOST_HOPS = 1_000
"""Of one packet; only frames that are alike without end make more."""


class Sight(NamedTuple):
    """A frame, by its row and columns of FRAMES."""

    row: int
    layers: int
    point: int
    frame: int
    time_ns: int
    orig_len: int
    eth_src: int
    eth_dst: int
    vlan: int
    src_hi: int
    src: int
    dst_hi: int
    dst: int
    sport: int
    dport: int
    icmp_id: int
    ttl: int
    ip_id: int
    payload_len: int
    seq: int
    ack: int
    window: int
    tcp_flags: int

    @property
    def source(self) -> Address | None:
        """Source address; None without one."""
        return self._address(self.src_hi, self.src)

    @property
    def target(self) -> Address | None:
        """Destination address, likewise."""
        return self._address(self.dst_hi, self.dst)

    def _address(self, high: int, low: int) -> Address | None:
        if self.layers & Layer.IPV6:
            return address(6, high, low)
        return address(4, 0, low) if self.layers & (Layer.IPV4 | Layer.ARP) else None


COLUMNS = Sight._fields[1:]
"""Of FRAMES."""


def look(context: Context, rows: Int64) -> Iterator[Sight]:
    """Give *rows* of FRAMES."""
    columns = (context.frames[name][rows].tolist() for name in COLUMNS)
    return map(Sight._make, zip(rows.tolist(), *columns, strict=True))


def sights(context: Context, packets: Int64) -> Iterator[list[list[Sight]]]:
    """Give the frames of each of *packets* by hop, up to MOST_HOPS: several where it is fragmented or segmented."""
    hops = context.hops
    for begin in range(0, len(packets), AT_A_TIME):
        some = packets[begin : begin + AT_A_TIME]
        start = context.packet_start[some]
        length = context.packet_start[some + 1] - start
        places, number = expand(start, length), np.repeat(np.arange(len(some)), length)
        told = hops["hop"][places] < MOST_HOPS
        places, number = places[told], number[told]
        found: list[list[list[Sight]]] = [[] for _ in some]
        seen = look(context, hops["row"][places])
        for sight, of, hop in zip(seen, number.tolist(), hops["hop"][places].tolist(), strict=True):
            if hop == len(found[of]):
                found[of].append([])
            found[of][hop].append(sight)
        yield from found
