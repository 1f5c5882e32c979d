"""The stages of correlation in order: FRAMES to HOPS and CONNECTIONS."""

from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.correlate.clock import Apart, Offset, align_roughly, estimate, far_apart
from analyzer.correlate.connections import Doubts, build_connections
from analyzer.correlate.nat import Mapping, map_conversations
from analyzer.correlate.packets import Points, Sorted, find_packets
from analyzer.correlate.runs import in_time, sort_runs
from analyzer.correlate.stated import Contradiction, Stated, StatedSides, apply_stated
from analyzer.correlate.tuples import Conversations, find_conversations
from analyzer.correlate.verify import Verifier
from analyzer.correlate.votes import WINDOW_NS
from analyzer.schema import CONNECTIONS, HOPS, Array, Columns, Int64


@dataclass(slots=True)
class Correlated:
    """What correlation found."""

    hops: Columns
    connections: Columns
    contradictions: list[Contradiction]
    doubts: Doubts = field(default_factory=Doubts)
    apart: list[Apart] = field(default_factory=list)
    """Points of one host, as it was said, whose times fit only with an offset."""
    offsets: dict[int, Offset] = field(default_factory=dict)
    """By number of the host: how far its clock is ahead, where packets told; subtracted from its frames' times."""


def correlate(
    frames: Columns,
    keys: Columns,
    *,
    keep: int,
    outward: Int64,
    stated: list[Stated],
    hosts: Int64,
    files: Int64 | None = None,
    hairpin: Array | None = None,
    verifier: Verifier | None = None,
) -> Correlated:
    """
    Find packets and connections.

    Args:
        frames: FRAMES, in any order; times of other hosts than the first are corrected in place.
        keys: KEYS of them; they are used up.
        keep: bytes that every point kept, from the network header on.
        outward: (points,) rank of each point's role on the way out of a container.
        stated: conntrack entries of the host.
        hosts: (points,) number of each point's host, from 0.
        files: (points,) number of each point's file; each point is a file of its own if nobody says.
        hairpin: (points,) bool: ports that are recorded to be in hairpin mode.
        verifier: reads frames again to compare their bytes; None where nobody can.
    """
    if not len(frames["frame"]):
        return Correlated(HOPS.empty(0), CONNECTIONS.empty(0), [])
    files = np.arange(len(hosts)) if files is None else files
    if verifier is not None:
        verifier.refine(keys["identity"])
    hairpin = np.zeros(len(hosts), bool) if hairpin is None else hairpin
    points = Points(outward, hosts, files, hairpin)
    if not hosts.any():
        apart = far_apart(frames, keys["identity"], len(hosts), WINDOW_NS)
        found = _correlate(frames, keys, keep, stated, points, verifier)
        found.apart = apart
        return found
    rough = align_roughly(frames, keys["identity"], hosts[frames["point"]])
    found = _correlate(frames, dict(keys), keep, stated, points, verifier)
    offsets: dict[int, Offset] = {}
    for number in range(1, len(rough)):
        offset = estimate(frames, found.hops, hosts, number, {0, *offsets})
        if offset is not None:
            mine = hosts[frames["point"]] == number
            frames["time_ns"][mine] -= offset.at(frames["time_ns"][mine])
            offsets[number] = replace(offset, offset_ns=offset.offset_ns + rough[number])
        elif rough[number]:
            mine = frames["time_ns"][hosts[frames["point"]] == number]
            offsets[number] = Offset(rough[number], int(mine.min()), rough=True)
    found = _correlate(frames, keys, keep, stated, points, verifier)
    found.offsets = offsets
    return found


def _correlate(
    frames: Columns, keys: Columns, keep: int, stated: list[Stated], points: Points, verifier: Verifier | None
) -> Correlated:
    time_order = in_time(frames, points.files)
    conversations = find_conversations(frames, keys.pop("flow"), time_order)
    runs, places = sort_runs(frames, keys.pop("identity"), time_order)
    conversations.sort(places)
    del time_order, places
    sides = StatedSides(frames, conversations, stated)
    mapping = map_conversations(conversations, runs, sides, keep, verifier.contradict if verifier is not None else None)
    sightings = Sorted(runs.rows, runs.run, *_streams(conversations, mapping))
    del runs, conversations  # columns as long as FRAMES, which nobody needs any more
    packets = find_packets(sightings, points)
    hops, connections, doubts = build_connections(frames, mapping, packets)
    return Correlated(hops, connections, apply_stated(connections, stated), doubts)


def _streams(conversations: Conversations, mapping: Mapping) -> tuple[Array, Array]:
    """Return connection and direction of each place as one number, -1 without a tuple; and which are doubtful."""
    stream = np.append(mapping.connection * 2 + mapping.flipped, -1).astype(np.int32)[conversations.of]
    stream ^= conversations.backward & (stream >= 0)
    ambiguous = np.append(mapping.ambiguous, False)[conversations.of]
    return stream, ambiguous
