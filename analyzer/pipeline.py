"""The stages in order: captures and dumps in, a Trace out. The one module that sees them all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analyzer.capture.inputs import Inputs, find_inputs
from analyzer.capture.points import PointSpec, name_points
from analyzer.capture.read import CaptureFile
from analyzer.capture.records import FileInfo
from analyzer.capture.source import needs_spool
from analyzer.correlate.clock import Offset
from analyzer.correlate.correlate import Correlated, correlate
from analyzer.correlate.keys import make_keys
from analyzer.correlate.roles import infer_points
from analyzer.correlate.sorting import group_rows
from analyzer.correlate.stated import Stated
from analyzer.decode.dissect import dissect
from analyzer.decode.frames import FrameTables, Progress, read_frames
from analyzer.diagnose import diagnose
from analyzer.diagnose.subject import Subject
from analyzer.errors import InputError, SelectionError
from analyzer.host.load import load_host, merge_hosts
from analyzer.model import (
    ArpExchange,
    Clock,
    Connection,
    ConntrackEntry,
    Disposition,
    Finding,
    FlowTuple,
    HostState,
    Journey,
    Point,
)
from analyzer.model.point import OUTWARD_ORDER
from analyzer.report.content import Content
from analyzer.schema import Columns
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context
from analyzer.trace.select import select
from analyzer.trace.text import PROTOCOLS

if TYPE_CHECKING:
    import pandas as pd

_BAD = (Disposition.REJECTED, Disposition.DROPPED, Disposition.LOST)
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
    unusable: list[InputError] = field(default_factory=list)
    """Files that gave nothing."""

    @property
    def points(self) -> list[Point]:
        """Capture points."""
        return self.context.points

    @property
    def host(self) -> HostState:
        """What dumps told."""
        return self.context.host

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
    def tracer(self) -> Tracer:
        """Builder of journeys."""
        return Tracer(self.context)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a person should act on, worst first."""
        return diagnose(Subject(self.context, self.tracer, self.files, self.correlated.contradictions))

    @property
    def arp(self) -> list[ArpExchange]:
        """ARP and NDP exchanges, in order of time."""
        return self.tracer.exchanges()

    @property
    def packets(self) -> int:
        """Number of packets."""
        return self.context.packets

    def connection(self, number: int) -> Connection:
        """Build one connection."""
        return self.tracer.connection(number)

    def journey(self, number: int) -> Journey:
        """
        Build one journey.

        Raises:
            SelectionError: there is none of that number.
        """
        if not 0 <= number < self.packets:
            raise SelectionError(f"no journey J{number}; there are J0 to J{self.packets - 1}")
        return self.tracer.journey(number)

    def journeys(self, numbers: Sequence[int] | None = None) -> Iterator[Journey]:
        """Build journeys one after the other: those of *numbers*, or all in order of time."""
        return (self.journey(number) for number in (range(self.packets) if numbers is None else numbers))

    def dispositions(self) -> dict[str, int]:
        """Count journeys by how they ended."""
        return dict(Counter(self.tracer.dispositions))

    def select(self, text: str) -> list[int]:
        """
        Return the journeys that a selection picks, e.g. ``ip.addr == 8.8.8.8 && tcp.port == 80``.

        Raises:
            SelectionError: it cannot be understood.
        """
        return select(self.context, self.tracer, text)

    def worth_reading(self, count: int) -> list[int]:
        """Choose up to *count* journeys: those that did not arrive, each connection's first ones, then the rest."""
        if count >= self.packets:
            return list(range(self.packets))
        bad = (number for number, disposition in enumerate(self.tracer.dispositions) if disposition in _BAD)
        _, first = group_rows(*(self.correlated.hops[name] for name in ("connection", "reply")))
        of_connections = first[self.correlated.hops["connection"][first] >= 0]
        firsts = (int(self.correlated.hops["packet"][place]) for place in of_connections)
        chosen = dict.fromkeys(chain(islice(bad, count // 2), islice(firsts, count), range(count)))
        return sorted(islice(chosen, count))

    def content(
        self, *, selection: str | None = None, journeys: int | None = None, connections: int | None = None
    ) -> Content:
        """Collect what a report tells: all of it, or what is selected, or at most so many journeys and connections."""
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
            arp=self.arp,
            findings=self.findings,
            frames=len(self.tables.frames["frame"]),
            packets=self.packets,
            connection_count=count,
            dispositions=self.dispositions(),
            picked=self.packets if picked is None else len(picked),
            shown=self.packets if numbers is None else len(numbers),
            host_problems=self.host.problems,
        )

    def dissected(self, journey: Journey) -> Iterator[tuple[str, int, list[str]]]:
        """Dissect a journey's frames in full with tshark; give (point, frame number, lines)."""
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


def analyze(
    paths: Sequence[str | Path],
    host: str | Path | None = None,
    *,
    points: Sequence[PointSpec] = (),
    progress: Progress | None = None,
) -> Trace:
    """
    Follow packets through the captures in *paths*.

    Args:
        paths: captures and bundles (folders of captures, with dumps in ``host/``); ``-`` is stdin.
        host: folder of dumps of the host's state.
        points: what is known of files; files named only here are read, too.
        progress: called with the number of frames decoded so far, and how many bytes were read of how many.

    Raises:
        InputError: no file was usable, or a path or *host* is not there.
    """
    with ExitStack() as stack:
        inputs = find_inputs([str(path) for path in paths], points, stack)
        state = _host_state(inputs, Path(host) if host is not None else None)
        captures = [partial(CaptureFile, inputs.local[file], file) for file in inputs.files]
        tables = read_frames(captures, make_keys, progress)
    damaged = [info.damage.problem for info in tables.files if info.damage is not None]
    if damaged and not any(info.interfaces for info in tables.files):
        raise InputError(damaged[0], others=damaged[1:])
    if inputs.groups:
        tables.join_pieces(inputs.groups)
    named = name_points(tables.sources, tables.pieces, tables.files, inputs.specs, state)
    hosts = list(dict.fromkeys(point.host for point in named))
    correlated = correlate(
        tables.frames,
        tables.keys,
        keep=tables.keep,
        outward=np.array([OUTWARD_ORDER[point.role] for point in named], np.int64),
        stated=[_as_integers(entry) for entry in state.conntrack],
        hosts=np.array([hosts.index(point.host) for point in named], np.int64),
    )
    clocks = {hosts[number]: _clock(offset) for number, offset in correlated.offsets.items()}
    named = [replace(point, clock=clocks.get(point.host)) for point in named]
    known = infer_points(named, tables.frames, correlated.hops, state)
    context = Context(
        tables.frames,
        tables.quotes,
        tables.neighbours,
        tables.tunnels,
        correlated.hops,
        correlated.connections,
        known,
        state,
        correlated.candidates,
    )
    return Trace(context, tables, correlated, inputs.files, inputs.unusable)


def _host_state(inputs: Inputs, folder: Path | None) -> HostState:
    """Read the dumps in *folder*, or those of the bundles; what several hosts said stands side by side."""
    if folder is not None:
        events = next((bundle.events for bundle in inputs.bundles.values() if bundle.events), None)
        return load_host(folder, events=events)
    found = [load_host(b.host, events=b.events, name=n) for n, b in inputs.bundles.items() if b.host is not None]
    return merge_hosts(found) if found else HostState()


def _clock(offset: Offset) -> Clock:
    return Clock(offset.offset_ns, round(offset.drift * 1e9), offset.uncertainty_ns)


def _as_integers(entry: ConntrackEntry) -> Stated:
    def ends(t: FlowTuple) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        ports = (t.icmp_id, t.icmp_id) if t.icmp_id is not None else (t.sport, t.dport)
        (a, b), (c, d) = (divmod(int(ip), 1 << 64) for ip in (t.src, t.dst))
        return (a, b, ports[0] or 0), (c, d, ports[1] or 0)

    proto = _NUMBERS.get(entry.original.protocol, 0)
    original, reply = ends(entry.original), ends(entry.reply)
    return Stated(entry.original.src.version, proto, original, reply, entry.first_ns, entry.last_ns)


def _data_frame(columns: Columns) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - imported late: it costs half a second

    return pd.DataFrame(columns, copy=False)
