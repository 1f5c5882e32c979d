"""What is told of packets, part by part, put together in their order."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer.explain.rank import Totals
from analyzer.model import Connection, Journey
from analyzer.model.journey import ENDS
from analyzer.pipeline.merged import in_order, rows_in_order
from analyzer.pipeline.part import Part, Parts, Told
from analyzer.read.work import Work
from analyzer.report.fields import text_of
from analyzer.report.lines import lines
from analyzer.schema import Array, Columns, Int64

if TYPE_CHECKING:
    from analyzer.model.decision import Decision
    from analyzer.trace.measures import Timeline
    from analyzer.trace.topology import Volumes

HELD = 20_000
"""Journeys that are held at a time where several parts tell them."""


class Telling:
    """All parts of an analysis."""

    def __init__(self, parts: Parts, first_packets: Int64, work: Work) -> None:
        """Take parts, the number of each connection's first packet, and where texts are kept meanwhile."""
        self.parts, self._first_packets, self._work = parts, first_packets, work

    @cached_property
    def told(self) -> list[Told]:
        """What was found out about packets, part by part."""
        totals: Totals = Counter()
        found: dict[int, Told] = {}
        waiting: list[int] = []
        for place, part in enumerate(self.parts):
            totals.update(part.asked.totals())
            if part.asked.waits:
                waiting.append(place)
            else:
                found[place] = part.told(totals)
        for place in waiting:
            found[place] = self.parts[place].told(totals)
        return [told for _, told in sorted(found.items())]

    @cached_property
    def checks(self) -> dict[int, str]:
        """Packets whose trouble is explained, and by which check."""
        return {packet: check for told in self.told for packet, check in told.checks.items()}

    @cached_property
    def _place(self) -> tuple[Array, Int64]:
        """(packets,) Place of the part that tells each packet, and the packet's own number there."""
        count = sum(len(one.numbers) for one in self.parts)
        part, own = np.empty(count, np.uint16), np.empty(count, np.int64)
        for place, one in enumerate(self.parts):
            part[one.numbers], own[one.numbers] = place, one.chosen
        return part, own

    def _by_part(self, numbers: Int64) -> Iterator[tuple[Part, Int64, Int64]]:
        """Give the parts that tell packets, the places of those in *numbers*, and their own numbers there."""
        part, own = (column[numbers] for column in self._place)
        for place in np.unique(part).tolist():
            places = np.flatnonzero(part == place)
            yield self.parts[place], places, own[places]

    @cached_property
    def ends(self) -> Array:
        """(packets,) How each ended, as ``CODES``."""
        found = np.zeros(len(self._place[0]), np.uint8)
        for part in self.parts:
            found[part.numbers] = part.ends
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
        found: list[int] = np.sort(np.concatenate([part.picked(text) for part in self.parts])).tolist()
        return found

    def connections(self, numbers: Int64) -> list[Connection]:
        """Build connections."""
        found: dict[int, Connection] = {}
        for part, places, own in self._by_part(self._first_packets[numbers]):
            for place, connection in zip(places.tolist(), part.case.connection[own].tolist(), strict=True):
                found[place] = part.connection(connection)
        return [one for _, one in sorted(found.items())]

    def connection_texts(self) -> Iterator[str]:
        """Give each connection's JSON, in order."""
        texts = (
            (part.context.connection_id(part.my_connections),
             (text_of(part.connection(number)) for number in part.my_connections.tolist()))
            for part in self.parts
        )  # fmt: skip
        return self._in_order(texts)

    def journeys(self, numbers: Int64) -> Iterator[Journey]:
        """Build journeys one after the other."""
        for begin in range(0, len(numbers), HELD):  # each part is opened once for so many
            if len(self.parts) == 1:
                for part, _, own in self._by_part(numbers[begin : begin + HELD]):
                    yield from map(part.journey, own.tolist())
                continue
            found: dict[int, Journey] = {}
            for part, places, own in self._by_part(numbers[begin : begin + HELD]):
                found |= zip(places.tolist(), map(part.journey, own.tolist()), strict=True)
            yield from (one for _, one in sorted(found.items()))

    def texts(self, numbers: Int64) -> Iterator[str]:
        """Give the JSON of journeys, by ascending *numbers*: what they have in common is told once."""
        return self._in_order(
            (numbers[places], lines(part.batches(own))) for part, places, own in self._by_part(numbers)
        )

    def sightings(self, among: Array | None) -> Iterator[Columns]:
        """Give HOPS of journeys, without ``row``, with each row's FRAMES: in order, many rows at a time."""
        return rows_in_order((part.sightings(among) for part in self.parts), "packet", self._work)

    def decisions(self, numbers: Int64) -> "tuple[Decision, ...]":
        """Tell what the recorded hosts decide about packets."""
        from analyzer.trace.decide import decision  # noqa: PLC0415

        found: dict[int, Decision] = {}
        for part, places, own in self._by_part(numbers):
            for number, packet in zip(numbers[places].tolist(), own.tolist(), strict=True):
                one = decision(part.context, part.tracer.prover, packet)
                found |= {} if one is None else {number: replace(one, journey=number)}
        return tuple(one for _, one in sorted(found.items()))

    def count(self, line: "Timeline", volumes: "Volumes") -> None:
        """Count what reports draw."""
        for part in self.parts:
            line.add(part.context, part.tracer)
            volumes.add(part.context)

    def _in_order(self, parts: Iterable[tuple[Int64, Iterable[str]]]) -> Iterator[str]:
        if len(self.parts) == 1:
            return (text for _, texts in parts for text in texts)
        return in_order(parts, self._work)
