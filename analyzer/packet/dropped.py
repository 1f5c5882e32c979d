"""Which packets the kernel says it dropped: its account joined with frames, by interface, length and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.model import Hosts, Point
from analyzer.model.drop import Drop, Sighting
from analyzer.packet.context import Context
from analyzer.schema import Int64

ETHERNET = 14
EARLIER_NS, LATER_NS = 3_000_000, 300_000
"""How much earlier and later than the kernel's event a frame may be stamped: it is stamped when it comes in first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frame that a drop may be of."""

    distance_ns: int
    """Between the two times."""
    at: tuple[int, int, int]
    """Order of its point where several are of the interface, its time, and its number there."""
    packet: int
    """Its packet's number among all."""


Candidates = dict[tuple[str | None, int, int], list[Candidate]]
"""By host, number of the drop, and place on the dropped packet's way."""


def candidates(context: Context) -> Candidates:
    """Return the frames that drops may be of, of packets that are told here."""
    found: Candidates = {}
    by_interface: dict[tuple[str | None, str], list[Point]] = {}
    for point in context.points:
        by_interface.setdefault((point.host, point.interface or point.name), []).append(point)
    rows_of: dict[int, tuple[Int64, Int64]] = {}
    for host in context.hosts.states:
        for number, drop in enumerate(host.drops):
            for place, sighting in enumerate(drop.way):
                near = [
                    _candidate(context, order, row, sighting)
                    for order, point in enumerate(by_interface.get((host.name, sighting.interface), []))
                    for row in _rows(context, rows_of, point, sighting)
                ]
                if near:
                    found[host.name, number, place] = near
    return found


def settle(hosts: Hosts, parts: Sequence[Candidates]) -> dict[int, Drop]:
    """
    Return what is known of packets' ends, by their numbers among all.

    A drop is of the frame that fits best where the packet was seen last before; if that was captured nowhere, where it
    was seen before that.
    """
    found: dict[int, Drop] = {}
    taken: set[tuple[str | None, str, tuple[int, int, int]]] = set()
    for host in hosts.states:
        for number, drop in enumerate(host.drops):
            for place, sighting in reversed(list(enumerate(drop.way))):
                near = [one for part in parts for one in part.get((host.name, number, place), ())
                        if (host.name, sighting.interface, one.at) not in taken]  # fmt: skip
                if near:
                    best = min(near, key=lambda one: (one.distance_ns, one.at))
                    taken.add((host.name, sighting.interface, best.at))
                    found.setdefault(best.packet, drop)
                    break
    return found


def _candidate(context: Context, order: int, row: int, sighting: Sighting) -> Candidate:
    time_ns = context.value("time_ns", row)
    packet = int(context.numbers[context.packet_of_row[row]])
    return Candidate(abs(time_ns - sighting.time_ns), (order, time_ns, context.value("frame", row)), packet)


def _rows(context: Context, rows_of: dict[int, tuple[Int64, Int64]], point: Point, sighting: Sighting) -> list[int]:
    """Return the frames of a point that a sighting may be of."""
    if point.id not in rows_of:
        rows = context.own_rows[context.frames["point"][context.own_rows] == point.id]
        order = np.argsort(context.frames["time_ns"][rows], kind="stable")
        rows_of[point.id] = rows[order], context.frames["time_ns"][rows[order]]
    rows, times = rows_of[point.id]
    begin, end = np.searchsorted(times, [sighting.time_ns - EARLIER_NS, sighting.time_ns + LATER_NS])
    near = rows[begin:end]
    length = sighting.length + (ETHERNET if sighting.received else 0)
    found: list[int] = near[context.frames["orig_len"][near] == length].tolist()
    return found
