"""Correlation, stage by stage: FRAMES to packets and connections, in as many parts as the work is cut into.

A stage looks at one range or one share at a time, and gives a small table; all of these together decide what the next
one does. Between stages, tables are kept where there is room for them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.correlate.assemble import Correlated, Grouped, Waiting, assemble, connection_parts, vote
from analyzer.correlate.clock import (
    MOST_COMPARED,
    Apart,
    Bounds,
    Offset,
    align_roughly,
    bounds,
    far_apart,
    look_at,
)
from analyzer.correlate.clock import (
    Seen as Looked,
)
from analyzer.correlate.cuts import find_cuts, inherited
from analyzer.correlate.nat import Mapping, map_conversations
from analyzer.correlate.order import Delays
from analyzer.correlate.packets import Points
from analyzer.correlate.shares import Dealt, Pile, Range, Source, Whole, deal, part_of
from analyzer.correlate.sorting import end_to_end
from analyzer.correlate.stated import Stated, StatedSides
from analyzer.correlate.tuples import Seen, number_talks
from analyzer.correlate.verify import Verifier, may_be_refined
from analyzer.correlate.votes import WINDOW_NS, Ballots, weigh
from analyzer.decode.frames import FrameTables
from analyzer.decode.stretch import Sides, Stretch
from analyzer.read.work import Kept
from analyzer.schema import CONNECTIONS, FRAMES, KEYS, Columns, Int64


def correlate(
    tables: FrameTables, points: Points, stated: list[Stated], verifier: Verifier | None = None, parts: int = 1
) -> Correlated:
    """
    Find packets and connections.

    Args:
        tables: all frames; times of other hosts than the first are corrected in place.
        points: what is known of points.
        stated: conntrack entries of the host.
        verifier: reads frames again to compare their bytes; None where nobody can.
        parts: into how many the work is cut; what is found does not depend on it.
    """
    if not tables.rows:
        return Correlated([], CONNECTIONS.empty(0), np.zeros(0, np.int64), [])
    work = _Correlation(tables, points, stated, verifier, parts)
    if verifier is not None:
        work.refine(verifier)
    if not points.hosts.any():
        apart = work.far_apart()
        found = work.run()
        found.apart = apart
        return found
    return work.with_clocks()


@dataclass
class _Open:
    """A stretch, opened as often as somebody needs it; what is in memory anyway is opened once."""

    stretch: Stretch
    first_row: int
    files: Int64
    _range: Range | None = None
    by_row: Kept | None = None
    """Each row's conversation in the range, and its direction."""

    def open(self) -> Range:
        """Return its rows."""
        if self._range is not None:
            return self._range
        table = self.stretch.table.open()
        frames = {name: table[name] for name in FRAMES.dtypes}
        found = Range(frames, table["flow"], table["identity"], self.files, self.first_row)
        if self.stretch.table.held is not None:
            self._range = found
        return found

    def forget(self) -> None:
        """Let go of what is known of rows in memory."""
        self._range = None

    def sides(self) -> Sides:
        """Return what lies aside; ``row`` is what rows are called among all."""
        found = {name: one.open() for name, one in self.stretch.sides.items()}
        if not self.first_row:
            return found
        return {name: side | {"row": side["row"] + self.first_row} for name, side in found.items()}


