"""A whole analysis: captures and dumps in, a Trace out."""

import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from analyzer.decode.frames import Progress, read_frames
from analyzer.decode.reader import Limit, Room
from analyzer.decode.tables import Span
from analyzer.errors import InputError
from analyzer.link.clock import Offset
from analyzer.link.keys import make_keys
from analyzer.link.verify import Verifier
from analyzer.model import Clock, Point
from analyzer.model.point import OUTWARD_ORDER
from analyzer.packet.assemble import Part
from analyzer.packet.packets import Points
from analyzer.points.doubles import drop_copies, drop_overlaps
from analyzer.points.named import may_have_several, name_points
from analyzer.points.roles import Traffic, infer_points
from analyzer.process import give_back, processors
from analyzer.read.spec import PointSpec
from analyzer.read.work import Work, usual_place, work_directory
from analyzer.run.budget import EACH, FEW_ROWS, ON_DISK, Budget, free_memory
from analyzer.run.correlate import correlate
from analyzer.run.engine import Heard, start
from analyzer.run.prepare import Prepared, prepare, stated_entries
from analyzer.run.trace import Trace
from analyzer.schema import FRAMES, HOPS

MOST_STRETCHES = 64
"""Each has a piece for each part."""
MOST_THREADS = 4
"""They wait for the captures' bytes, if there are more."""


