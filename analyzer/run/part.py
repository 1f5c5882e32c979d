"""A part of an analysis, which is told by itself: its packets have their own numbers, and those among all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from analyzer.explain.case import Case, ReadAgain
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.explain.rank import Asked, Totals
from analyzer.journey.alike import Shapes
from analyzer.journey.build import Tracer
from analyzer.journey.select import select
from analyzer.link.stated import Contradiction
from analyzer.model import Connection, Journey, ProxyStep, Step
from analyzer.model.alike import Alike
from analyzer.model.overview import NameQuery
from analyzer.packet.context import Context
from analyzer.packet.words import may_say, words
from analyzer.read.records import FileInfo
from analyzer.report.lines import Batch
from analyzer.schema import Array, Columns, Int64

if TYPE_CHECKING:
    from analyzer.explain.confirmed import Ask
    from analyzer.explain.group import Group
    from analyzer.explain.worked import Reached
    from analyzer.journey.losses import Key, Lost
    from analyzer.journey.measures import Timeline
    from analyzer.journey.topology import Volumes
    from analyzer.model import Finding

BATCH = 20_000
"""Journeys whose texts are held at a time."""
FIRST = 100
"""Connections that reports begin with."""
LARGE = ("context", "tracer", "case", "asked", "_shapes", "_may_say", "says")
"""What is as long as a part's frames or packets."""


@dataclass(frozen=True, slots=True)
class Given:
    """What parts are told with, beside their tables."""

    files: list[FileInfo]
    contradictions: list[Contradiction]
    names: Callable[[], list[NameQuery]]
    read_again: ReadAgain
    """Of rows among all."""
    ask: "Ask | None" = None
    """Asks a kernel, if somebody wants that."""
    preview: bool = False
    """New hypotheses are asked as well."""
    payload: bool = True
    """What payloads say may be told."""


@dataclass(frozen=True, slots=True)
class Mine:
    """The packets that a part tells."""

    chosen: Int64
    """Its own numbers of them."""
    numbers: Int64
    """What they are called among all."""
    ends: Array
    """How they ended, as ``CODES``."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was found out about a part's packets, as data."""

    mine: Mine
    groups: "list[Group]"
    failures: "list[Finding]"
    checks: dict[int, str]
    """Packets whose trouble is explained, and by which check."""
    losses: "dict[Key, Lost]"
    worked: "list[Reached]"
    connections: dict[int, Connection]
    """Some of those that it tells, which reports begin with."""
    counted: "tuple[Timeline, Volumes] | None"
    """What reports draw; None where that can be counted when one does."""


