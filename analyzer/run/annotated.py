"""An analysis as one capture for Wireshark: frames read once more, merged by time, each with its journey's words."""

import heapq
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analyzer.errors import SelectionError
from analyzer.journey.parties import parties
from analyzer.report.pcapng import Pictured, comments, pcapng_blocks
from analyzer.schema import Int64

if TYPE_CHECKING:
    from analyzer.model import Point
    from analyzer.run.trace import Trace

MOST = 500_000
"""Journeys whose frames are commented; each comment is held until its frame comes."""


def annotated(trace: "Trace", selection: str | None = None) -> Iterator[bytes]:
    """
    Give a pcapng block by block: of all frames, or those of the journeys that a *selection* picks.

    Raises:
        SelectionError: there is too much of it, or nothing of payloads may be told.
    """
    if not trace.payload:
        raise SelectionError("pcapng: frames have payloads, which --no-payload forbids")
    everything = selection is None and len(trace) == trace.packets
    numbers = trace.numbers if selection is None else trace.select(selection)
    if len(numbers) > MOST:
        raise SelectionError(
            f"pcapng: comments on {len(numbers):,} journeys, and {MOST:,} are the most; -Y narrows them"
        )
    said = _said(trace, numbers)
    rows = np.arange(trace.tables.rows) if everything else np.array(sorted(said), np.int64)
    point = trace.tables.frames["point"][rows]
    names = ((party.address, party.name) for party in parties(trace.hosts, trace.names))
    each = (_frames(trace, one, rows[point == one.id], said) for one in trace.points)
    secrets = [one for file in trace.files for one in file.secrets]
    return pcapng_blocks(trace.points, names, heapq.merge(*each, key=lambda frame: frame.time_ns), secrets)


def _said(trace: "Trace", numbers: Sequence[int]) -> dict[int, str]:
    """Return what is said of each row of FRAMES."""
    hops = trace.correlated.hops
    among = np.zeros(trace.packets, bool)
    among[np.array(numbers, np.int64)] = True
    wanted = np.flatnonzero(among[hops["packet"]])  # of tables that may be larger than memory
    wanted = wanted[np.lexsort((hops["hop"][wanted], hops["packet"][wanted]))]
    packet, hop, row = (hops[name][wanted] for name in ("packet", "hop", "row"))
    found: dict[int, str] = {}
    for journey in trace.journeys(numbers):
        texts = comments(journey)
        begin, end = np.searchsorted(packet, [journey.id, journey.id + 1]).tolist()
        for place, frame in zip(hop[begin:end].tolist(), row[begin:end].tolist(), strict=True):
            found[frame] = texts[min(place, len(texts) - 1)]
    return found


def _frames(trace: "Trace", point: "Point", rows: Int64, said: dict[int, str]) -> Iterator[Pictured]:
    times = trace.tables.frames["time_ns"]
    for row, data, length, interface in trace.read_again(rows):
        yield Pictured(int(times[row]), point, interface.link_type, data, length, said.get(row))
