"""Correlation, stage by stage: FRAMES to packets and connections, in as many parts as the work is cut into.

A stage looks at one range or one share at a time, and gives a small table; all of these together decide what the next
one does. Between stages, tables are kept where there is room for them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from analyzer.decode.tables import FrameTables
from analyzer.errors import LimitError
from analyzer.link.clock import MOST_COMPARED, Apart, Bounds, Offset, align_roughly, bounds, far_apart, look_at
from analyzer.link.clock import Seen as Looked
from analyzer.link.cuts import find_cuts, inherited
from analyzer.link.dealing import SIDES, ByConnection, ByIdentity, Dealt, Most, check_parts, collect
from analyzer.link.nat import map_conversations
from analyzer.link.shares import Pile, Source, Whole
from analyzer.link.sorting import end_to_end
from analyzer.link.stated import Stated, StatedSides
from analyzer.link.tuples import Seen, number_talks
from analyzer.link.verify import Verifier
from analyzer.link.votes import WINDOW_NS, Ballots, weigh
from analyzer.packet.assemble import Correlated, assemble
from analyzer.packet.order import Delays
from analyzer.packet.packets import Points
from analyzer.run import stages
from analyzer.run.engine import Engine, Inline
from analyzer.run.stages import Ranged
from analyzer.schema import COMPARED, CONNECTIONS, Columns, Int64


def correlate(
    tables: FrameTables,
    points: Points,
    stated: list[Stated],
    verifier: Verifier | None = None,
    parts: int = 1,
    engine: Engine | None = None,
    most: Most | None = None,
) -> Correlated:
    """
    Find packets and connections.

    Args:
        tables: all frames; times of other hosts than the first are corrected in place.
        points: what is known of points.
        stated: conntrack entries of the host.
        verifier: reads frames again to compare their bytes; None where nobody can.
        parts: into how many the work is cut; what is found does not depend on it.
        engine: does the work; None for this process.
        most: what fits into memory.

    Raises:
        LimitError: an identity or a connection has more frames, or there are more connections.
    """
    if not tables.rows:
        return Correlated([], CONNECTIONS.empty(0), np.zeros(0, np.int64), [])
    work = _Correlation(tables, points, stated, verifier, parts, engine or Inline(), most)
    if verifier is not None:
        work.refine(verifier)
    if not points.hosts.any():
        apart = work.far_apart()
        found = work.run()
        found.apart = apart
        return found
    return work.with_clocks()


class _Correlation:
    """What the stages have in common."""

    def __init__(
        self,
        tables: FrameTables,
        points: Points,
        stated: list[Stated],
        verifier: Verifier | None,
        parts: int,
        engine: Engine,
        most: Most | None,
    ) -> None:
        self._tables, self._points, self._stated, self._verifier = tables, points, stated, verifier
        self._parts, self._engine, self._work = parts, engine, tables.work
        self._by_identity, self._most = ByIdentity(parts), most
        pairs = zip(tables.stretches, tables.first_rows, strict=True)
        self._ranges = [Ranged(one, first, points.files) for one, first in pairs]

    def refine(self, verifier: Verifier) -> None:
        """Tell apart what has one identity by chance, by its bytes."""
        hands = self._engine.map(stages.deal_refined, (self._by_identity, self._work), self._ranges)
        piles = collect(hands, ())
        found = list(self._engine.map(stages.refine, verifier, piles))
        self._forget(piles)
        row, identity = (np.concatenate(columns) for columns in zip(*found, strict=True))
        order = np.argsort(row)
        ends = np.searchsorted(row[order], [*self._tables.first_rows, self._tables.rows]).tolist()
        for place, one in enumerate(self._ranges):
            mine = order[ends[place] : ends[place + 1]]
            if len(mine):
                known = one.stretch.table.open("identity")["identity"]
                known[row[mine] - one.first_row] = identity[mine]
                one.stretch.table.put("identity", known)

    def far_apart(self) -> list[Apart]:
        """Find points whose times do not fit, although they are of one host."""
        none = np.zeros(0, np.int64)
        count = len(self._points.hosts)
        looked: list[Looked] = [(none, none)] * (count if count <= MOST_COMPARED else 0)
        for one in self._ranges if looked else ():
            table = one.stretch.table.open("layers", "ip_id", "point", "time_ns", "identity")
            looked = look_at(table, table["identity"], looked)
        return far_apart(looked, WINDOW_NS)

    def with_clocks(self) -> Correlated:
        """Correct the clocks of other hosts than the first, and correlate with what packets say of them."""
        count = int(self._points.hosts.max()) + 1
        rough = self._align_roughly(count)
        firsts = self._correct({number: Offset(offset, 0) for number, offset in enumerate(rough) if offset})
        found = self.run()
        offsets: dict[int, Offset] = {}
        precise: dict[int, Offset] = {}
        for number in range(1, count):
            offset = self._estimate(found, number, precise, {0, *offsets})
            if offset is not None:
                precise[number] = offset
                offsets[number] = replace(offset, offset_ns=offset.offset_ns + rough[number])
            elif rough[number]:
                offsets[number] = Offset(rough[number], firsts[number], rough=True)
        self._forget(part.source.dealt for part in found.parts if isinstance(part.source, Pile))
        self._work.forget([part.hops for part in found.parts])
        self._correct(precise)
        found = self.run()
        found.offsets = offsets
        return found

    def _align_roughly(self, count: int) -> list[int]:
        names = ("identity", "time_ns", "point")
        piles = collect(self._engine.map(stages.deal_columns, (names, self._by_identity, self._work), self._ranges), ())

        def parts() -> Iterator[tuple[Int64, Int64, Int64]]:
            for pile in piles:
                table, _ = pile.tables()
                yield table["time_ns"], table["identity"], self._points.hosts[table["point"]]

        found = align_roughly(parts, count)
        self._forget(piles)
        return found

    def _estimate(self, found: Correlated, number: int, precise: dict[int, Offset], known: set[int]) -> Offset | None:
        """Estimate how far a host's clock is ahead, with those corrected that are known *precise*ly."""
        parts: list[Bounds] = []
        for part in found.parts:
            frames, _, _, hops = part.tables()
            corrected = frames | {"time_ns": self._corrected(frames, precise)}
            parts.append(bounds(corrected, hops, self._points.hosts, number, known))
        return end_to_end(parts).estimate()

    def _corrected(self, frames: Columns, offsets: dict[int, Offset]) -> Int64:
        time_ns, host = frames["time_ns"].copy(), self._points.hosts[frames["point"]]
        for number, offset in offsets.items():
            mine = host == number
            time_ns[mine] -= offset.at(time_ns[mine])
        return time_ns

    def _correct(self, offsets: dict[int, Offset]) -> dict[int, int]:
        """Subtract *offsets* from the times of hosts; return each host's first time."""
        firsts: dict[int, int] = {}
        for one in self._ranges:
            frames = one.stretch.table.open("time_ns", "point")
            corrected = self._corrected(frames, offsets)
            one.stretch.table.put("time_ns", corrected)
            one.forget()
            host = self._points.hosts[frames["point"]]
            for number in np.unique(host).tolist():
                first = int(corrected[host == number].min())
                firsts[number] = min(firsts.get(number, first), first)
        return firsts

    def run(self) -> Correlated:
        """Find packets and connections by the times that frames have now."""
        talks, seen, numbers = self._conversations()
        if self._most is not None and seen.count > SIDES * self._most.connections:
            raise LimitError(f"{seen.count:,} conversations do not fit: {self._most.connections:,} connections do")
        sources = self._shares(numbers, self._by_identity)
        ballots = Ballots.together(list(self._engine.map(stages.ballots, (seen, self._verifier), sources)))
        candidates = weigh(ballots, talks, seen, self._tables.keep)
        candidates.support(StatedSides(talks, self._stated))
        mapping = map_conversations(seen, candidates)
        if self._parts > 1:
            self._forget(source.dealt for source in sources if isinstance(source, Pile))
            sources = self._shares(numbers, ByConnection.of_sizes(self._parts, mapping.connection, seen.frames_of))
        needed = stages.without_names(mapping)
        grouped = list(self._engine.map(stages.group, (needed, self._points, self._work), sources))
        unclear = any(len(waiting.unclear) for waiting, _ in grouped)
        delays = Delays.together([one for _, one in grouped]) if unclear else None
        common = delays, self._points, needed, self._work
        ordered = list(self._engine.map(stages.order, common, [waiting for waiting, _ in grouped]))
        return assemble(ordered, mapping, self._stated)

    def _conversations(self) -> tuple[Columns, Seen, list[Int64]]:
        """Return TALKS, where each conversation was seen, and the numbers of those of each range."""
        noted = list(self._engine.map(stages.notice, None, self._ranges))
        times = [found for _, found in noted]
        inherits = enumerate(inherited([found for found, _ in noted]))
        later = {place: one for place, one in inherits if len(one[0])}
        items = [(self._ranges[place], one) for place, one in later.items()]
        for place, found in zip(later, self._engine.map(stages.inherit, None, items), strict=True):
            times[place] = found
        conversed = list(self._engine.map(stages.converse, (find_cuts(times), self._work), self._ranges))
        for one, (_, _, by_row) in zip(self._ranges, conversed, strict=True):
            one.by_row = by_row
        talks, numbers = number_talks([found for found, _, _ in conversed])
        return talks, Seen.together([found for _, found, _ in conversed], numbers, len(talks["key"])), numbers

    def _shares(self, numbers: list[Int64], rule: ByIdentity | ByConnection) -> list[Source]:
        """Deal all frames to shares; where there is one of each, it is the range."""
        if len(self._ranges) == self._parts == 1:
            one = self._ranges[0]
            return [Whole(one.open().share(numbers[0], one.sides(), one.stretch.table.open(*COMPARED)))]
        items = list(zip(self._ranges, numbers, strict=True))
        hands = self._engine.map(stages.deal_range, (rule, self._work), items)
        dealt = collect(hands, tuple(name for name in self._ranges[0].stretch.sides if name in rule.sides))
        check_parts(dealt, None if self._most is None else self._most.in_part)
        return [Pile(one, self._points.files) for one in dealt]

    def _forget(self, dealt: Iterable[Dealt]) -> None:
        self._work.forget([kept for one in dealt for piece in one.pieces for kept in piece])