class Part:
    """Packets, and what is asked about them; what is large can be closed, and is made again when it is needed."""

    def __init__(self, make: Callable[[], Context], given: Given, opening: "Callable[[Part], None]") -> None:
        """Tell how its tables are made, and who is told of that."""
        self._make, self._given, self._opening = make, given, opening

    @cached_property
    def context(self) -> Context:
        """Its tables."""
        self._opening(self)
        return self._make()

    def __getstate__(self) -> dict[str, object]:
        """Tell others how it is made, and what is small."""
        return {name: value for name, value in vars(self).items() if name not in LARGE}

    def close(self) -> None:
        """Let go of what is large."""
        for name in LARGE:
            vars(self).pop(name, None)

    @cached_property
    def tracer(self) -> Tracer:
        """Builder of journeys."""
        return Tracer(self.context)

    @cached_property
    def case(self) -> Case:
        """What hypotheses look at."""
        context, given = self.context, self._given
        numbers = context.connection_id(np.arange(len(context.connections["proto"])))
        place = {number: own for own, number in enumerate(numbers.tolist())} if given.contradictions else {}
        found = [replace(one, connection=place[one.connection])
                 for one in given.contradictions if one.connection in place]  # fmt: skip
        return Case(context, self.tracer, given.files, found, self._names, reader(context, given.read_again), given.ask)

    @cached_property
    def asked(self) -> Asked:
        """The causes that hypotheses see."""
        return Asked(self.case, [one for one in HYPOTHESES if self._given.preview or not one.preview])

    def told(self, totals: Totals) -> Told:
        """Find out about its packets, with what all parts' causes come to."""
        from analyzer.explain.worked import worked  # noqa: PLC0415
        from analyzer.journey.losses import losses  # noqa: PLC0415

        asked = self.asked
        groups = asked.groups(totals)
        numbers = self.context.numbers
        checks = {int(numbers[packet]): check for packet, check in asked.checks() if self.context.mine[packet]}
        found = losses(self.context, self.tracer, asked.check_of)
        called = self.context.connection_id(self.my_connections)
        first = zip(called.tolist(), self.my_connections.tolist(), strict=True)
        connections = {number: self.connection(own) for number, own in first if number < FIRST}
        counted = None if self.context.share.numbers is None else self.counted()
        return Told(self.mine, groups, asked.failures, checks, found, worked(self.case), connections, counted)

    def counted(self) -> "tuple[Timeline, Volumes]":
        """Count what reports draw."""
        from analyzer.journey.measures import Timeline  # noqa: PLC0415
        from analyzer.journey.topology import Volumes  # noqa: PLC0415

        line, volumes = Timeline.over(self.context.points), Volumes()
        line.add(self.context, self.tracer)
        volumes.add(self.context)
        return line, volumes

    def _names(self) -> list[NameQuery]:
        """Return questions to name servers by the numbers that packets have here."""
        names, numbers = self._given.names(), self.context.share.numbers
        if numbers is None:
            return names
        place = {number: own for own, number in enumerate(numbers.tolist())}
        return [
            replace(query, journey=place[query.journey], answer=None if query.answer is None else place[query.answer])
            for query in names
        ]

    @cached_property
    def mine(self) -> Mine:
        """The packets that are told here."""
        chosen = np.flatnonzero(self.context.mine)
        return Mine(chosen, self.context.numbers[chosen], self.tracer.ends[chosen])

    def picked(self, selection: str) -> Int64:
        """
        Return what those are called among all that *selection* picks.

        Raises:
            SelectionError: it cannot be understood.
        """
        chosen = select(self.context, self.tracer, selection, self._names, lambda: self.says)
        own = np.intersect1d(self.mine.chosen, np.array(chosen, np.int64))
        found: Int64 = self.context.numbers[own]
        return found

    def journeys(self, packets: Int64) -> Iterator[Journey]:
        """Tell journeys of packets by their own numbers, with the numbers that all have among all."""
        says = self._said(packets)
        told = (replace(one, says=says.get(one.id)) if one.id in says else one for one in self.tracer.journeys(packets))
        return told if self.context.share.numbers is None else map(self._renumbered, told)

    @cached_property
    def _may_say(self) -> Array:
        return may_say(self.context) if self._given.payload else np.zeros(self.context.packets, bool)

    @cached_property
    def says(self) -> dict[int, str]:
        """What packets say by themselves, by their own numbers."""
        return self._said(np.flatnonzero(self._may_say))

    def _said(self, packets: Int64) -> dict[int, str]:
        """Return the same of some packets."""
        if "says" in vars(self):
            return self.says
        wanted = packets[self._may_say[packets]]
        return words(self.context, wanted, reader(self.context, self._given.read_again))

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes(self.context, self.tracer)

    def batches(self, packets: Int64) -> Iterator[Batch]:
        """Tell *packets* by their own numbers, for files: what journeys have in common is told once."""
        for begin in range(0, len(packets), BATCH):
            some = packets[begin : begin + BATCH]
            yield len(some), self._told_alike(some)

    def _told_alike(self, packets: Int64) -> Iterator[tuple[list[int], Journey | Alike]]:
        says = np.isin(packets, np.array(sorted(self.says), np.int64))
        for place, one in zip(np.flatnonzero(says).tolist(), self.journeys(packets[says]), strict=True):
            yield [place], one
        for places, told in self._shapes.told(packets, np.flatnonzero(~says)):
            if self.context.share.numbers is None:
                yield places.tolist(), told
            elif isinstance(told, Journey):
                yield places.tolist(), self._renumbered(told)
            else:
                yield places.tolist(), replace(told, one=partial(self._told_once, told))

    def _told_once(self, told: Alike) -> Journey:
        return self._renumbered(told.one())

    @cached_property
    def my_connections(self) -> Int64:
        """Own numbers of the connections that are told here: those whose first packet is."""
        return np.flatnonzero(self.case.my_connections)

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

    def sightings(self, among: Array | None = None) -> Columns:
        """
        Return HOPS of the packets that are told, without ``row``, and each row's FRAMES.

        *among* tells by packets' numbers among all which; None for all.
        """
        hops, frames = self.context.hops, self.context.frames
        told = self.context.mine if among is None else self.context.mine & among[self.context.numbers]
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


def reader(context: Context, read_again: ReadAgain) -> ReadAgain:
    """Return what reads rows of *context* again."""
    rows = context.share.rows
    if rows is None:
        return read_again
    return lambda wanted: (
        (int(np.searchsorted(rows, row)), data, length, interface)
        for row, data, length, interface in read_again(rows[wanted])
    )
