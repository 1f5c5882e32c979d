"""The result of an analysis: tables, and journeys on request.

What tells journeys and findings is imported when it is asked for: whoever wants tables need not wait for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from analyzer.decode.reader import Opener
from analyzer.decode.reread import read_again
from analyzer.decode.tables import FrameTables
from analyzer.errors import InputError, SelectionError
from analyzer.model import (
    ArpExchange,
    Connection,
    Finding,
    Hosts,
    Journey,
    Point,
)
from analyzer.model.journey import BAD, CODES
from analyzer.packet.assemble import Correlated
from analyzer.packet.context import Context
from analyzer.read.records import FileInfo, Interface
from analyzer.report.content import Content
from analyzer.report.fields import text_of
from analyzer.run.engine import Engine, Inline
from analyzer.run.kernel import Kernel
from analyzer.run.outputs import Outputs
from analyzer.run.subset import Common, context_of_part, with_messages
from analyzer.schema import Columns, Int64

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.journey.build import Tracer
    from analyzer.model.decision import Decision
    from analyzer.model.loss import Loss
    from analyzer.model.overview import NameQuery, Overview
    from analyzer.model.replay import Replay
    from analyzer.model.worked import Worked
    from analyzer.replay.play import Player
    from analyzer.run.names import Names
    from analyzer.run.parts import Parts
    from analyzer.run.telling import Telling

DECIDED = 100
"""Connections, and packets that findings name, of which decisions are told."""


@dataclass(eq=False, repr=False)
class Trace(Outputs):
    """
    The result of an analysis.

    Tables are DataFrames whose columns ``analyzer.schema`` documents. Journeys are built when they are asked for, by
    their names, as in ``trace["J3"]``, or one after the other.
    """

    points: list[Point]
    """Capture points."""
    hosts: Hosts
    """What dumps told, host by host."""
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
    payload: bool = True
    """Payloads are looked into; else nothing that stands in one is told, and checks that need them are silent."""
    cut: int = 1
    """Parts that it is told in; what is told does not depend on it."""
    engine: Engine = field(default_factory=Inline)
    """Does what is asked of each part."""
    most_in_part: int | None = None
    """Frames that one may have."""

    def __repr__(self) -> str:
        from analyzer.run.shown import in_short  # noqa: PLC0415

        return in_short(self)

    def _repr_html_(self) -> str:
        from analyzer.run.shown import as_html  # noqa: PLC0415

        return as_html(self)

    def __len__(self) -> int:
        return len(self.numbers)

    def __bool__(self) -> bool:
        return True  # also of an empty capture

    def __iter__(self) -> Iterator[Journey]:
        return self.journeys()

    def __getitem__(self, called: str | int) -> Journey | Connection:
        """
        Return the journey or connection that is called so: ``J3``, ``C0``, or a journey's number.

        Raises:
            SelectionError: there is none.
        """
        from analyzer.run.called import read_which  # noqa: PLC0415

        number, of_connection = (called, False) if isinstance(called, int) else read_which(called)
        return self.connection(number) if of_connection else self.journey(number)

    def filter(self, text: str) -> "Trace":
        """
        Return the same analysis, narrowed to what a selection picks, and to what that belongs to.

        Raises:
            SelectionError: it cannot be understood.
        """
        from analyzer.run.filtered import Filtered  # noqa: PLC0415

        return Filtered(self, self.select(text))

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
    def context(self) -> Context:
        """All tables, in memory."""
        found, side = self.correlated, self.tables.side
        return Context(
            self.tables.frames,
            side("quotes"),
            side("neighbours"),
            side("tunnels"),
            found.hops,
            found.connections,
            self.points,
            self.hosts,
            found.doubts,
            found.apart,
        )

    @cached_property
    def tracer(self) -> "Tracer":
        """Builder of journeys, of all tables."""
        from analyzer.journey.build import Tracer  # noqa: PLC0415

        return self.parts[0].tracer if len(self.parts) == 1 else Tracer(self.context)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a person should act on, worst first."""
        from analyzer.report.words import worded  # noqa: PLC0415

        return worded(self.unworded, self.hosts.everywhere.engine)

    @cached_property
    def telling(self) -> "Telling":
        """What is told of packets."""
        from analyzer.run.cut import Cut  # noqa: PLC0415
        from analyzer.run.part import Given  # noqa: PLC0415
        from analyzer.run.parts import Parts  # noqa: PLC0415
        from analyzer.run.telling import Telling  # noqa: PLC0415

        found, work = self.correlated, self.tables.work
        ask = self.kernel.ask if self.asks_kernel else None
        engine = self.engine if self._in_parts and ask is None else Inline()
        read = partial(read_again, self.captures, self.tables) if self.payload else _nothing_again
        given = Given(self.files, found.contradictions, self._names, read, ask, self.preview, self.payload)
        everywhere = self._whole
        makers, knowing = [everywhere], None
        if self._in_parts:
            quotes = self.tables.side("quotes")
            cut = Cut(self._common, self._names, quotes, self.cut, work, engine, self.most_in_part)
            makers = [partial(cut.context, number) for number in range(cut.count)]
            everywhere = cut.everywhere
            knowing = [partial(context_of_part, self._common, part) for part in found.parts]
        nothing = Context.without_frames(self.points, self.hosts)
        nothing.apart = found.apart
        parts = Parts(makers, knowing, everywhere, given, nothing, engine, work)
        parts.known.make_all()
        return Telling(parts, found.first_packets)

    def _whole(self) -> Context:
        return self.context

    @property
    def _in_parts(self) -> bool:
        return self.cut > 1 and bool(self.correlated.parts)

    @property
    def _common(self) -> Common:
        return Common(self.correlated, self.points, self.hosts)

    @property
    def parts(self) -> "Parts":
        """What is told by itself, and put together then."""
        return self.telling.parts

    @cached_property
    def unworded(self) -> tuple[Finding, ...]:
        """Findings as data: facts, and no sentences."""
        from analyzer.explain.rank import explain  # noqa: PLC0415

        told = self.telling.told
        failures = chain.from_iterable(one.failures for one in told)
        return explain((one.groups for one in told), failures, self.kernel.ask if self.asks_kernel else None)

    @cached_property
    def worked(self) -> "tuple[Worked, ...]":
        """What was shown to work: who got answers from whom."""
        from analyzer.explain.worked import together  # noqa: PLC0415

        return together(told.worked for told in self.telling.told)

    @cached_property
    def losses(self) -> "tuple[Loss, ...]":
        """Where packets were lost, link by link, the most packets first."""
        from analyzer.journey.losses import together  # noqa: PLC0415

        return together(told.losses for told in self.telling.told)

    @cached_property
    def decisions(self) -> "tuple[Decision, ...]":
        """What the recorded hosts decide about packets that findings name, and about each connection's first one."""
        wanted = {*self.evidence[:DECIDED], *self.correlated.first_packets[:DECIDED].tolist()}
        return self.telling.decisions(np.array(sorted(wanted), np.int64))

    @property
    def evidence(self) -> list[int]:
        """Journeys that findings name."""
        return [one.journey for finding in self.findings for one in finding.evidence if one.journey is not None]

    @property
    def arp(self) -> list[ArpExchange]:
        """ARP and NDP exchanges, in order of time."""
        return self.parts[0].tracer.exchanges()

    @cached_property
    def _names(self) -> "Names":
        from analyzer.run.names import Names  # noqa: PLC0415

        read = self.read_again if self.payload else _nothing_again
        return Names(with_messages(self._common, self.engine) if self._in_parts else self.context, read)

    @property
    def names(self) -> "list[NameQuery]":
        """Questions to name servers, read from the captures once more; in order of time."""
        return self._names.asked

    def read_again(self, rows: Int64) -> "Iterator[tuple[int, bytes, int, Interface]]":
        """Give *rows* of FRAMES with what was captured, the length on the wire, and the interface, file by file."""
        return read_again(self.captures, self.tables, rows)

    def overview(self) -> "Overview":
        """Collect what a report draws beside journeys and connections."""
        from analyzer.journey.measures import measures  # noqa: PLC0415
        from analyzer.journey.topology import topology  # noqa: PLC0415
        from analyzer.model.overview import Overview  # noqa: PLC0415

        line, volumes = self.telling.counted()
        return Overview(
            topology=topology(self.parts.known.nothing, volumes),
            measures=measures(line, self.points),
            learnt=tuple(self.parts.known.learnt),
            names=tuple(self.names),
        )

    def replay(self, numbers: "Sequence[int] | None" = None) -> "Replay":
        """
        Send journeys through their hosts, built again in namespaces; without *numbers*, those that matter.

        Raises:
            ToolError: no host can be built here.
        """
        return self.kernel.replay(numbers)

    def replay_script(self) -> str:
        """
        Return the last replay as a script that builds the host and sends the packets; of several hosts, the first's.

        Raises:
            SelectionError: nothing was replayed.
        """
        return self.kernel.script()

    @cached_property
    def kernel(self) -> Kernel:
        """Who says what a kernel does with packets, if somebody asks."""

        def player() -> "Player":
            from analyzer.replay.play import Player  # noqa: PLC0415

            return Player(self.context, self.tracer, self.read_again)

        return Kernel(player, lambda: self.evidence)

    @property
    def packets(self) -> int:
        """Number of packets."""
        return self.correlated.packets

    def connection(self, number: int) -> Connection:
        """
        Build one connection.

        Raises:
            SelectionError: there is none of that number.
        """
        self.first_journey(number)
        return self.telling.connections(np.array([number]))[0]

    def journey(self, number: int) -> Journey:
        """
        Build one journey.

        Raises:
            SelectionError: there is none of that number.
        """
        if not 0 <= number < self.packets:
            raise SelectionError(f"no journey J{number}; there are J0 to J{self.packets - 1}")
        return next(self.journeys([number]))

    def first_journey(self, connection: int) -> int:
        """
        Return the number of a connection's first journey.

        Raises:
            SelectionError: there is none of that number.
        """
        firsts = self.correlated.first_packets
        if not 0 <= connection < len(firsts):
            last = f"there are C0 to C{len(firsts) - 1}" if len(firsts) else "there is none"
            raise SelectionError(f"no connection C{connection}; {last}")
        return int(firsts[connection])

    def journeys(self, numbers: Sequence[int] | None = None) -> Iterator[Journey]:
        """Build journeys one after the other: those of *numbers*, or all in order of time."""
        found = self.telling.journeys(self._numbers(numbers))
        return self.kernel.confirmed(found) if self.asks_kernel else found

    def texts(self, numbers: Sequence[int] | None = None) -> Iterator[str]:
        """Give the JSON of journeys, of those of ascending *numbers*, or all."""
        if self.asks_kernel:  # which tells of each packet by itself
            return map(text_of, self.journeys(numbers))
        return self.telling.texts(self._numbers(numbers))

    def stories(self, numbers: Sequence[int] | None, start_ns: int) -> Iterator[str]:
        """Give the same as lines for people, without colours; times are relative to *start_ns*."""
        return self.telling.texts(self._numbers(numbers), start_ns)

    def sightings(self, numbers: Sequence[int] | None = None) -> Iterator[Columns]:
        """Give HOPS of the same, without ``row``, with each row's FRAMES: in order, many rows at a time."""
        among = None
        if numbers is not None:
            among = np.zeros(self.packets, bool)
            among[self._numbers(numbers)] = True
        return self.telling.sightings(among)

    @property
    def numbers(self) -> Sequence[int]:
        """Of its journeys, in order of time."""
        return range(self.packets)

    def _numbers(self, numbers: Sequence[int] | None) -> Int64:
        wanted = self.numbers if numbers is None else numbers
        return np.arange(wanted.start, wanted.stop) if isinstance(wanted, range) else np.array(wanted, np.int64)

    def dispositions(self, numbers: Sequence[int] | None = None) -> dict[str, int]:
        """Count journeys by how they ended: those of *numbers*, or all."""
        return self.telling.count_ends(None if numbers is None else self._numbers(numbers))

    def select(self, text: str) -> list[int]:
        """
        Return the journeys that a selection picks, e.g. ``ip.addr == 8.8.8.8 && tcp.port == 80``.

        Raises:
            SelectionError: it cannot be understood.
        """
        return self.telling.select(text)

    def worth_reading(self, count: int) -> list[int]:
        """Choose up to *count* journeys: those that did not arrive, each connection's first ones, then the rest."""
        if count >= self.packets:
            return list(range(self.packets))
        bad = np.flatnonzero(np.isin(self.telling.ends, [CODES[kind] for kind in BAD]))[: count // 2 or count].tolist()
        firsts = np.sort(np.concatenate([part.first_of_streams() for part in self.correlated.parts])).tolist()
        chosen = dict.fromkeys(chain(bad, islice(firsts, count), range(count)))
        return sorted(islice(chosen, count))

    def content(
        self,
        *,
        selection: str | None = None,
        numbers: Sequence[int] | None = None,
        journeys: int | None = None,
        connections: int | None = None,
        decisions: bool = False,
    ) -> Content:
        """
        Collect what a report tells: all of it, or at most so many journeys and connections.

        A *selection*, or ascending *numbers*, narrow journeys, and with them connections, points and findings to what
        these belong to.

        *decisions* asks for what hosts decide, and whose addresses are, which takes time.
        """
        from analyzer.run.collected import collected  # noqa: PLC0415

        if selection is not None:
            numbers = self.select(selection)
        return collected(self, numbers, journeys=journeys, connections=connections, decisions=decisions)


def _nothing_again(_: Int64) -> "Iterator[tuple[int, bytes, int, Interface]]":
    """Give no frame once more."""
    return iter(())


def _data_frame(columns: Columns) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - imported late: it costs half a second

    return pd.DataFrame(columns, copy=False)