def analyze(
    paths: str | Path | Sequence[str | Path],
    host: str | Path | None = None,
    *,
    points: Sequence[PointSpec] = (),
    progress: Progress | None = None,
    memory: int | None = None,
    parts: int | None = None,
    work_dir: str | Path | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Trace:
    """
    Follow packets through the captures in *paths*.

    Args:
        paths: captures and bundles (folders of captures, with dumps in ``host/``), one or several; ``-`` is stdin.
        host: folder of dumps of the host's state.
        points: what is known of files; files named only here are read, too.
        progress: called with the number of frames decoded so far, and how many bytes were read of how many.
        memory: bytes that it may take; tables that do not fit lie in files. None for as many as it needs.
        parts: into how many the work is cut; what is told does not depend on it. None for as many as fit.
        work_dir: where these files are; None for where temporary files are.
        jobs: how many processes share the work; what they exchange lies in files, too.
        scheduler: address of a Dask scheduler whose workers share the work, all of which see *work_dir*; ``local`` for
            workers of this machine.

    Raises:
        LimitError: it would take more, even so.
        InputError: no file was usable, or a path or *host* is not there.
        OutputError: the work directory is full.
        ToolError: the scheduler cannot be used.
    """
    several = [paths] if isinstance(paths, str | Path) else paths
    with ExitStack() as stack:
        place = None if work_dir is None else str(work_dir)
        means = Means(Budget(memory) if memory is not None else None, parts, place, jobs, scheduler)
        trace = analyze_whole(stack.enter_context(prepare(several, host, points)), progress, means)
        # Names and checksums are read from the captures when somebody asks: temporary copies live as long as it does.
        weakref.finalize(trace, stack.pop_all().close)
        return trace


@dataclass(frozen=True, slots=True)
class Means:
    """What an analysis has to work with; what it tells does not depend on it."""

    budget: Budget | None = None
    """Memory that it may take; None for as much as it needs."""
    parts: int | None = None
    """Into how many the work is cut; None for as many as fit."""
    work_dir: str | None = None
    """Where tables lie that do not fit, or are exchanged; None for where temporary files are."""
    jobs: int = 1
    """Processes that share the work."""
    scheduler: str | None = None
    """Address of a Dask scheduler whose workers share the work."""

    @property
    def shared(self) -> bool:
        """Tell whether several share the work."""
        return self.jobs > 1 or self.scheduler is not None


def analyze_whole(
    prepared: Prepared,
    progress: Progress | None = None,
    means: Means | None = None,
    most: int | None = None,
    hears: Callable[[str, int, int], None] | None = None,
) -> Trace:
    """
    Follow packets through captures that were found, with *means*; *most* tells how many frames to read at the most.

    *progress* is told how far reading is, *hears* a stage's name, and how many of its tasks are done of how many.

    Raises:
        LimitError: they do not fit.
        InputError: no file was usable.
        OutputError: the work directory is full.
        ToolError: the scheduler cannot be used.
    """
    means = means or Means()
    budget = Budget(free_memory() // 2) if means.budget is None and means.shared else means.budget
    inputs, hosts = prepared.inputs, prepared.hosts
    expected = 0 if budget is None else prepared.expected_frames()
    tight = budget is not None and expected > budget.frames
    room = None if budget is None else _room(prepared, expected, budget, means)
    folder = room.work().folder if room is not None and means.shared else None
    engine = start(means.jobs, means.scheduler, folder, tight=tight)
    prepared.stack.callback(engine.close)
    engine = engine if hears is None else Heard(engine, hears)
    tables = read_frames(
        prepared.captures(),
        make_keys,
        progress,
        limit=None if most is None else Limit(most),
        room=room,
        stretches=min(means.parts or 1, MOST_STRETCHES),
        each=engine.map if means.shared else None,
        extents=EACH * engine.workers,
        threads=1 if means.shared else min(processors(), MOST_THREADS),
    )
    parts = means.parts or 1
    if means.parts is None and budget is not None and tables.work.folder is not None:
        parts = budget.parts(tables.rows, engine.workers)
    damaged = [info.damage.problem for info in tables.files if info.damage is not None]
    if damaged and not any(info.interfaces for info in tables.files):
        raise InputError(damaged[0], others=damaged[1:])
    doubled = list(inputs.doubled)
    if inputs.groups:
        tables.join_pieces(inputs.groups, inputs.called_alike())
        doubled += drop_overlaps(tables)
    named = name_points(tables.sources, tables.pieces, tables.files, inputs.specs, hosts)
    if copies := drop_copies(tables, named):
        doubled += copies
        named = name_points(tables.sources, tables.pieces, tables.files, inputs.specs, hosts)
    names = list(dict.fromkeys(point.host for point in named))
    facts = Points(
        outward=np.array([OUTWARD_ORDER[point.role] for point in named], np.int64),
        hosts=np.array([names.index(point.host) for point in named], np.int64),
        files=np.array([source.file for source in tables.sources], np.int64),
        hairpin=np.array([hosts[point.host].sends_back(point.interface) for point in named], bool),
        several=np.array([may_have_several(point) for point in named], bool),
    )
    verifier = Verifier(prepared.captures(), tables)
    fits = None if budget is None else budget.fits(tables)
    correlated = correlate(tables, facts, stated_entries(hosts.everywhere), verifier, parts, engine, fits)
    tables.forget_keys()
    if budget is not None:
        budget.check(tables, len(correlated.connections["proto"]))
    clocks = {names[number]: _clock(offset) for number, offset in correlated.offsets.items()}
    spans = tables.spans_of_points()
    named = [replace(_counted(point, spans.get(point.id)), clock=clocks.get(point.host)) for point in named]
    shown = list(engine.map(_traffic, named, correlated.parts))
    traffic = Traffic.together(shown or [Traffic.of(named, FRAMES.empty(0), HOPS.empty(0))])
    return Trace(
        infer_points(named, traffic, hosts),
        hosts,
        tables,
        correlated,
        inputs.files,
        prepared.captures(),
        inputs.given,
        inputs.unusable,
        doubled,
        cut=parts,
        engine=engine,
        most_in_part=None if fits is None else fits.in_part,
    )


def estimate(prepared: Prepared, means: Means) -> str:
    """Say, before anything is read, what of the captures is held in memory, and how the rest is cut."""
    frames = prepared.expected_frames()
    told = f"some {frames:,} frames in {prepared.stored >> 20:,} MiB"
    budget, workers = means.budget, means.jobs
    if budget is None:
        return f"{told}: all are held in memory"
    holds = f"{budget} holds {budget.frames:,}"
    if frames <= budget.frames and not means.shared:
        return f"{told}; {holds}: all of them, in {_parts(means.parts or 1)}"
    parts = _parts(means.parts or budget.parts(frames, workers))
    stretch, place = min(budget.stretch // workers, frames), means.work_dir or usual_place()
    disk = frames * ON_DISK >> 20
    return f"{told}; {holds}: read {stretch:,} at a time, told in up to {parts}, with {disk:,} MiB in {place}"


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count} parts"


def _room(prepared: Prepared, expected: int, budget: Budget, means: Means) -> Room:
    """Tell how much of the *expected* frames is held, and how much is looked at together of the rest."""

    @cache
    def work() -> Work:
        if not means.shared or expected > budget.frames:
            give_back()
        return prepared.stack.enter_context(work_directory(means.work_dir, expected * ON_DISK))

    if not means.shared:
        return Room(budget.frames, budget.stretch, work)
    return Room(0, min(budget.stretch // means.jobs, max(expected // (EACH * means.jobs), FEW_ROWS)), work)


def _traffic(points: list[Point], part: Part) -> Traffic:
    """Take what a part's packets show of points."""
    frames, _, _, hops = part.tables()
    return Traffic.of(points, frames, hops)


def _counted(point: Point, span: Span | None) -> Point:
    """Tell how much a point recorded, and when."""
    if span is None:
        return point
    return replace(point, frames=span.frames, first_ns=span.first_ns, last_ns=span.last_ns)


def _clock(offset: Offset) -> Clock:
    return Clock(offset.offset_ns, round(offset.drift * 1e9), offset.uncertainty_ns, offset.rough)
