"""What is told of packets, part by part, put together in their order."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from analyzer.explain.rank import Totals
from analyzer.model import Connection, Journey
from analyzer.model.journey import ENDS
from analyzer.read.kept import Kept
from analyzer.report.fields import text_of
from analyzer.report.lines import lines
from analyzer.report.plain import stories
from analyzer.run.merged import Written, in_order, rows_in_order, write_texts
from analyzer.run.part import FIRST, Mine, Part, Told
from analyzer.run.parts import Parts
from analyzer.schema import Array, Columns, Int64

if TYPE_CHECKING:
    from analyzer.journey.measures import Timeline
    from analyzer.journey.topology import Volumes
    from analyzer.model.decision import Decision

T = TypeVar("T")
HELD = 20_000
"""Journeys that are held at a time where several parts tell them."""
LINE_END = "\0"
"""In the place of ends of lines in what is written a line a journey; no text has it."""


class Telling:
    """All parts of an analysis."""

    def __init__(self, parts: Parts, first_packets: Int64) -> None:
        """Take parts, and the number of each connection's first packet."""
        self.parts, self._first_packets = parts, first_packets

    @cached_property
    def told(self) -> list[Told]:
        """What was found out about packets, part by part."""
        totals: Totals = Counter()
        found: list[Told | None] = []
        for mine, told in self.parts.each(_explain, range(len(self.parts))):
            totals.update(mine)
            found.append(told)
        waiting = [(place, totals) for place, told in enumerate(found) if told is None]
        rest = self.parts.each(_explain_with, waiting)
        return [next(rest) if told is None else told for told in found]

    @cached_property
    def checks(self) -> dict[int, str]:
        """Packets whose trouble is explained, and by which check."""
        return {packet: check for told in self.told for packet, check in told.checks.items()}

    @cached_property
    def _mine(self) -> list[Mine]:
        """The packets of each part."""
        if len(self.parts) == 1:  # one journey is told without all findings
            return [self.parts[0].mine]
        return [told.mine for told in self.told]

    @cached_property
    def _place(self) -> tuple[Array, Int64]:
        """(packets,) Place of the part that tells each packet, and the packet's own number there."""
        count = sum(len(one.numbers) for one in self._mine)
        part, own = np.empty(count, np.uint16), np.empty(count, np.int64)
        for place, one in enumerate(self._mine):
            part[one.numbers], own[one.numbers] = place, one.chosen
        return part, own

    def _by_part(self, numbers: Int64) -> list[tuple[int, Int64, Int64]]:
        """Return the parts that tell packets, the places of those in *numbers*, and their own numbers there."""
        part, own = (column[numbers] for column in self._place)
        found = ((place, np.flatnonzero(part == place)) for place in np.unique(part).tolist())
        return [(place, places, own[places]) for place, places in found]

    @cached_property
    def ends(self) -> Array:
        """(packets,) How each ended, as ``CODES``."""
        found = np.zeros(len(self._place[0]), np.uint8)
        for one in self._mine:
            found[one.numbers] = one.ends
        return found

    def count_ends(self, numbers: Int64 | None) -> dict[str, int]:
        """Count journeys by how they ended: those of *numbers*, or all."""
        among = self.ends if numbers is None else self.ends[numbers]
        counts = np.bincount(among, minlength=len(ENDS)).tolist()
        return {kind: count for kind, count in zip(ENDS, counts, strict=True) if count}

    def select(self, text: str) -> list[int]:
        """
        Return the journeys that a selection picks.

        Raises:
            SelectionError: it cannot be understood.
        """
        picked = self.parts.each(_pick, [(place, text) for place in range(len(self.parts))])
        found: list[int] = np.sort(np.concatenate(list(picked))).tolist()
        return found

    def connection_of(self, numbers: Int64) -> Int64:
        """(len(numbers),) Return which connection each packet belongs to, -1 for none."""
        return np.array(self._told_of(_connection_of, numbers), np.int64)

    def belongings(self, numbers: Int64) -> tuple[frozenset[int], frozenset[int]]:
        """Return the connections that packets belong to, and the points that saw them."""
        connections: set[int] = set()
        points: set[int] = set()
        for mine, seen in self.parts.each(_belongings, [(place, own) for place, _, own in self._by_part(numbers)]):
            connections.update(mine)
            points.update(seen)
        return frozenset(connections), frozenset(points)

    def _told_of(self, stage: "Callable[[Parts, tuple[int, Int64]], list[T]]", numbers: Int64) -> list[T]:
        """Return what parts tell of packets, in the order of *numbers*."""
        by_part = self._by_part(numbers)
        told = self.parts.each(stage, [(place, own) for place, _, own in by_part])
        found: dict[int, T] = {}
        for (_, places, _), items in zip(by_part, told, strict=True):
            found |= zip(places.tolist(), items, strict=True)
        return [one for _, one in sorted(found.items(), key=itemgetter(0))]

    def connections(self, numbers: Int64) -> list[Connection]:
        """Build connections."""
        if len(self.parts) > 1 and len(numbers) and int(numbers.max()) < FIRST:
            known = {number: one for told in self.told for number, one in told.connections.items()}
            return [known[number] for number in numbers.tolist()]
        return self._told_of(_connections, self._first_packets[numbers])

    def connection_texts(self) -> Iterator[str]:
        """Give each connection's JSON, in order."""
        if len(self.parts) == 1:
            return _connection_texts(self.parts[0])
        return in_order(self.parts.each(_write_connections, range(len(self.parts))))

    def journeys(self, numbers: Int64) -> Iterator[Journey]:
        """Build journeys one after the other."""
        if len(self.parts) == 1:
            for _, _, own in self._by_part(numbers):
                yield from self.parts[0].journeys(own)
            return
        for begin in range(0, len(numbers), HELD):  # each part is opened once for so many
            yield from self._told_of(_journeys, numbers[begin : begin + HELD])

    def texts(self, numbers: Int64, start_ns: int | None = None) -> Iterator[str]:
        """
        Give the JSON of journeys, by ascending *numbers*: what they have in common is told once.

        With *start_ns* it is not JSON, but lines for people, whose times are relative to that.
        """
        by_part = self._by_part(numbers)
        if len(self.parts) == 1:
            return chain.from_iterable(_journey_texts(self.parts[0], own, start_ns) for _, _, own in by_part)
        asked = [(place, numbers[of], own, start_ns) for place, of, own in by_part]
        found = in_order(self.parts.each(_write_journeys, asked))
        return found if start_ns is None else (text.replace(LINE_END, "\n") for text in found)

    def sightings(self, among: Array | None) -> Iterator[Columns]:
        """Give HOPS of journeys, without ``row``, with each row's FRAMES: in order, many rows at a time."""
        kept = self.parts.each(_sightings, [(place, among) for place in range(len(self.parts))])
        return rows_in_order(list(kept), "packet", self.parts.work)

    def decisions(self, numbers: Int64) -> "tuple[Decision, ...]":
        """Tell what the recorded hosts decide about packets."""
        found = zip(numbers.tolist(), self._told_of(_decisions, numbers), strict=True)
        return tuple(replace(one, journey=number) for number, one in found if one is not None)

    def counted(self) -> "tuple[Timeline, Volumes]":
        """Return what reports draw of all packets."""
        parts = [told.counted or self.parts[0].counted() for told in self.told]
        line, volumes = parts[0]
        for more, others in parts[1:]:
            line.merge(more)
            volumes.merge(others)
        return line, volumes


