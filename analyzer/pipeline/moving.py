"""The analysis of captures longer than memory: slice after slice of time, each told and then forgotten.

What it tells is what a whole analysis tells, but for what lies further apart than ``REACH_NS``: an answer that late is
not joined to its question, and a packet that late is another one.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from analyzer.correlate.assemble import Correlated
from analyzer.correlate.connections import Doubts
from analyzer.correlate.correlate import correlate
from analyzer.correlate.keys import make_keys
from analyzer.correlate.memory import Memory, Recognised, to_see_again
from analyzer.correlate.roles import infer_points, with_container
from analyzer.decode.frames import FrameTables, Progress, declared
from analyzer.decode.moving import ENDED, REACH_NS, Moving, Slice
from analyzer.errors import InputError, SelectionError
from analyzer.explain.case import Case
from analyzer.explain.group import Group, merge, settle
from analyzer.explain.hypotheses import HYPOTHESES, capture_loss
from analyzer.explain.rank import Asked, Totals
from analyzer.model import ArpExchange, Connection, Finding, Hosts, Point
from analyzer.model.point import OUTWARD_ORDER
from analyzer.pipeline.budget import SLICED, Budget
from analyzer.pipeline.part import Part
from analyzer.pipeline.prepare import Prepared, stated_entries
from analyzer.pipeline.tried import Tried
from analyzer.read.points import Source, name_points
from analyzer.read.records import FileInfo
from analyzer.report.content import Content
from analyzer.report.words import worded
from analyzer.schema import FRAMES, Columns
from analyzer.trace.arp import RETRY_NS
from analyzer.trace.build import Tracer
from analyzer.trace.connection import build_connection
from analyzer.trace.context import Context, Share
from analyzer.trace.known import Known

LEAD_NS = REACH_NS + RETRY_NS
"""How far back a slice sees again what was told before."""
ALL = tuple(one for one in HYPOTHESES if not one.preview)
OF_SLICES = tuple(one for one in ALL if one is not capture_loss.HYPOTHESIS)
"""What is asked of each slice; of files and points it is asked in the end."""


@dataclass
class _Told:
    """What was said of earlier slices and belongs to the end."""

    arp: list[ArpExchange] = field(default_factory=list)
    arp_keys: set[tuple[str, int]] = field(default_factory=set)
    groups: list[Group] = field(default_factory=list)
    failures: list[Finding] = field(default_factory=list)
    totals: Totals = field(default_factory=Counter)
    tried: Tried = field(default_factory=Tried)
    candidates: dict[int, set[int]] = field(default_factory=dict)
    dispositions: Counter[str] = field(default_factory=Counter)


class MovingTrace:
    """An analysis whose ``parts()`` come one after the other; the rest is known when they have ended."""

    def __init__(
        self,
        prepared: Prepared,
        size: int,
        keep: int | None = None,
        progress: Progress | None = None,
        budget: Budget | None = None,
    ) -> None:
        """
        Begin.

        Args:
            prepared: what is to be analysed.
            size: frames that are looked at together.
            keep: bytes that every point kept from the network header on, if that is known.
            progress: called with frames and bytes read, and bytes in all.
            budget: memory that slices may take; None for as much as they need.

        Raises:
            SelectionError: captures of several hosts, whose clocks may be any time apart.
        """
        if prepared.several_hosts:
            raise SelectionError("captures of several hosts are analysed in memory: leave out --window")
        captures = prepared.captures()
        said, _, self._total = declared(captures)
        keep = said if keep is None else min(keep, said)
        groups = prepared.inputs.groups
        most = None if budget is None else budget.frames_in_slices
        self._moving = Moving(captures, groups, make_keys, keep=keep, size=size, most=most)
        self._budget = budget
        self._prepared, self._progress = prepared, progress
        self._memory, self._told = Memory(), _Told()
        self._recognised: Recognised
        self._stated = stated_entries(prepared.hosts.everywhere)
        self.points: list[Point] = []
        """Those of the last slice, as its frames number them."""
        self._sources: list[Source] = []
        self._names: dict[Source, str] = {}

    @property
    def hosts(self) -> Hosts:
        """What dumps told."""
        return self._prepared.hosts

    @property
    def unusable(self) -> list[InputError]:
        """Files that gave nothing."""
        return self._prepared.inputs.unusable

    @property
    def doubled(self) -> list[str]:
        """Files that were named more than once."""
        return self._prepared.inputs.doubled

    @property
    def files(self) -> list[FileInfo]:
        """Captures, with their damage if they have any."""
        return self._moving.files

    @property
    def table(self) -> Columns:
        """CONNECTIONS so far."""
        return self._memory.table

    @property
    def packets(self) -> int:
        """Packets told so far."""
        return self._memory.packets

    def parts(self) -> Iterator[Part]:
        """
        Analyse slice after slice.

        Raises:
            ShorterFramesError: it must be done again, with fewer bytes of each frame.
            LimitError: a slice would take more memory than it may.
        """
        told = None if self._progress is None else partial(_three, self._progress, self._total)
        since_ns = -ENDED
        for one in self._moving.slices(told):
            if self._budget is not None:
                self._budget.check(one.tables, SLICED)
            self._name_points(one.tables)
            part, correlated = self._analyse(one)
            self._remember(part, correlated, since_ns, one)
            since_ns = one.until_ns
            yield part
            if not one.last:
                self._settle(part, one)
                one.again = to_see_again(
                    part.context.frames,
                    part.context.neighbours,
                    part.context.hops,
                    self._recognised,
                    since_ns=one.until_ns - REACH_NS,
                    others_since_ns=one.until_ns - LEAD_NS,
                )

    def connection(self, number: int) -> Connection:
        """Build one connection."""
        context = Context(
            {}, {}, {}, {}, {}, self._memory.table, self.points, self.hosts, Doubts(self._told.candidates)
        )
        return build_connection(context, number)

    def content(self, *, connections: int | None = None) -> Content:
        """Collect what a report tells at the end; the journeys were told meanwhile."""
        count = self._memory.connections
        told = self._told
        return Content(
            points=self._all_points(),
            connections=(self.connection(n) for n in range(count if connections is None else min(count, connections))),
            journeys=(),
            arp=told.arp,
            findings=self._findings(),
            frames=self._moving.frames,
            packets=self.packets,
            connection_count=count,
            dispositions=dict(told.dispositions),
            picked=self.packets,
            shown=self.packets,
            host_problems=self.hosts.everywhere.problems,
            checked=False,
        )

    def _name_points(self, tables: FrameTables) -> None:
        """Name the points of a slice, and those that recorded nothing in it: what they did not see went no further."""
        named = dict(zip(self._moving.sources(), self._named(), strict=True))
        self._sources = [*tables.sources, *(source for source in named if source not in tables.sources)]
        self.points = [replace(named[source], id=number) for number, source in enumerate(self._sources)]

    def _named(self) -> list[Point]:
        """Return all points so far, in the order of files; whoever has a name keeps it, however many more appear."""
        sources = self._moving.sources()
        pieces = [self._moving.pieces(source) for source in sources]
        named = name_points(sources, pieces, self.files, self._prepared.inputs.specs, self.hosts)
        for number, source in enumerate(sources):
            named[number] = replace(named[number], name=self._names.setdefault(source, named[number].name))
        return named

    def _all_points(self) -> list[Point]:
        """Return the points in the order of files, with what is known of them, and those that recorded nothing."""
        heard = {source: self.points[number] for number, source in enumerate(self._sources)}
        return [
            replace(heard[source], id=number) if source in heard else self._silent(replace(point, id=number), source)
            for number, (source, point) in enumerate(zip(self._moving.sources(), self._named(), strict=True))
        ]

    def _silent(self, point: Point, source: Source) -> Point:
        """Tell what is known of a point that recorded nothing."""
        nothing = np.zeros(0, np.int64)
        return with_container(self._moving.counted(point, source), [], FRAMES.empty(0), nothing, self.hosts)

    def _analyse(self, one: Slice) -> tuple[Part, Correlated]:
        tables = one.tables
        correlated = correlate(
            tables.frames,
            dict(tables.keys),
            keep=tables.keep,
            outward=np.array([OUTWARD_ORDER[point.role] for point in self.points], np.int64),
            stated=self._stated,
            hosts=np.zeros(len(self.points), np.int64),
            files=np.array([source.file for source in self._sources], np.int64),
            hairpin=np.array([self.hosts[point.host].sends_back(point.interface) for point in self.points], bool),
        )
        found = infer_points(self.points, tables.frames, correlated.hops, self.hosts)
        self.points = [self._moving.counted(p, s) for p, s in zip(found, self._sources, strict=True)]
        recognised = self._memory.recognise(
            tables.frames, one.known, correlated.hops, correlated.connections, one.until_ns
        )
        times = tables.frames["time_ns"]
        end_ns = None if one.last or not len(times) else int(times.max())
        context = Context(
            tables.frames,
            tables.quotes,
            tables.neighbours,
            tables.tunnels,
            correlated.hops,
            correlated.connections,
            self.points,
            self.hosts,
            correlated.doubts,
            share=Share(recognised.fresh, recognised.packet, recognised.connection, None, end_ns),
            settled_rows=one.known["settled"],
        )
        # What is seen again tells of the network, too.
        context.known = Known([replace(context, share=Share(None, recognised.packet, recognised.connection))])
        self._recognised, tracer = recognised, Tracer(context)
        return Part(context, tracer, Case(context, tracer, self.files, correlated.contradictions)), correlated

    def _remember(self, part: Part, correlated: Correlated, since_ns: int, one: Slice) -> None:
        """Take in what the end will tell."""
        told, found = self._told, self._recognised
        told.dispositions.update(part.tracer.count_ends(found.fresh))
        # An exchange is complete when it was answered, or nobody will ask again.
        for exchange in part.tracer.exchanges():
            complete = exchange.request_ns < one.until_ns - (RETRY_NS if exchange.reply_frame is None else 0)
            key = exchange.point, exchange.request_frame
            if complete and exchange.request_ns >= since_ns - LEAD_NS and key not in told.arp_keys:
                told.arp_keys.add(key)
                told.arp.append(exchange)
        for number, others in correlated.doubts.candidates.items():
            known = told.candidates.setdefault(int(found.connection[number]), set())
            known.update(found.connection[sorted(others)].tolist())
        self._explain(part)

    def _explain(self, part: Part) -> None:
        """Ask why what went wrong in a slice did: each packet's trouble is told once, where its answer would be."""
        told = self._told
        told.tried.add(part.case, self._memory.connections)
        asked = Asked(part.case, OF_SLICES)
        told.totals.update(asked.totals())
        told.groups = merge([told.groups, asked.groups(told.totals)])
        told.failures += asked.failures

    def _settle(self, part: Part, one: Slice) -> None:
        """Note the packets whose answers are told for good."""
        found, hops = self._recognised, part.context.hops
        complete = np.maximum.reduceat(one.known["packet"][hops["row"]], found.start[:-1]) >= 0
        settled = np.zeros(len(complete), np.int8)
        settled[part.tracer.settle(complete)] = 1
        rows = hops["row"]
        one.known["settled"][rows] = np.maximum(one.known["settled"][rows], np.repeat(settled, np.diff(found.start)))

    def _findings(self) -> tuple[Finding, ...]:
        """Put together what was found in slices, and what files, points and hosts tell without any frame."""
        nothing = Context.without_frames(self._all_points(), self.hosts)
        asked = Asked(Case(nothing, Tracer(nothing), self.files, []), ALL)
        groups = merge([self._told.groups, asked.groups(asked.totals())])
        groups = self._told.tried.counted(groups, self._memory.table)
        return worded((*settle(groups), *self._told.failures, *asked.failures))


def _three(progress: Progress, total: int, frames: int, done: int) -> None:
    progress(frames, done, total)
