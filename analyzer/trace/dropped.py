"""Which packets the kernel says it dropped: its account joined with frames, by interface, length and time."""

import numpy as np

from analyzer.model import Point
from analyzer.model.drop import Drop, Sighting
from analyzer.schema import Int64
from analyzer.trace.context import Context

ETHERNET = 14
EARLIER_NS, LATER_NS = 3_000_000, 300_000
"""How much earlier and later than the kernel's event a frame may be stamped: it is stamped when it comes in first."""


def dropped(context: Context) -> dict[int, Drop]:
    """
    Return what is known of packets' ends, by packet.

    A drop is of the frame that fits best where the packet was seen last before; if that was captured nowhere, where it
    was seen before that.
    """
    found: dict[int, Drop] = {}
    taken: set[int] = set()
    by_interface: dict[tuple[str | None, str], list[Point]] = {}
    for point in context.points:
        by_interface.setdefault((point.host, point.interface or point.name), []).append(point)
    rows_of: dict[int, tuple[Int64, Int64]] = {}
    for host in context.hosts.states:
        for drop in host.drops:
            for sighting in reversed(drop.way):
                points = by_interface.get((host.name, sighting.interface), [])
                rows = [row for point in points for row in _rows(context, rows_of, point, sighting) if row not in taken]
                if rows:
                    times = context.frames["time_ns"][rows]
                    row = rows[int(np.argmin(np.abs(times - sighting.time_ns)))]
                    taken.add(row)
                    found.setdefault(int(context.packet_of_row[row]), drop)
                    break
    return found


def _rows(context: Context, rows_of: dict[int, tuple[Int64, Int64]], point: Point, sighting: Sighting) -> list[int]:
    """Return the frames of a point that a sighting may be of."""
    if point.id not in rows_of:
        rows = np.flatnonzero(context.frames["point"] == point.id)
        order = np.argsort(context.frames["time_ns"][rows], kind="stable")
        rows_of[point.id] = rows[order], context.frames["time_ns"][rows[order]]
    rows, times = rows_of[point.id]
    begin, end = np.searchsorted(times, [sighting.time_ns - EARLIER_NS, sighting.time_ns + LATER_NS])
    near = rows[begin:end]
    length = sighting.length + (ETHERNET if sighting.received else 0)
    found: list[int] = near[context.frames["orig_len"][near] == length].tolist()
    return found
