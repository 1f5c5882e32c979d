"""The result of an analysis that is held in memory: tables, and journeys on request.

What tells journeys and findings is imported when it is asked for: whoever wants tables need not wait for it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from analyzer.correlate.assemble import Correlated
from analyzer.correlate.sorting import first_places, group_rows
from analyzer.decode.frames import FrameTables, Opener
from analyzer.decode.offsets import PROTO_ICMP, PROTO_ICMP6, PROTO_TCP
from analyzer.errors import InputError, SelectionError, ToolError
from analyzer.model import (
    ArpExchange,
    Basis,
    Connection,
    Finding,
    Hosts,
    HostState,
    Journey,
    Point,
)
from analyzer.model.journey import BAD, ENDS, with_basis
from analyzer.model.told import Alike
from analyzer.pipeline.part import BATCH
from analyzer.read.records import FileInfo, Interface
from analyzer.read.source import needs_spool
from analyzer.report.content import Content
from analyzer.report.lines import Batch
from analyzer.schema import Array, Columns, Int64
from analyzer.trace.context import Context
from analyzer.trace.text import PROTOCOLS

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.explain.rank import Asked
    from analyzer.model.decision import Decision
    from analyzer.model.loss import Loss
    from analyzer.model.overview import NameQuery, Overview
    from analyzer.model.replay import Replay
    from analyzer.model.worked import Party, Worked
    from analyzer.pipeline.cut import Telling
    from analyzer.pipeline.part import Part
    from analyzer.replay.play import Player
    from analyzer.trace.build import Tracer

DECIDED = 100
"""Connections, and packets that findings name, of which decisions are told."""
ANSWERING = (PROTO_ICMP, PROTO_ICMP6, PROTO_TCP)
"""What is answered where all is well; datagrams may be for nobody who talks."""
_NUMBERS = {name: number for number, name in PROTOCOLS.items()}


@dataclass
class Trace:
    """
    The result of an analysis.

    Tables are DataFrames whose columns ``analyzer.schema`` documents. Journeys are built when they are asked for.
    """

    context: Context
    tables: FrameTables
    correlated: Correlated
    paths: list[str]
    """Of ``files``."""
    captures: list[Opener]
    """What opens each of them again."""
    inputs: list[str]
    """Captures and bundles, as they were given."""
    unusable: list[InputError] = field(default_factory=list)
    """Files that gave nothing."""
    doubled: list[str] = field(default_factory=list)
    """Files whose frames others have as well."""
    asks_kernel: bool = False
    """Findings and remedies are tried in a kernel, in the rebuilt host."""
    preview: bool = False
    """New hypotheses are asked as well."""
    unasked: str = ""
    """Why no kernel could be asked, though somebody wanted that."""
    cut: int = 1
    """Parts that it is told in; what is told does not depend on it."""

    @property
    def points(self) -> list[Point]:
        """Capture points."""
        return self.context.points

    @property
    def hosts(self) -> Hosts:
        """What dumps told, host by host."""
        return self.context.hosts

    @property
    def named(self) -> list[str]:
        """Name what was analysed, without folders that only mean something here: a report may be shown to others."""
        return [PurePath(path).name or path for path in self.inputs]

    @property
    def files(self) -> list[FileInfo]:
        """Captures, with their damage if they have any."""
        return self.tables.files

    @cached_property
    def frames(self) -> "pd.DataFrame":
        """FRAMES: one row per captured frame."""
        return _data_frame(self.tables.frames)

    @cached_property
    def hops(self) -> "pd.DataFrame":
        """HOPS: which packet each frame shows, and where on its way."""
        return _data_frame(self.correlated.hops)

    @cached_property
    def connections(self) -> "pd.DataFrame":
        """CONNECTIONS: original and reply tuple of each connection."""
        return _data_frame(self.correlated.connections)

    @cached_property
    def tracer(self) -> "Tracer":
        """Builder of journeys."""
        from analyzer.trace.build import Tracer  # noqa: PLC0415

        return Tracer(self.context)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a person should act on, worst first."""
        from analyzer.report.words import worded  # noqa: PLC0415

        return worded(self.unworded)

    @cached_property
    def parts(self) -> "tuple[Part, ...]":
        """What is told by itself, and put together then."""
        from analyzer.pipeline.cut import parts_of  # noqa: PLC0415

        return parts_of(self)

    @cached_property
    def _place(self) -> tuple[Array, Int64]:
        """(packets,) Place of the part that tells each packet, and the packet's own number there."""
        part, own = np.empty(self.packets, np.uint16), np.empty(self.packets, np.int64)
        for place, one in enumerate(self.parts):
            part[one.numbers], own[one.numbers] = place, one.chosen
        return part, own

    def _told(self, number: int) -> tuple[int, int]:
        """Return the place of the part that tells a packet, and the packet's own number there."""
        part, own = self._place
        return int(part[number]), int(own[number])

    @cached_property
    def _firsts(self) -> Int64:
        """(connections,) Each one's first packet."""
        connection = self.correlated.hops["connection"]
        count = len(self.correlated.connections["proto"])
        found: Int64 = self.correlated.hops["packet"][first_places(connection, count)]
        return found

    @cached_property
    def _asked(self) -> "list[Asked]":
        """The causes that hypotheses see, by part."""
        from analyzer.explain.hypotheses import HYPOTHESES  # noqa: PLC0415
        from analyzer.explain.rank import Asked  # noqa: PLC0415

        chosen = [one for one in HYPOTHESES if self.preview or not one.preview]
        for part in self.parts:
            part.case.ask = self._ask if self.asks_kernel else None
        return [Asked(part.case, chosen) for part in self.parts]

    @cached_property
    def unworded(self) -> tuple[Finding, ...]:
        """Findings as data: facts, and no sentences."""
        from analyzer.explain.rank import explain  # noqa: PLC0415

        return explain(self._asked, self._ask if self.asks_kernel else None)

    def _check_of(self, number: int) -> str | None:
        """Return the check that explains what became of a packet, None if nothing does."""
        _ = self.unworded
        place, own = self._told(number)
        return self._asked[place].check_of(own)

    @cached_property
    def worked(self) -> "tuple[Worked, ...]":
        """What was shown to work: who got answers from whom."""
        from analyzer.explain.worked import together, worked  # noqa: PLC0415

        return together(worked(part.case) for part in self.parts)

    @cached_property
    def decisions(self) -> "tuple[Decision, ...]":
        """What the recorded hosts decide about packets that findings name, and about each connection's first one."""
        from analyzer.trace.decide import decision  # noqa: PLC0415

        named = [one.journey for finding in self.findings for one in finding.evidence if one.journey is not None]
        told = []
        for number in sorted({*named[:DECIDED], *self._firsts[:DECIDED].tolist()}):
            place, own = self._told(number)
            part = self.parts[place]
            one = decision(part.context, part.tracer.prover, own)
            told += [] if one is None else [replace(one, journey=number)]
        return tuple(told)

    @property
    def arp(self) -> list[ArpExchange]:
        """ARP and NDP exchanges, in order of time."""
        return self.parts[0].tracer.exchanges()

    @cached_property
    def names(self) -> "list[NameQuery]":
        """Questions to name servers, read from the captures once more."""
        from analyzer.decode.dns import parse  # noqa: PLC0415
        from analyzer.trace.names import join_messages, message_of, message_rows  # noqa: PLC0415

        again = self.read_again(message_rows(self.context))
        read = ((row, parse(message_of(self.context, row, data, length, kind))) for row, data, length, kind in again)
        return join_messages(self.context, [(row, message) for row, message in read if message is not None])

    def read_again(self, rows: Int64) -> "Iterator[tuple[int, bytes, int, Interface]]":
        """Give *rows* of FRAMES with what was captured, the length on the wire, and the interface, file by file."""
        from analyzer.decode.again import read_again  # noqa: PLC0415

        return read_again(self.captures, self.tables, rows)

    @cached_property
    def losses(self) -> "tuple[Loss, ...]":
        """Where packets were lost, link by link, the most packets first."""
        from analyzer.trace.losses import losses, together  # noqa: PLC0415

        _ = self.unworded
        pairs = zip(self.parts, self._asked, strict=True)
        return together(losses(part.context, part.tracer, asked.check_of) for part, asked in pairs)

    def overview(self) -> "Overview":
        """Collect what a report draws beside journeys and connections."""
        from analyzer.model.overview import Overview  # noqa: PLC0415
        from analyzer.trace.measures import measures  # noqa: PLC0415
        from analyzer.trace.topology import Volumes, topology  # noqa: PLC0415

        contexts = [part.context for part in self.parts]
        return Overview(
            topology=topology(contexts[0], Volumes.of(contexts)),
            measures=measures([(part.context, part.tracer) for part in self.parts]),
            learnt=tuple(contexts[0].all.learnt),
            names=tuple(self.names),
        )

    def replay(self, numbers: "Sequence[int] | None" = None) -> "Replay":
        """
        Send journeys through their hosts, built again in namespaces; without *numbers*, those that matter.

        Raises:
            ToolError: no host can be built here.
        """
        if numbers is None:
            named = (one.journey for finding in self.findings for one in finding.evidence if one.journey is not None)
            numbers = self._player.usual(list(named))
        return self._player.play(numbers)

    def _ask(self, numbers: Sequence[int], change: "Callable[[HostState], HostState] | None") -> "Replay":
        """Ask a kernel about findings; where none can be asked, findings are told all the same."""
        from analyzer.model.replay import Replay  # noqa: PLC0415

        if self.unasked:
            return Replay((), ())
        try:
            return self._player.play(numbers, change)
        except ToolError as error:
            self.unasked = str(error)
            return Replay((), ())

    def replay_script(self) -> str:
        """
        Return the last replay as a script that builds the host and sends the packets; of several hosts, the first's.

        Raises:
            SelectionError: nothing was replayed.
        """
        from analyzer.replay.script import script  # noqa: PLC0415

        if not self._player.built:
            raise SelectionError("nothing was replayed that a script could show")
        return script(*self._player.built[0])

    @cached_property
    def _player(self) -> "Player":
        from analyzer.replay.play import Player  # noqa: PLC0415

        return Player(self.context, self.tracer, self.read_again)

    @property
    def packets(self) -> int:
        """Number of packets."""
        return self.context.packets

    def connection(self, number: int) -> Connection:
        """Build one connection."""
        place, own = self._told(int(self._firsts[number]))
        part = self.parts[place]
        return part.connection(int(part.case.connection[own]))

    def journey(self, number: int) -> Journey:
        """
        Build one journey.

        Raises:
            SelectionError: there is none of that number.
        """
        if not 0 <= number < self.packets:
            raise SelectionError(f"no journey J{number}; there are J0 to J{self.packets - 1}")
        place, own = self._told(number)
        found = self.parts[place].journey(own)
        return with_basis(found, Basis.CONFIRMED) if self.asks_kernel and number in self._agreed else found

    @cached_property
    def _agreed(self) -> set[int]:
        """Journeys that a kernel saw go the way that hoptrace says."""
        from analyzer.model.replay import Agreement  # noqa: PLC0415

        named = [one.journey for finding in self.findings for one in finding.evidence if one.journey is not None]
        told = self._ask(self._player.usual(named), None).journeys
        return {one.journey for one in told if one.agreement is Agreement.AGREES}

    def journeys(self, numbers: Sequence[int] | None = None) -> Iterator[Journey]:
        """Build journeys one after the other: those of *numbers*, or all in order of time."""
        return (self.journey(number) for number in (range(self.packets) if numbers is None else numbers))

    def batches(self, numbers: Sequence[int] | None = None) -> Iterator[Batch]:
        """Tell the same for files: what journeys have in common is told once."""
        chosen = np.arange(self.packets) if numbers is None else np.array(numbers, np.int64)
        for begin in range(0, len(chosen), BATCH):
            some = chosen[begin : begin + BATCH]
            yield len(some), self._batch(some)

    def _batch(self, numbers: Int64) -> Iterator[tuple[list[int], Journey | Alike]]:
        if self.asks_kernel:  # which tells of each packet by itself
            yield from (([place], self.journey(number)) for place, number in enumerate(numbers.tolist()))
        else:
            part, own = (column[numbers] for column in self._place)
            for place in np.unique(part).tolist():
                yield from self.parts[place].told(own, np.flatnonzero(part == place))

    def dispositions(self, numbers: Sequence[int] | None = None) -> dict[str, int]:
        """Count journeys by how they ended: those of *numbers*, or all."""
        chosen = slice(None) if numbers is None else np.array(numbers, np.int64)
        part, own = (column[chosen] for column in self._place)
        counts = Counter[str]()
        for place in np.unique(part).tolist():
            counts.update(self.parts[place].tracer.count_ends(own[part == place]))
        return {kind: counts[kind] for kind in ENDS if counts[kind]}

    def select(self, text: str) -> list[int]:
        """
        Return the journeys that a selection picks, e.g. ``ip.addr == 8.8.8.8 && tcp.port == 80``.

        Raises:
            SelectionError: it cannot be understood.
        """
        picked = [part.context.numbers[part.picked(text)] for part in self.parts]
        found: list[int] = np.sort(np.concatenate(picked)).tolist()
        return found

    def worth_reading(self, count: int) -> list[int]:
        """Choose up to *count* journeys: those that did not arrive, each connection's first ones, then the rest."""
        if count >= self.packets:
            return list(range(self.packets))
        bad = np.sort(np.concatenate([part.ended(*BAD) for part in self.parts]))[: count // 2 or count].tolist()
        _, first = group_rows(*(self.correlated.hops[name] for name in ("connection", "reply")))
        of_connections = first[self.correlated.hops["connection"][first] >= 0]
        firsts = (int(self.correlated.hops["packet"][place]) for place in of_connections)
        chosen = dict.fromkeys(chain(bad, islice(firsts, count), range(count)))
        return sorted(islice(chosen, count))

    def part(self, selection: str | None = None) -> "Telling":
        """Return all that there is to tell, or what is selected, for reports that grow."""
        from analyzer.pipeline.cut import Telling  # noqa: PLC0415

        return Telling(self, None if selection is None else self.select(selection))

    def content(
        self,
        *,
        selection: str | None = None,
        journeys: int | None = None,
        connections: int | None = None,
        decisions: bool = False,
    ) -> Content:
        """
        Collect what a report tells: all of it, or what is selected, or at most so many journeys and connections.

        *decisions* asks for what hosts decide, and whose addresses are, which takes time.
        """
        picked = self.select(selection) if selection is not None else None
        if picked is not None:
            numbers: list[int] | None = picked[:journeys]
        else:
            numbers = None if journeys is None else self.worth_reading(journeys)
        count = len(self.correlated.connections["proto"])
        return Content(
            points=self.points,
            connections=[self.connection(n) for n in range(count if connections is None else min(count, connections))],
            journeys=self.journeys(numbers),
            batches=self.batches(numbers),
            arp=self.arp,
            findings=self.findings,
            frames=len(self.tables.frames["frame"]),
            packets=self.packets,
            connection_count=count,
            dispositions=self.dispositions(picked),
            picked=self.packets if picked is None else len(picked),
            shown=self.packets if numbers is None else len(numbers),
            host_problems=self.hosts.everywhere.problems,
            losses=self.losses,
            left_out=(*map(str, self.unusable), *self.doubled),
            unanswered=self._unanswered,
            worked=self.worked,
            explained=self._check_of,
            decisions=self.decisions if decisions else (),
            parties=self._parties if decisions else (),
        )

    @property
    def _parties(self) -> "tuple[Party, ...]":
        from analyzer.trace.named import parties  # noqa: PLC0415

        return parties(self.context, self.names)

    @property
    def _unanswered(self) -> int:
        """Connections of kinds that have answers, pings and TCP, of which no packet in the other direction was seen."""
        table = self.correlated.connections
        return int((~table["seen_reply"] & np.isin(table["proto"], ANSWERING)).sum())

    def dissected(self, journey: Journey) -> Iterator[tuple[str, int, list[str]]]:
        """Dissect a journey's frames in full with tshark; give (point, frame number, lines)."""
        from analyzer.decode.dissect import dissect  # noqa: PLC0415

        by_name = {point.name: point for point in self.points}
        for hop in journey.hops:
            for file, frames, before in self._by_file(by_name[hop.point], hop.frames):
                if needs_spool(self.paths[file]):
                    raise SelectionError(f"--dissect needs a file; {self.paths[file]} cannot be read again")
                for number, lines in dissect(self.paths[file], frames):
                    yield hop.point, before + number, lines

    def _by_file(self, point: Point, frames: Sequence[int]) -> Iterator[tuple[int, list[int], int]]:
        """Give for each file of a point: its number, the frames' numbers in it, and the frames in files before."""
        before = 0
        for file in self.tables.pieces[point.id]:
            behind = before + self.files[file].frames
            if inside := [number - before for number in frames if before < number <= behind]:
                yield file, inside, before
            before = behind


def _data_frame(columns: Columns) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - imported late: it costs half a second

    return pd.DataFrame(columns, copy=False)
