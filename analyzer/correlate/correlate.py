"""The stages of correlation in order: FRAMES to HOPS and CONNECTIONS."""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.connections import build_connections
from analyzer.correlate.nat import Mapping, map_conversations
from analyzer.correlate.packets import find_packets
from analyzer.correlate.runs import sort_runs
from analyzer.correlate.stated import Contradiction, Stated, StatedSides, apply_stated
from analyzer.correlate.tuples import Conversations, find_conversations
from analyzer.decode.offsets import IPV6_HEADER, TCP_HEADER
from analyzer.schema import CONNECTIONS, HOPS, Array, Columns, Int64


@dataclass(slots=True)
class Correlated:
    """What correlation found."""

    hops: Columns
    connections: Columns
    contradictions: list[Contradiction]


def correlate(
    frames: Columns,
    keys: Columns,
    *,
    keep: int,
    outward: Int64,
    stated: list[Stated],
) -> Correlated:
    """
    Find packets and connections.

    Args:
        frames: FRAMES, in any order.
        keys: KEYS of them; they are used up.
        keep: bytes that every point kept, from the network header on.
        outward: (points,) rank of each point's role on the way out of a container.
        stated: conntrack entries of the host.
    """
    if not len(frames["frame"]):
        return Correlated(HOPS.empty(0), CONNECTIONS.empty(0), [])
    time_order = np.argsort(frames["time_ns"], kind="stable")
    conversations = find_conversations(frames, keys.pop("flow"), time_order)
    runs, places = sort_runs(frames, keys.pop("identity"), time_order)
    conversations.sort(places)
    del time_order, places
    sides = StatedSides(frames, conversations, stated)
    usable_tcp = keep >= IPV6_HEADER + TCP_HEADER
    mapping = map_conversations(conversations, runs, sides, usable_tcp=usable_tcp)
    packets = find_packets(runs, *_streams(conversations, mapping), outward)
    hops, connections = build_connections(frames, mapping, packets)
    return Correlated(hops, connections, apply_stated(connections, stated))


def _streams(conversations: Conversations, mapping: Mapping) -> tuple[Int64, Array]:
    """Return connection and direction of each place as one number, -1 without a tuple; and which are doubtful."""
    stream = np.append(mapping.connection * 2 + mapping.flipped, -1)[conversations.of]
    stream ^= conversations.backward & (stream >= 0)
    ambiguous = np.append(mapping.ambiguous, False)[conversations.of]
    return stream, ambiguous
