"""The stages of a share, and what all of them tell together: packets and connections by their numbers among all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.correlate.clock import Apart, Offset
from analyzer.correlate.connections import Built, Doubts, build_connections
from analyzer.correlate.nat import Mapping
from analyzer.correlate.order import Delays, unclear_places
from analyzer.correlate.packets import Packets, Points, Sorted, group_frames, order_frames
from analyzer.correlate.relays import Carried, find_relays
from analyzer.correlate.runs import recorded_at
from analyzer.correlate.shares import Share, part_of
from analyzer.correlate.sorting import changes, lengths
from analyzer.correlate.stated import Contradiction, Stated, apply_stated
from analyzer.correlate.tuples import Seen
from analyzer.correlate.verify import Verifier
from analyzer.correlate.votes import Ballots, cast_votes
from analyzer.schema import HOPS, Columns, Int64


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


def vote(share: Share, seen: Seen, verifier: Verifier | None) -> Ballots:
    """Let the frames of a share, all of their identities, vote for pairs of conversations."""
    contradict = None if verifier is None else (
        lambda before, after: verifier.contradict(share.rows(before), share.rows(after))
    )  # fmt: skip
    return cast_votes(share, seen, contradict)


def connection_parts(identity: Int64, of: Int64, mapping: Mapping, parts: int) -> Int64:
    """(n,) Which part each row goes to: that of its conversation's connection, without one that of its identity."""
    connection = np.append(mapping.connection, -1)[of]
    return np.where(connection < 0, part_of(identity, parts), part_of(connection, parts))


@dataclass(slots=True)
class Grouped:
    """A share's frames, grouped to packets."""

    share: Share
    frames: Sorted
    unclear: Int64
    """Places of those whose order in time may not be that of their way."""

    @classmethod
    def of(cls, share: Share, mapping: Mapping, points: Points) -> "Grouped":
        """Group the frames of a share, all of their connections."""
        runs = share.runs
        stream = np.append(mapping.connection * 2 + mapping.flipped, -1).astype(np.int32)[share.of]
        stream ^= share.backward & (stream >= 0)
        frames = Sorted(runs.rows, runs.run, stream, np.append(mapping.ambiguous, False)[share.of])
        share.forget()
        if len(stream):
            group_frames(frames, points)
        return cls(share, frames, unclear_places(frames.rows, frames.group) if len(stream) else runs.rows.order)

    def delays(self) -> Delays:
        """Measure how late each sender's packets come to each point."""
        return Delays.of(self.frames.rows, self.frames.group)

    def ordered(self, delays: Delays | None, points: Points, mapping: Mapping) -> "Ordered":
        """Bring frames into the order of their way, and find what connections they are of."""
        packets = order_frames(self.frames, self.unclear, points, delays)
        return Ordered(self.share, packets, build_connections(self.share.frames, mapping, packets))


@dataclass(slots=True)
class Ordered:
    """Packets and connections of one share."""

    share: Share
    packets: Packets
    built: Built

    def first(self) -> tuple[Int64, Int64]:
        """(packets,) When each was first seen, and where that was recorded."""
        rows, start = self.packets.rows, self.packets.start
        if not len(start):
            return start, start
        time_ns = rows.column("time_ns")
        first_ns = np.minimum.reduceat(time_ns, start)
        places = np.flatnonzero(time_ns == np.repeat(first_ns, lengths(start, len(time_ns))))
        packet = np.searchsorted(start, places, side="right") - 1
        at = recorded_at(rows.frames, self.share.files, rows.order[places])
        return first_ns, np.minimum.reduceat(at, np.flatnonzero(changes(packet)))


def assemble(parts: Sequence[Ordered], mapping: Mapping, stated: list[Stated]) -> Correlated:
    """Number packets and connections of all parts in order of time, and find what concerns several of them."""
    hops, order = _numbered(parts)
    tables = [one.built.connections for one in parts]
    table = {name: np.concatenate([one[name] for one in tables])[order] for name in tables[0]}
    find_relays(Carried.together([one.built.carried for one in parts], order), table)
    label = np.concatenate([one.built.label for one in parts])[order]
    return Correlated(hops, table, apply_stated(table, stated), Doubts.of(mapping, label))


def _numbered(parts: Sequence[Ordered]) -> tuple[Columns, Int64]:
    """Return HOPS of all parts, and what brings their connections, one part after the other, into order."""
    if len(parts) == 1:
        return parts[0].built.hops, np.arange(len(parts[0].built.label))
    first_ns, first_at = (np.concatenate(column) for column in zip(*(one.first() for one in parts), strict=True))
    number = np.empty(len(first_ns), np.int64)
    number[np.lexsort((first_at, first_ns))] = np.arange(len(first_ns))
    counts = [len(one.packets.start) for one in parts]
    of_part = np.split(number, np.cumsum(counts)[:-1])
    first = [packets[one.built.first_packet] for packets, one in zip(of_part, parts, strict=True)]
    order = np.argsort(np.concatenate(first), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    connections = np.split(place, np.cumsum([len(one) for one in first])[:-1])
    found = []
    for one, packets, numbers in zip(parts, of_part, connections, strict=True):
        hops = dict(one.built.hops)
        hops["row"] = one.share.rows(hops["row"])
        hops["packet"] = packets[hops["packet"]]
        hops["connection"] = np.append(numbers, -1)[hops["connection"]].astype(np.int32)
        found.append(hops)
    together = {name: np.concatenate([hops[name] for hops in found]) for name in HOPS.dtypes}
    by_packet = np.argsort(together["packet"], kind="stable")
    return {name: column[by_packet] for name, column in together.items()}, order
