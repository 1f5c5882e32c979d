"""What an analysis tells at a time: all of it, or what one slice of a long capture shows for the first time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analyzer.correlate.memory import Recognised
from analyzer.model import Journey, ProxyStep, Step
from analyzer.schema import Columns, Int64
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context
from analyzer.trace.select import select


@dataclass
class Part:
    """What one slice tells: packets that are complete now, and were not told before."""

    context: Context
    tracer: Tracer
    recognised: Recognised

    @classmethod
    def whole(cls, context: Context, tracer: Tracer) -> "Part":
        """Return all that an analysis in memory tells."""
        count = np.arange(context.packets)
        none = np.zeros(context.packets, np.int64)
        connections = np.arange(len(context.connections["proto"]))
        return cls(context, tracer, Recognised(context.packet_start, none, count, none == 0, connections))

    @cached_property
    def chosen(self) -> Int64:
        """Packets, as the context numbers them, that are told here."""
        return np.flatnonzero(self.recognised.fresh)

    def select(self, selection: str) -> None:
        """
        Tell only what *selection* picks.

        Raises:
            SelectionError: it cannot be understood.
        """
        picked = np.array(select(self.context, self.tracer, selection), np.int64)
        self.chosen = np.intersect1d(self.chosen, picked)

    def journeys(self) -> Iterator[Journey]:
        """Tell the journeys, in order."""
        return (self._renumbered(self.tracer.journey(packet)) for packet in self.chosen.tolist())

    def sightings(self) -> Columns:
        """Return HOPS of them, without ``row``, and each row's FRAMES."""
        hops, frames = self.context.hops, self.context.frames
        told = np.zeros(self.context.packets, bool)
        told[self.chosen] = True
        places = np.flatnonzero(np.repeat(told, np.diff(self.recognised.start)))
        rows = hops["row"][places]
        packet = np.repeat(self.recognised.packet, np.diff(self.recognised.start))[places]
        connection = np.append(self.recognised.connection, -1)[hops["connection"][places]].astype(np.int32)
        found: Columns = {"packet": packet, "connection": connection}
        found |= {name: hops[name][places] for name in ("hop", "reply", "ambiguous")}
        return found | {name: column[rows] for name, column in frames.items()}

    def _renumbered(self, journey: Journey) -> Journey:
        """Give journeys and connections the numbers that they have in the whole capture."""
        packet, connection = self.recognised.packet, self.recognised.connection

        def other(number: int | None) -> int | None:
            return None if number is None else int(packet[number])

        def step(one: Step) -> Step:
            return replace(one, connection=int(connection[one.connection])) if isinstance(one, ProxyStep) else one

        return replace(
            journey,
            id=int(packet[journey.id]),
            connection=None if journey.connection is None else int(connection[journey.connection]),
            steps=tuple(step(one) for one in journey.steps),
            answers=other(journey.answers),
            answered_by=other(journey.answered_by),
            retransmission_of=other(journey.retransmission_of),
            rejected_by=other(journey.rejected_by),
            error_about=other(journey.error_about),
            candidates=None if journey.candidates is None else tuple(int(packet[n]) for n in journey.candidates),
        )
