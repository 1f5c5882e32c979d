"""The stages of correlation in order: FRAMES to HOPS and CONNECTIONS."""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.connections import build_connections
from analyzer.correlate.identity import identify
from analyzer.correlate.nat import Mapping, map_conversations
from analyzer.correlate.packets import find_packets
from analyzer.correlate.runs import sort_runs
from analyzer.correlate.stated import Contradiction, Stated, StatedSides, apply_stated
from analyzer.correlate.tuples import Conversations, find_conversations
from analyzer.decode.offsets import IPV6_HEADER, TCP_HEADER
from analyzer.schema import CONNECTIONS, HOPS, Columns, Int64


@dataclass(slots=True)
class Correlated:
    """What correlation found."""

    hops: Columns
    connections: Columns
    contradictions: list[Contradiction]


def correlate(
    frames: Columns,
    quotes: Columns,
    neighbours: Columns,
    *,
    keep: int,
    outward: Int64,
    stated: list[Stated],
) -> Correlated:
    """
    Find packets and connections.

    Args:
        frames: FRAMES, in any order.
        quotes: QUOTES of them.
        neighbours: NEIGHBOURS of them.
        keep: bytes that every point kept, from the network header on.
        outward: (points,) rank of each point's role on the way out of a container.
        stated: conntrack entries of the host.
    """
    if not len(frames["frame"]):
        return Correlated(HOPS.empty(0), CONNECTIONS.empty(0), [])
    time_order = np.argsort(frames["time_ns"], kind="stable")
    conversations = find_conversations(frames, time_order)
    runs = sort_runs(identify(frames, quotes, neighbours, keep), time_order)
    sides = StatedSides(frames, conversations, stated)
    usable_tcp = keep >= IPV6_HEADER + TCP_HEADER
    mapping = map_conversations(frames, conversations, runs, sides, usable_tcp=usable_tcp)
    packets = find_packets(frames, runs, _streams(conversations, mapping), outward)
    hops, connections = build_connections(frames, conversations, mapping, packets)
    return Correlated(hops, connections, apply_stated(connections, stated))


def _streams(conversations: Conversations, mapping: Mapping) -> Int64:
    """Return connection and direction of each row as one number, -1 for rows without a tuple."""
    connection, flipped, _ = mapping.of(conversations.of_row)
    away = conversations.backward ^ flipped
    return np.where(connection >= 0, connection * 2 + away, -1)
