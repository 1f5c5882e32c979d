"""A whole analysis in memory: captures and dumps in, a Trace out."""

import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from analyzer.correlate.clock import Offset
from analyzer.correlate.correlate import correlate
from analyzer.correlate.doubles import drop_copies, drop_overlaps
from analyzer.correlate.keys import make_keys
from analyzer.correlate.roles import infer_points
from analyzer.correlate.verify import Verifier
from analyzer.decode.frames import FrameTables, Limit, Progress, read_frames
from analyzer.errors import InputError
from analyzer.model import Clock
from analyzer.model.point import OUTWARD_ORDER
from analyzer.pipeline.budget import Budget
from analyzer.pipeline.prepare import Prepared, prepare, stated_entries
from analyzer.pipeline.trace import Trace
from analyzer.read.points import PointSpec, name_points
from analyzer.trace.context import Context


def analyze(
    paths: str | Path | Sequence[str | Path],
    host: str | Path | None = None,
    *,
    points: Sequence[PointSpec] = (),
    progress: Progress | None = None,
    memory: int | None = None,
    parts: int = 1,
) -> Trace:
    """
    Follow packets through the captures in *paths*.

    Args:
        paths: captures and bundles (folders of captures, with dumps in ``host/``), one or several; ``-`` is stdin.
        host: folder of dumps of the host's state.
        points: what is known of files; files named only here are read, too.
        progress: called with the number of frames decoded so far, and how many bytes were read of how many.
        memory: bytes that it may take, with all that is asked of the result; None for as many as it needs.
        parts: into how many the work is cut; what is told does not depend on it.

    Raises:
        LimitError: it would take more.
        InputError: no file was usable, or a path or *host* is not there.
    """
    several = [paths] if isinstance(paths, str | Path) else paths
    with ExitStack() as stack:
        trace = analyze_whole(
            stack.enter_context(prepare(several, host, points)),
            progress,
            Budget(memory) if memory is not None else None,
            parts=parts,
        )
        # Names and checksums are read from the captures when somebody asks: temporary copies live as long as it does.
        weakref.finalize(trace, stack.pop_all().close)
        return trace


def analyze_whole(
    prepared: Prepared,
    progress: Progress | None = None,
    budget: Budget | None = None,
    most: int | None = None,
    parts: int = 1,
) -> Trace:
    """
    Follow packets through captures that were found, in *budget*; *most* tells how many frames to read at the most.

    The work is cut into *parts*; what is told does not depend on them.

    Raises:
        LimitError: they do not fit.
        InputError: no file was usable.
    """
    inputs, hosts = prepared.inputs, prepared.hosts
    tables = _read(prepared, progress, budget, most)
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
    correlated = correlate(
        tables.frames,
        tables.keys,
        keep=tables.keep,
        outward=np.array([OUTWARD_ORDER[point.role] for point in named], np.int64),
        stated=stated_entries(hosts.everywhere),
        hosts=np.array([names.index(point.host) for point in named], np.int64),
        files=np.array([source.file for source in tables.sources], np.int64),
        verifier=Verifier(prepared.captures(), tables),
        hairpin=np.array([hosts[point.host].sends_back(point.interface) for point in named], bool),
        parts=parts,
    )
    tables.keys.clear()  # nobody needs them any more
    if budget is not None:
        budget.check_connections(len(tables.frames["frame"]), len(correlated.connections["proto"]))
    clocks = {names[number]: _clock(offset) for number, offset in correlated.offsets.items()}
    named = [replace(point, clock=clocks.get(point.host)) for point in named]
    known = infer_points(named, tables.frames, correlated.hops, hosts)
    context = Context(
        tables.frames,
        tables.quotes,
        tables.neighbours,
        tables.tunnels,
        correlated.hops,
        correlated.connections,
        known,
        hosts,
        correlated.doubts,
        correlated.apart,
    )
    return Trace(
        context,
        tables,
        correlated,
        inputs.files,
        prepared.captures(),
        inputs.given,
        inputs.unusable,
        doubled,
        cut=parts,
    )


def _read(prepared: Prepared, progress: Progress | None, budget: Budget | None, most: int | None) -> FrameTables:
    """Read captures, all of them or *most* frames, which must fit into *budget*."""
    if budget is None:
        return read_frames(prepared.captures(), make_keys, progress)
    limit = Limit(budget.frames if most is None else most, cut=most is not None)
    tables = read_frames(prepared.captures(), make_keys, progress, limit)
    budget.check(tables)
    return tables


def _clock(offset: Offset) -> Clock:
    return Clock(offset.offset_ns, round(offset.drift * 1e9), offset.uncertainty_ns, offset.rough)
