"""Which bridge a capture point is a port of: as frames show it, else as dumps state it."""

from collections import Counter

import numpy as np

from analyzer.link.sorting import count_keys
from analyzer.model import Role
from analyzer.packet.context import Context


def bridge_of_port(context: Context) -> dict[int, int | str]:
    """Return for each port its bridge: the point between which and it frames pass unrouted, or the recorded master."""
    return bridges_by(context, context.all.bridged)


def bridges_by(context: Context, often: Counter[tuple[int, int]]) -> dict[int, int | str]:
    """Return the same, by how *often* packets went from point to point unrouted."""
    bridges = [p.id for p in context.points if p.role is Role.BRIDGE]
    # Of several bridges of one port, the most frequent one comes last, and stays.
    by_count = sorted(often, key=lambda pair: (often[pair], pair))
    found: dict[int, int | str] = {port: bridge for port, bridge in by_count if bridge in bridges}
    by_name = {(p.host, name): p.id for p in context.points for name in (p.name, p.interface) if p.id in bridges}
    for point in context.points:
        if point.id not in found and point.role in (Role.VETH, Role.CONTAINER):
            host = context.hosts[point.host]
            link = host.link(point.interface or point.name) or host.link(point.name)
            network = next((n.bridge for n in host.networks if n.name == point.network), None)
            stated = link is not None and (link.master is not None or (point.role is Role.VETH and link.kind == "veth"))
            master = link.master if link is not None and stated else network
            if master is not None:
                found[point.id] = by_name.get((point.host, master), master)
    return found


def bridged(context: Context) -> Counter[tuple[int, int]]:
    """Count how often packets that are told here went from one point to another unrouted, either way."""
    hops, frames = context.own_hops, context.frames
    ttl, point_of = frames["ttl"][hops["row"]], frames["point"][hops["row"]]
    place = np.flatnonzero((hops["packet"][1:] == hops["packet"][:-1]) & (ttl[1:] == ttl[:-1]))
    a, b = point_of[place].astype(np.int64), point_of[place + 1]
    points = len(context.points)
    found: Counter[tuple[int, int]] = Counter()
    for key, count in zip(*(column.tolist() for column in count_keys(a * points + b)), strict=True):
        one, other = divmod(key, points)
        found[one, other] += count
        found[other, one] += count
    return found


def bridge_names(context: Context) -> dict[int, str]:
    """Return the interface's name of each port's bridge, by point."""
    found = bridge_of_port(context).items()
    named = {point.id: point.interface or point.name for point in context.points}
    return {port: named[bridge] if isinstance(bridge, int) else bridge for port, bridge in found}
