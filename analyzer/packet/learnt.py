"""What bridges learnt: behind which port each MAC is, and when it moved to another one.

A bridge remembers the port by which a source MAC came in last (net/bridge/br_fdb.c). A frame came in where its packet
was seen first; only packets that several points saw show that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.link.identity import has
from analyzer.link.sorting import changes, end_to_end, rows_of
from analyzer.model import Mac, Role
from analyzer.model.overview import LearntMac
from analyzer.packet.context import Context
from analyzer.packet.ports import bridge_names
from analyzer.schema import Array, Int64, Layer

PORTS = (Role.VETH, Role.CONTAINER, Role.OVERLAY)
MOST = 5_000
"""Entries that are listed; a MAC that jumps with every frame would fill any list."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Frames that came in by a bridge's port; a of them, sorted by MAC, time and packet."""

    mac: Int64
    point: Array
    time_ns: Int64
    packet: Int64
    """Its number among all."""
    frame: Array

    @classmethod
    def of(cls, context: Context, moved: Int64 | None = None) -> "Arrivals":
        """Take those of a part: of each MAC the first at each point, and all of those that *moved*."""
        frames, hops = context.frames, context.own_hops
        several = np.diff(context.packet_start) > 1
        places = np.flatnonzero((hops["hop"] == 0) & several[hops["packet"]])
        rows = hops["row"][places]
        known = context.with_role(rows, *PORTS) & has(frames["layers"][rows], Layer.MAC_SRC)
        known &= ~np.isin(frames["eth_src"][rows], np.array(sorted(context.host_macs), np.int64))
        rows, packet = rows[known], context.numbers[hops["packet"][places[known]]]
        mac, point, time_ns = (frames[name][rows] for name in ("eth_src", "point", "time_ns"))
        found = cls(mac, point, time_ns, packet, frames["frame"][rows]).in_order()
        first = changes(found.mac, found.point)
        return rows_of(found, first if moved is None else first | np.isin(found.mac, moved))

    @classmethod
    def together(cls, parts: "Sequence[Arrivals]") -> "Arrivals":
        """Put those of parts together."""
        return end_to_end(parts).in_order()

    def in_order(self) -> "Arrivals":
        """Sort them."""
        return rows_of(self, np.lexsort((self.packet, self.time_ns, self.mac)))


def moved(firsts: Arrivals) -> Int64:
    """Return the MACs that came in by several ports, by the first frame of each there."""
    several = changes(firsts.mac, firsts.point) & ~changes(firsts.mac)
    return np.unique(firsts.mac[several])


def learnt(context: Context, seen: Arrivals) -> list[LearntMac]:
    """List what was learnt, in order of time; *seen* is of all parts, of those that moved with all of their frames."""
    new = np.flatnonzero(changes(seen.mac, seen.point))[:MOST]
    bridges = bridge_names(context)
    found: list[LearntMac] = []
    for place in new.tolist():
        mac, frame, time_ns = int(seen.mac[place]), int(seen.frame[place]), int(seen.time_ns[place])
        port = context.points[int(seen.point[place])]
        owner = context.hosts.owner_of_mac(mac, port.host)
        if owner is not None and port.container is not None and owner.name != port.container:
            continue  # flooded, from a port that was not captured, or not any more
        before = context.points[int(seen.point[place - 1])] if place and seen.mac[place - 1] == mac else None
        entries = (
            e.text for e in context.hosts[port.host].fdb if e.mac == mac and e.dev in (port.name, port.interface)
        )
        found.append(
            LearntMac(
                mac=Mac(mac),
                point=port.name,
                frame=frame,
                time_ns=time_ns,
                bridge=bridges.get(port.id),
                container=owner.name if owner is not None else None,
                # The same MAC on another host is another container: older engines make it of the address.
                moved_from=before.name if before is not None and before.host == port.host else None,
                entry=next(entries, None),
            )
        )
    return sorted(found, key=lambda entry: (entry.time_ns, entry.mac))