@dataclass
class _Correlation:
    """What the stages have in common."""

    tables: FrameTables
    points: Points
    stated: list[Stated]
    verifier: Verifier | None
    parts: int
    ranges: list[_Open] = field(default_factory=list)

    def __post_init__(self) -> None:
        pairs = zip(self.tables.stretches, self.tables.first_rows, strict=True)
        self.ranges = [_Open(one, first, self.points.files) for one, first in pairs]
        self.work = self.tables.work

    def refine(self, verifier: Verifier) -> None:
        """Tell apart what has one identity by chance, by its bytes."""
        piles = deal(self._that_may_be_refined(), self.parts, self._by_identity, self.work)
        rows, identities = [], []
        for pile in piles:
            table, _ = pile.tables()
            identity = table["identity"].copy()
            changed = verifier.refine(table, identity, table["row"].__getitem__)
            rows.append(table["row"][changed])
            identities.append(identity[changed])
        self._forget(piles)
        row, identity = np.concatenate(rows), np.concatenate(identities)
        order = np.argsort(row)
        ends = np.searchsorted(row[order], [*self.tables.first_rows, self.tables.rows]).tolist()
        for place, one in enumerate(self.ranges):
            mine = order[ends[place] : ends[place + 1]]
            if len(mine):
                known = one.stretch.table.open("identity")["identity"]
                known[row[mine] - one.first_row] = identity[mine]
                one.stretch.table.put("identity", known)

    def _by_identity(self, table: Columns) -> Int64:
        return part_of(table["identity"], self.parts)

    def _that_may_be_refined(self) -> Iterator[tuple[Columns, Sides]]:
        for one in self.ranges:
            table = one.stretch.table.open(*REFINED)
            rows = np.flatnonzero(may_be_refined(table))
            yield {name: column[rows] for name, column in table.items()} | {"row": rows + one.first_row}, {}

    def far_apart(self) -> list[Apart]:
        """Find points whose times do not fit, although they are of one host."""
        none = np.zeros(0, np.int64)
        count = len(self.points.hosts)
        looked: list[Looked] = [(none, none)] * (count if count <= MOST_COMPARED else 0)
        for one in self.ranges if looked else ():
            table = one.stretch.table.open("layers", "ip_id", "point", "time_ns", "identity")
            looked = look_at(table, table["identity"], looked)
        return far_apart(looked, WINDOW_NS)

    def with_clocks(self) -> Correlated:
        """Correct the clocks of other hosts than the first, and correlate with what packets say of them."""
        hosts = self.points.hosts
        count = int(hosts.max()) + 1
        piles = deal(
            (({**one.stretch.table.open("identity", "time_ns", "point"), "row": np.arange(one.stretch.rows)}, {})
             for one in self.ranges),
            self.parts, self._by_identity, self.work)  # fmt: skip

        def parts() -> Iterator[tuple[Int64, Int64, Int64]]:
            for pile in piles:
                table, _ = pile.tables()
                yield table["time_ns"], table["identity"], hosts[table["point"]]

        rough = align_roughly(parts, count)
        self._forget(piles)
        spans = self._correct({number: Offset(offset, 0) for number, offset in enumerate(rough) if offset})
        found = self.run()
        offsets: dict[int, Offset] = {}
        precise: dict[int, Offset] = {}
        for number in range(1, count):
            offset = self._estimate(found, number, precise, {0, *offsets})
            if offset is not None:
                precise[number] = offset
                offsets[number] = replace(offset, offset_ns=offset.offset_ns + rough[number])
            elif rough[number]:
                offsets[number] = Offset(rough[number], spans[number], rough=True)
        self._forget_parts(found)
        self._correct(precise)
        found = self.run()
        found.offsets = offsets
        return found

    def _estimate(self, found: Correlated, number: int, precise: dict[int, Offset], known: set[int]) -> Offset | None:
        """Estimate how far a host's clock is ahead, with those corrected that are known *precise*ly."""
        parts: list[Bounds] = []
        for part in found.parts:
            frames, _, _, hops = part.tables()
            corrected = frames | {"time_ns": self._corrected(frames, precise)}
            parts.append(bounds(corrected, hops, self.points.hosts, number, known))
        return end_to_end(parts).estimate()

    def _corrected(self, frames: Columns, offsets: dict[int, Offset]) -> Int64:
        time_ns, host = frames["time_ns"].copy(), self.points.hosts[frames["point"]]
        for number, offset in offsets.items():
            mine = host == number
            time_ns[mine] -= offset.at(time_ns[mine])
        return time_ns

    def _correct(self, offsets: dict[int, Offset]) -> dict[int, int]:
        """Subtract *offsets* from the times of hosts; return each host's first time."""
        firsts: dict[int, int] = {}
        for one in self.ranges:
            frames = one.stretch.table.open("time_ns", "point")
            corrected = self._corrected(frames, offsets)
            one.stretch.table.put("time_ns", corrected)
            one.forget()
            host = self.points.hosts[frames["point"]]
            for number in np.unique(host).tolist():
                first = int(corrected[host == number].min())
                firsts[number] = min(firsts.get(number, first), first)
        return firsts

    def run(self) -> Correlated:
        """Find packets and connections by the times that frames have now."""
        talks, seen, numbers = self._conversations()
        sources = self._shares(numbers, self._by_identity)
        ballots = Ballots.together([vote(source.open(), seen, self.verifier) for source in sources])
        candidates = weigh(ballots, talks, seen, self.tables.keep)
        candidates.support(StatedSides(talks, self.stated))
        mapping = map_conversations(seen, candidates)
        if self.parts > 1:
            self._forget(source.dealt for source in sources if isinstance(source, Pile))
            sources = self._shares(
                numbers, lambda table: connection_parts(table["identity"], table["of"], mapping, self.parts)
            )
        return self._packets(sources, mapping)

    def _packets(self, sources: list[Source], mapping: Mapping) -> Correlated:
        grouped: list[Waiting] = []
        delays: list[Delays] = []
        while sources:
            source = sources.pop(0)
            one = Grouped.of(source.open(), mapping, self.points)
            delays.append(one.delays())
            grouped.append(one.set_aside(source, self.work))
            del one
        unclear = any(len(one.unclear) for one in grouped)
        usual = Delays.together(delays) if unclear else None
        ordered = []
        while grouped:
            waiting = grouped.pop(0)
            ordered.append((waiting.source, waiting.open().ordered(usual, self.points, mapping)))
            self._forget_kept([waiting.kept] if waiting.kept is not None else [])
        return assemble(ordered, mapping, self.stated, self.work)

    def _conversations(self) -> tuple[Columns, Seen, list[Int64]]:
        """Return TALKS, where each conversation was seen, and the numbers of those of each range."""
        flows = inherited([one.open().fragments() for one in self.ranges])
        for one, (rows, flow) in zip(self.ranges, flows, strict=True):
            if len(rows):
                known = one.open().flow
                known[rows] = flow
                one.stretch.table.put("flow", known)
        cuts = find_cuts([one.open().flow_times() for one in self.ranges])
        conversed = []
        for one in self.ranges:
            opened = one.open()
            conversed.append(opened.converse(cuts))
            if one.stretch.table.held is None:
                one.by_row = self.work.keep(opened.by_row())
        talks, numbers = number_talks([found for found, _ in conversed])
        return talks, Seen.together([found for _, found in conversed], numbers, len(talks["key"])), numbers

    def _shares(self, numbers: list[Int64], part: Callable[[Columns], Int64]) -> list[Source]:
        """Deal all frames to shares; where there is one of each, it is the range."""
        if len(self.ranges) == self.parts == 1:
            one = self.ranges[0]
            return [Whole(one.open().share(numbers[0], one.sides()))]

        def tables() -> Iterable[tuple[Columns, Sides]]:
            for one, known in zip(self.ranges, numbers, strict=True):
                opened = one.open()
                by_row = one.by_row.open() if one.by_row is not None else opened.by_row()
                yield opened.table(by_row, known), one.sides()

        return [Pile(dealt, self.points.files) for dealt in deal(tables(), self.parts, part, self.work)]

    def _forget(self, dealt: Iterable[Dealt]) -> None:
        self._forget_kept([kept for one in dealt for piece in one.pieces for kept in piece])

    def _forget_kept(self, kept: list[Kept]) -> None:
        self.work.forget(kept)

    def _forget_parts(self, found: Correlated) -> None:
        self._forget(part.source.dealt for part in found.parts if isinstance(part.source, Pile))
        self._forget_kept([part.hops for part in found.parts])


REFINED = ("proto", "payload_len", "layers", "point", "orig_len", "cap_len", "ip_len", *KEYS.dtypes)
"""Columns by which what has one identity by chance is told apart."""
