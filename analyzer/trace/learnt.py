"""What bridges learnt: behind which port each MAC is, and when it moved to another one.

A bridge remembers the port by which a source MAC came in last (net/bridge/br_fdb.c). A frame came in where its packet
was seen first; only packets that several points saw show that.
"""

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import changes
from analyzer.model import Mac, Role
from analyzer.model.overview import LearntMac
from analyzer.schema import Layer
from analyzer.trace.context import Context
from analyzer.trace.ports import bridge_names

PORTS = (Role.VETH, Role.CONTAINER, Role.OVERLAY)
MOST = 5_000
"""Entries that are listed; a MAC that jumps with every frame would fill any list."""


def learnt(context: Context) -> list[LearntMac]:
    """List what was learnt, in order of time."""
    frames, hops = context.frames, context.hops
    several = np.diff(context.packet_start) > 1
    rows = hops["row"][np.flatnonzero((hops["hop"] == 0) & several[hops["packet"]])]
    rows = rows[np.flatnonzero(context.with_role(rows, *PORTS) & has(frames["layers"][rows], Layer.MAC_SRC))]
    rows = rows[~np.isin(frames["eth_src"][rows], np.array(sorted(context.host_macs), np.int64))]
    rows = rows[np.lexsort((frames["time_ns"][rows], frames["eth_src"][rows]))]
    mac, point = frames["eth_src"][rows], frames["point"][rows]
    new = np.flatnonzero(changes(mac, point))[:MOST]
    bridges = bridge_names(context)
    found: list[LearntMac] = []
    for place in new.tolist():
        row = int(rows[place])
        port = context.point(row)
        owner = context.owner_of_mac(int(mac[place]), row)
        if owner is not None and port.container is not None and owner.name != port.container:
            continue  # flooded, from a port that was not captured, or not any more
        # The same MAC on another host is another container: older engines make it of the address.
        moved = place > 0 and mac[place - 1] == mac[place] and context.point(int(rows[place - 1])).host == port.host
        entries = (
            e.text for e in context.host_at(row).fdb if e.mac == mac[place] and e.dev in (port.name, port.interface)
        )
        found.append(
            LearntMac(
                mac=Mac(int(mac[place])),
                point=port.name,
                frame=context.value("frame", row),
                time_ns=context.value("time_ns", row),
                bridge=bridges.get(port.id),
                container=owner.name if owner is not None else None,
                moved_from=context.point(int(rows[place - 1])).name if moved else None,
                entry=next(entries, None),
            )
        )
    return sorted(found, key=lambda entry: (entry.time_ns, entry.mac))
