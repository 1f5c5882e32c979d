"""What packets tell of MACs: which are the host's own, and behind which point each is at home."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analyzer.link.identity import has
from analyzer.link.sorting import changes, end_to_end, number_groups, rows_of
from analyzer.model import Point, Role
from analyzer.schema import Array, Columns, Int64, Layer

MAC_BITS = (1 << 48) - 1


def router_macs(frames: Columns, hops: Columns) -> set[int]:
    """Return the MACs of the host's own interfaces: those that change where a packet's TTL does."""
    ttl = frames["ttl"][hops["row"]]
    place = np.flatnonzero((hops["packet"][1:] == hops["packet"][:-1]) & (ttl[:-1] > ttl[1:]))
    row, nxt = hops["row"][place], hops["row"][place + 1]
    routed = has(frames["layers"][row] & frames["layers"][nxt], Layer.MAC_SRC)
    macs = frames["eth_dst"][row[routed]], frames["eth_src"][nxt[routed]]
    return {mac for column in macs for mac in np.unique(column[changes(column)]).tolist()}


@dataclass(frozen=True, slots=True)
class MacVotes:
    """Where packets from MACs were seen first; v pairs of a MAC and a point, sorted."""

    sender: Int64
    """MAC and point as one number."""
    packets: Int64
    first_packet: Int64
    """Its number among all."""
    frame: Array
    """Number of the frame that shows that one."""

    @classmethod
    def of(cls, frames: Columns, hops: Columns, numbers: Int64 | None = None) -> "MacVotes":
        """
        Count packets that several points saw: only these show a direction.

        *numbers* are those of packets among all, where there are others.
        """
        packet = hops["packet"]
        travels = np.flatnonzero(np.append(packet[1:] == packet[:-1], False) & (hops["hop"] == 0))
        rows = hops["row"][travels]
        known = np.flatnonzero(has(frames["layers"][rows], Layer.MAC_SRC))
        rows, packet = rows[known], packet[travels[known]]
        sender = frames["eth_src"][rows] << 16 | frames["point"][rows]
        group, first = number_groups(sender)
        order = np.argsort(sender[first], kind="stable")
        count, first = np.bincount(group, minlength=len(first))[order], first[order]
        number = packet[first] if numbers is None else numbers[packet[first]]
        return cls(sender[first], count, number, frames["frame"][rows[first]])

    @classmethod
    def together(cls, parts: "Sequence[MacVotes]") -> "MacVotes":
        """Add up those of parts."""
        every = end_to_end(parts)
        order = np.lexsort((every.first_packet, every.sender))
        start = np.flatnonzero(changes(every.sender[order]))
        first = rows_of(every, order[start])
        total = np.add.reduceat(every.packets[order], start) if len(start) else every.packets
        return replace(first, packets=total)

    def homes(self, points: Sequence[Point]) -> dict[int, tuple[int, int]]:
        """
        Tell where each MAC is at home.

        Returns:
            MAC to (point, frame number): where most of its packets come from, and the first frame that shows it. Where
            one point is all there is, only ARP shows it.
        """
        ranks = {point.id: list(Role).index(point.role) for point in points}
        best: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {}
        for sender, count, frame in zip(*(c.tolist() for c in (self.sender, self.packets, self.frame)), strict=True):
            mac, point = sender >> 16 & MAC_BITS, sender & 0xFFFF  # of 64 bits, so the first is the number's sign
            worth = count, -ranks.get(point, 0)
            if mac not in best or worth > best[mac][0]:
                best[mac] = worth, (point, frame)
        return {mac: home for mac, (_, home) in best.items()}
