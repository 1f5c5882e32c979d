"""The stages of a share, and what all of them tell together: packets and connections by their numbers among all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.decode.stretch import Sides
from analyzer.link.clock import Apart, Offset
from analyzer.link.nat import Mapping
from analyzer.link.runs import Rows, recorded_at
from analyzer.link.shares import Share, Source
from analyzer.link.sorting import changes, group_rows, lengths
from analyzer.link.stated import Contradiction, Stated, apply_stated
from analyzer.link.tuples import Seen
from analyzer.link.verify import Verifier
from analyzer.link.votes import Ballots, cast_votes
from analyzer.model import Role
from analyzer.model.point import OUTWARD_ORDER
from analyzer.packet.connections import Built, Doubts, build_connections
from analyzer.packet.order import Delays, unclear_places
from analyzer.packet.packets import Packets, Points, Sorted, group_frames, order_frames
from analyzer.packet.relays import Carried, find_relays
from analyzer.read.kept import Kept
from analyzer.read.work import Work
from analyzer.schema import HOPS, Columns, Int64


def vote(share: Share, seen: Seen, verifier: Verifier | None) -> Ballots:
    """Let the frames of a share, all of their identities, vote for pairs of conversations."""
    contradict = None if verifier is None else (
        lambda before, after: verifier.contradict(share.frames | share.compared, before, after, share.rows)
    )  # fmt: skip
    return cast_votes(share, seen, contradict)


@dataclass(slots=True)
class Grouped:
    """A share's frames, grouped to packets."""

    files: Int64
    """(points,) Number of each point's file."""
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
        return cls(share.files, frames, unclear_places(frames.rows, frames.group) if len(stream) else runs.rows.order)

    def delays(self) -> Delays:
        """Measure how late each sender's packets come to each point."""
        return Delays.of(self.frames.rows, self.frames.group)

    def ordered(self, source: Source, delays: Delays | None, points: Points, mapping: Mapping, work: Work) -> "Ordered":
        """Bring frames into the order of their way, and find what connections they are of."""
        packets = order_frames(self.frames, self.unclear, points, delays)
        own_end = points.outward == OUTWARD_ORDER[Role.CONTAINER]
        built = build_connections(self.frames.rows.frames, mapping, packets, own_end)
        hops = work.keep(built.hops)
        return Ordered(source, hops, replace(built, hops={}), *_first(packets, self.files))

    def set_aside(self, source: Source, work: Work) -> "Waiting":
        """Keep how frames were grouped until all parts are."""
        if work.folder is None:
            return Waiting(source, self.unclear, self)
        found = self.frames
        table = {"order": found.rows.order, "group": found.group, "stream": found.stream, "ambiguous": found.ambiguous}
        return Waiting(source, self.unclear, None, work.keep(table))


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was grouped, and waits for what all parts say."""

    source: Source
    unclear: Int64
    held: Grouped | None
    kept: Kept | None = None

    def open(self) -> Grouped:
        """Go on."""
        if self.held is not None or self.kept is None:
            return self.held  # type: ignore[return-value]
        (frames, _, _), table = self.source.tables(), self.kept.open()
        rows = Rows(frames, table["order"])
        return Grouped(
            self.source.files, Sorted(rows, table["group"], table["stream"], table["ambiguous"]), self.unclear
        )


@dataclass(slots=True)
class Ordered:
    """Packets and connections of one share."""

    source: Source
    hops: Kept
    """HOPS, by the share's own numbers."""
    built: Built
    """What it came to, beside these."""
    first_ns: Int64
    """(packets,) When each was first seen."""
    first_at: Int64
    """(packets,) And where that was recorded."""


@dataclass(slots=True)
class Part:
    """Packets of some connections."""

    source: Source
    hops: Kept
    """HOPS, by the part's own numbers of rows, packets and connections."""
    packets: Int64
    """(packets,) The number of each among all."""
    connections: Int64
    """(connections,) Likewise."""

    def first_of_streams(self) -> Int64:
        """Return the number of the first packet of each direction of each connection."""
        hops = self.hops.open("packet", "connection", "reply")
        begins = np.flatnonzero(changes(hops["packet"]))
        known = begins[hops["connection"][begins] >= 0]
        _, first = group_rows(hops["connection"][known], hops["reply"][known])
        return self.packets[hops["packet"][known[first]]]

    def tables(self) -> tuple[Columns, Sides, Int64, Columns]:
        """Return its FRAMES, what lies aside, what its rows are called among all, and HOPS with numbers among all."""
        hops = dict(self.hops.open())
        hops["packet"] = self.packets[hops["packet"]]
        hops["connection"] = np.append(self.connections, -1)[hops["connection"]].astype(np.int32)
        return *self.source.tables(), hops


