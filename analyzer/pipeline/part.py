"""A part of an analysis, which is told by itself: its packets have their own numbers, and those among all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.model import Connection, Disposition, Journey, ProxyStep, Step
from analyzer.model.told import Alike
from analyzer.report.lines import Batch
from analyzer.schema import Columns, Int64
from analyzer.trace.alike import Shapes
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context
from analyzer.trace.select import select

BATCH = 20_000
"""Journeys whose texts are held at a time."""


@dataclass
class Part:
    """Packets, and what is asked about them."""

    context: Context
    tracer: Tracer
    case: Case

    @cached_property
    def chosen(self) -> Int64:
        """Its own numbers of the packets that are told here."""
        return np.flatnonzero(self.context.mine)

    @property
    def numbers(self) -> Int64:
        """What they are called among all."""
        found: Int64 = self.context.numbers[self.chosen]
        return found

    def picked(self, selection: str) -> Int64:
        """
        Return the own numbers of those that *selection* picks.

        Raises:
            SelectionError: it cannot be understood.
        """
        return np.intersect1d(self.chosen, np.array(select(self.context, self.tracer, selection), np.int64))

    def select(self, selection: str) -> None:
        """Tell only what *selection* picks."""
        self.chosen = self.picked(selection)

    def ended(self, *kinds: Disposition) -> Int64:
        """Return what those that ended so are called among all."""
        ended = self.tracer.ended(*kinds)
        found: Int64 = self.context.numbers[ended[self.context.mine[ended]]]
        return found

    def journey(self, packet: int) -> Journey:
        """Tell the journey of a packet by its own number, with the numbers that all have among all."""
        told = self.tracer.journey(packet)
        return told if self.context.share.numbers is None else self._renumbered(told)

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes(self.context, self.tracer)

    def told(self, packets: Int64, chosen: Int64) -> Iterator[tuple[list[int], Journey | Alike]]:
        """Tell *packets* by their own numbers, those at the *chosen* places: what they have in common, by place."""
        for places, told in self._shapes.told(packets, chosen):
            if self.context.share.numbers is None:
                yield places.tolist(), told
            elif isinstance(told, Journey):
                yield places.tolist(), self._renumbered(told)
            else:
                yield places.tolist(), replace(told, one=partial(self._told_once, told))

    def _told_once(self, told: Alike) -> Journey:
        return self._renumbered(told.one())

    def batches(self) -> Iterator[Batch]:
        """Give all that is told, for reports that grow."""
        for begin in range(0, len(self.chosen), BATCH):
            packets = self.chosen[begin : begin + BATCH]
            yield len(packets), self.told(packets, np.arange(len(packets)))

    def connection(self, number: int) -> Connection:
        """Build a connection by its own number, likewise."""
        told = self.tracer.connection(number)
        if self.context.share.connections is None:
            return told
        others = None if told.candidates is None else tuple(self._connection(one) or 0 for one in told.candidates)
        return replace(
            told,
            id=self._connection(told.id) or 0,
            relayed_to=self._connection(told.relayed_to),
            relayed_from=self._connection(told.relayed_from),
            candidates=others,
        )

    def sightings(self, among: Sequence[int] | None = None) -> Columns:
        """Return HOPS of the packets that are told, without ``row``, and each row's FRAMES; of all, or some numbers."""
        hops, frames = self.context.hops, self.context.frames
        told = np.zeros(self.context.packets, bool)
        told[self.chosen] = True
        if among is not None:
            told &= np.isin(self.context.numbers, np.array(among, np.int64))
        places = np.flatnonzero(told[hops["packet"]])
        rows = hops["row"][places]
        connection = self.context.connection_id(hops["connection"][places]).astype(np.int32)
        found: Columns = {"packet": self.context.numbers[hops["packet"][places]], "connection": connection}
        found |= {name: hops[name][places] for name in ("hop", "reply", "ambiguous")}
        return found | {name: column[rows] for name, column in frames.items()}

    def _connection(self, number: int | None) -> int | None:
        return None if number is None else int(self.context.connection_id(np.array([number]))[0])

    def _renumbered(self, journey: Journey) -> Journey:
        numbers = self.context.numbers

        def other(number: int | None) -> int | None:
            return None if number is None else int(numbers[number])

        def step(one: Step) -> Step:
            if not isinstance(one, ProxyStep):
                return one
            return replace(one, connection=self._connection(one.connection) or 0)

        return replace(
            journey,
            id=int(numbers[journey.id]),
            connection=self._connection(journey.connection),
            steps=tuple(step(one) for one in journey.steps),
            answers=other(journey.answers),
            answered_by=other(journey.answered_by),
            retransmission_of=other(journey.retransmission_of),
            rejected_by=other(journey.rejected_by),
            error_about=other(journey.error_about),
            candidates=None if journey.candidates is None else tuple(int(numbers[n]) for n in journey.candidates),
        )
