"""An analysis cut into parts by its data: what is told of each part, put together, is what is told of the whole.

Connections that belong together stay together. What is small and asked for by all is in every part, and told in one:
the messages of neighbours and of name servers, and ICMP errors.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.decode.batch import SIDE_TABLES
from analyzer.link.dealing import Hand, check_parts, collect, deal, fill, part_of
from analyzer.link.identity import has
from analyzer.packet.assemble import Part
from analyzer.packet.context import Context
from analyzer.read.work import Work
from analyzer.run.engine import Engine
from analyzer.run.errands import Errands
from analyzer.run.names import Names
from analyzer.run.subset import Common, context_of, rows_of, together
from analyzer.schema import Array, Columns, Int64, Layer

SHARED = Layer.NEIGHBOUR | Layer.QUOTE | Layer.ICMP
"""Packets without a connection that are in every part."""


class Cut:
    """Packets in parts."""

    def __init__(
        self,
        common: Common,
        names: Names,
        quotes: Columns,
        count: int,
        work: Work,
        engine: Engine,
        most: int | None = None,
    ) -> None:
        """
        Cut into *count* parts, or as many as there is data for.

        Args:
            common: what all parts have in common.
            names: all questions to name servers.
            quotes: all QUOTES.
            count: how many parts.
            work: where their tables are kept.
            engine: does the work.
            most: rows that a part may have.

        Raises:
            LimitError: one has more.
        """
        self._common, found = common, common.correlated
        errands = Errands(common, names, quotes)
        of = errands.of_connections()
        frames = found.connections["frames"]
        alone = sum(one.hops.rows for one in found.parts) - int(frames.sum())
        self.count = max(min(count, len(np.unique(of)) + alone), 1)
        self._part_of = _filled(of, frames, self.count)
        self._shared_connections = np.isin(np.arange(len(of)), names.connections)
        rule = ByErrand(self.count, self._part_of, self._shared_connections)
        hands = engine.map(_deal, (rule, work), found.parts)
        *self._dealt, self._shared = collect(hands, tuple(SIDE_TABLES))
        check_parts(self._dealt, None if most is None else most - self._shared.rows)
        self._told_in = self._tell_shared(errands)

    def context(self, part: int) -> Context:
        """Return the tables of a part: its own connections, and what is in every part."""
        own, sides = self._dealt[part].tables()
        shared, of_shared = together([self._shared.tables()])
        own["mine"] = np.ones(len(own["row"]), bool)
        table, sides = together([(own, sides), (shared | {"mine": self._told_in == part}, of_shared)])
        connections = np.flatnonzero((self._part_of == part) | self._shared_connections)
        return context_of(self._common, table, sides, connections, table.pop("mine"))

    def everywhere(self) -> Context:
        """Return the tables of what is in every part."""
        connections = np.flatnonzero(self._shared_connections)
        return context_of(self._common, *together([self._shared.tables()]), connections)

    def _tell_shared(self, errands: Errands) -> Int64:
        """(rows,) The part that tells each of those that are in every one: an error's is that of what it quotes."""
        table, sides = together([self._shared.tables()])
        found: Int64 = np.append(self._part_of, 0)[table["connection"]]
        parts = np.append(self._part_of, 0)[errands.between(sides["quotes"])]
        packet = table["packet"][np.searchsorted(table["row"], sides["quotes"]["row"])]
        order = np.argsort(packet, kind="stable")
        place = np.searchsorted(packet[order], table["packet"])
        known = np.append(packet[order], -1)[place] == table["packet"]
        known &= table["connection"] < 0
        found[known] = parts[order[place[known]]]
        return found


@dataclass(frozen=True, slots=True)
class ByErrand:
    """What belongs together goes to one part; what is in every part goes to one behind them."""

    count: int
    of_connection: Int64
    """(connections,) Part of each."""
    everywhere: Array
    """(connections,) bool: it is in every part."""

    @property
    def parts(self) -> int:
        """How many there are."""
        return self.count + 1

    def __call__(self, table: Columns) -> Int64:
        """(n,) Tell it of the rows of a table."""
        connection = table["connection"]
        found: Int64 = np.append(self.of_connection, 0)[connection]
        none = np.flatnonzero(connection < 0)
        packet = table["packet"][none]
        found[none] = part_of(packet, self.count)
        shared = np.append(self.everywhere, False)[connection]
        # One frame of a packet may show what it is, and another, cut shorter, not.
        shared[none] = np.isin(packet, np.unique(packet[has(table["layers"][none], SHARED)]))
        found[shared] = self.count
        return found


def _deal(common: tuple[ByErrand, Work], part: Part) -> Hand:
    rule, work = common
    return deal(*rows_of(part), rule, work)


def _filled(errand: Int64, frames: Int64, count: int) -> Int64:
    """(connections,) Give errands to parts, all connections of one to the same."""
    numbers, of = np.unique(errand, return_inverse=True)
    found: Int64 = fill(np.bincount(of, frames, len(numbers)).astype(np.int64), count)[of]
    return found