def _explain(parts: Parts, place: int) -> tuple[Totals, Told | None]:
    """Ask for causes; tell all about packets, unless what all parts' causes come to makes a difference."""
    asked = parts[place].asked
    totals = asked.totals()
    return totals, None if asked.waits else parts[place].told(totals)


def _explain_with(parts: Parts, item: tuple[int, Totals]) -> Told:
    place, totals = item
    return parts[place].told(totals)


def _pick(parts: Parts, item: tuple[int, str]) -> Int64:
    place, text = item
    return parts[place].picked(text)


def _connection_of(parts: Parts, item: tuple[int, Int64]) -> list[int]:
    part, own = parts[item[0]], item[1]
    return _numbered(part, part.case.connection[own])


def _numbered(part: Part, connections: Int64) -> list[int]:
    """Return what connections are called among all, -1 for none."""
    there = connections >= 0
    found = np.full(len(connections), -1, np.int64)
    found[there] = part.context.connection_id(connections[there])
    numbers: list[int] = found.tolist()
    return numbers


def _belongings(parts: Parts, item: tuple[int, Int64]) -> tuple[list[int], list[int]]:
    part, own = parts[item[0]], item[1]
    connections = np.unique(part.case.connection[own])
    among = np.zeros(part.context.packets, bool)
    among[own] = True
    rows = part.context.hops["row"][among[part.context.hops["packet"]]]
    points: list[int] = np.unique(part.context.frames["point"][rows]).tolist()
    return _numbered(part, connections[connections >= 0]), points


def _connections(parts: Parts, item: tuple[int, Int64]) -> list[Connection]:
    part, own = parts[item[0]], item[1]
    return [part.connection(number) for number in part.case.connection[own].tolist()]


def _journeys(parts: Parts, item: tuple[int, Int64]) -> list[Journey]:
    place, own = item
    return list(parts[place].journeys(own))


def _decisions(parts: Parts, item: tuple[int, Int64]) -> "list[Decision | None]":
    from analyzer.journey.decisions import decision  # noqa: PLC0415

    part, own = parts[item[0]], item[1]
    return [decision(part.context, part.tracer.prover, packet) for packet in own.tolist()]


def _connection_texts(part: Part) -> Iterator[str]:
    return (text_of(part.connection(number)) for number in part.my_connections.tolist())


def _write_connections(parts: Parts, place: int) -> Written:
    part = parts[place]
    numbers = part.context.connection_id(part.my_connections)
    return write_texts(numbers, _connection_texts(part), parts.work)


def _journey_texts(part: Part, own: Int64, start_ns: int | None) -> Iterator[str]:
    batches = part.batches(own)
    return lines(batches) if start_ns is None else stories(batches, start_ns)


def _write_journeys(parts: Parts, item: tuple[int, Int64, Int64, int | None]) -> Written:
    place, numbers, own, start_ns = item
    texts = _journey_texts(parts[place], own, start_ns)
    return write_texts(numbers, (text.replace("\n", LINE_END) for text in texts), parts.work)


def _sightings(parts: Parts, item: tuple[int, Array | None]) -> Kept:
    place, among = item
    return parts.work.keep(parts[place].sightings(among))