@dataclass(slots=True)
class Correlated:
    """What correlation found."""

    parts: list[Part]
    connections: Columns
    first_packets: Int64
    """(connections,) Number of each one's first packet."""
    contradictions: list[Contradiction]
    doubts: Doubts = field(default_factory=Doubts)
    apart: list[Apart] = field(default_factory=list)
    """Points of one host, as it was said, whose times fit only with an offset."""
    offsets: dict[int, Offset] = field(default_factory=dict)
    """By number of the host: how far its clock is ahead, where packets told; subtracted from its frames' times."""

    @property
    def packets(self) -> int:
        """Number of packets."""
        return sum(len(one.packets) for one in self.parts)

    @property
    def hops(self) -> Columns:
        """HOPS: all of it, in memory."""
        if len(self.parts) == 1:
            return self.parts[0].hops.open()
        found = []
        for one in self.parts:
            _, _, rows, hops = one.tables()
            found.append(hops | {"row": rows[hops["row"]]})
        if not found:
            return HOPS.empty(0)
        together = {name: np.concatenate([hops[name] for hops in found]) for name in HOPS.dtypes}
        by_packet = np.argsort(together["packet"], kind="stable")
        return {name: column[by_packet] for name, column in together.items()}


def assemble(parts: Sequence[Ordered], mapping: Mapping, stated: list[Stated]) -> Correlated:
    """Number packets and connections of all parts in order of time, and find what concerns several of them."""
    built = [one.built for one in parts]
    numbers, order = _numbers(parts)
    tables = [one.connections for one in built]
    table = {name: np.concatenate([one[name] for one in tables])[order] for name in tables[0]}
    find_relays(Carried.together([one.carried for one in built], order), table)
    label = np.concatenate([one.label for one in built])[order]
    of_parts = [
        Part(one.source, one.hops, packets, connections)
        for one, (packets, connections) in zip(parts, numbers, strict=True)
    ]
    firsts = np.concatenate([of.packets[one.first_packet] for of, one in zip(of_parts, built, strict=True)])[order]
    return Correlated(of_parts, table, firsts, apply_stated(table, stated), Doubts.of(mapping, label))


def _numbers(parts: Sequence[Ordered]) -> tuple[list[tuple[Int64, Int64]], Int64]:
    """
    Number packets and connections.

    Returns:
        Of each part the numbers of its packets, and of its connections; and what brings connections, one part after
        the other, into order.
    """
    counts = np.cumsum([0, *(len(one.first_ns) for one in parts)])
    if len(parts) == 1:
        count = len(parts[0].built.label)
        return [(np.arange(counts[-1]), np.arange(count))], np.arange(count)
    first_ns, first_at = (
        np.concatenate(column) for column in zip(*((p.first_ns, p.first_at) for p in parts), strict=True)
    )
    number = np.empty(len(first_ns), np.int64)
    number[np.lexsort((first_at, first_ns))] = np.arange(len(first_ns))
    packets = np.split(number, counts[1:-1])
    first = [numbers[one.built.first_packet] for numbers, one in zip(packets, parts, strict=True)]
    order = np.argsort(np.concatenate(first), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    connections = np.split(place, np.cumsum([len(one) for one in first])[:-1])
    return list(zip(packets, connections, strict=True)), order


def _first(packets: Packets, files: Int64) -> Iterator[Int64]:
    """(packets,) Give when each was first seen, and where that was recorded."""
    rows, start = packets.rows, packets.start
    if not len(start):
        yield from (start, start)
        return
    time_ns = rows.column("time_ns")
    first_ns = np.minimum.reduceat(time_ns, start)
    places = np.flatnonzero(time_ns == np.repeat(first_ns, lengths(start, len(time_ns))))
    packet = np.searchsorted(start, places, side="right") - 1
    at = recorded_at(rows.frames, files, rows.order[places])
    yield first_ns
    yield np.minimum.reduceat(at, np.flatnonzero(changes(packet)))
