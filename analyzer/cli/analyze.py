"""The commands that report on captures: analyze and demo."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli.base import EXIT_PARTIAL, EXIT_UNREADABLE, complain, exit_on, fail_on_option, find, input_options
from analyzer.cli.memory import Asked, memory_options
from analyzer.errors import InputError, LimitError, SelectionError

if TYPE_CHECKING:
    from analyzer.run import Means, Prepared, Trace

SHOWN_CONNECTIONS = 50
FORMATS = (".json", ".html", ".ndjson", ".parquet")
explain_option = click.option("--explain", is_flag=True, help="Tell journeys in prose, step by step.")


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@input_options
@click.option("-Y", "--select", "selection", metavar="EXPR", help="Only these journeys, e.g. 'ip.addr == 8.8.8.8'.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write a report; the ending says which: .html, .json, .ndjson, .parquet. May repeat.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the terminal report.")
@click.option("-n", "--journeys", default=30, show_default=True, type=click.IntRange(0), help="Journeys to print.")
@click.option("--window", metavar="FRAMES", hidden=True, help="Does nothing any more.")
@click.option(
    "--parts",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Cut the work into so many parts; what is told is the same.  [default: as many as memory asks for]",
)
@memory_options
@click.option("-v", "--verbose", is_flag=True, help="Say on stderr, before anything is read, how the work is cut.")
@explain_option
@click.option("--replay", is_flag=True, help="Ask a kernel, in the rebuilt host, whether findings and remedies hold.")
@click.option("--preview", is_flag=True, help="Look for what is new, too: hoptrace checks says which that is.")
@fail_on_option
@click.option("--strict", is_flag=True, help="Exit with 4 if any input was damaged or left out.")
def analyze(
    paths: tuple[str, ...],
    host: str | None,
    unpack_limit: int | None,
    points: tuple[str, ...],
    selection: str | None,
    outputs: tuple[str, ...],
    as_json: bool,
    journeys: int,
    window: str | None,
    parts: int | None,
    asked: Asked,
    verbose: bool,
    explain: bool,
    replay: bool,
    preview: bool,
    fail_on: str | None,
    strict: bool,
) -> None:
    """
    Analyse captures and bundles; PATH may be - for stdin.

    .ndjson has an item a line, .parquet the frames of every packet. What does not fit into memory is worked in parts,
    whose tables lie in files meanwhile; what is told is the same.
    """
    for output in outputs:
        if Path(output).suffix not in FORMATS:
            raise SelectionError(f"-o {output}: unknown ending; known are {', '.join(FORMATS)}")
    if not paths and not points:
        raise click.UsageError("give at least one PATH")
    if window is not None:
        complain("--window does nothing any more: what does not fit into memory is told in full, too")

    _check_targets([Path(output) for output in outputs], [*paths, *(p.partition("=")[2].split(",")[0] for p in points)])
    with find(paths, host, points, unpack_limit) as prepared:
        wanted = Told(outputs, selection, journeys, as_json, explain, replay, preview, fail_on)
        means = asked.means(prepared, parts)
        if verbose:
            from analyzer.run import estimate  # noqa: PLC0415

            complain(estimate(prepared, means))
        trace, limited = _analyze(prepared, means, wanted)
        partial = _report(trace, wanted)
    if prepared.inputs.named_unusable:
        sys.exit(EXIT_UNREADABLE)
    if limited or (strict and partial):
        sys.exit(EXIT_PARTIAL)


def _analyze(prepared: "Prepared", means: "Means", wanted: "Told") -> "tuple[Trace, bool]":
    """Analyse all of it, else as much as fits, which is found out while reading; tell whether not all of it was."""
    from analyzer.report.progress import progress  # noqa: PLC0415
    from analyzer.run import analyze_whole  # noqa: PLC0415

    budget = means.budget
    for most in (None, *((budget.frames * 9 // 10, budget.any_frames) if budget is not None else ())):
        try:
            with progress() as told:
                reading, stage = (None, None) if told is None else (told.reading, told.stage)
                trace = analyze_whole(prepared, reading, means, most, stage)
                trace.asks_kernel, trace.preview = wanted.replay, wanted.preview
                _ = trace.findings
                return trace, most is not None
        except LimitError as error:  # and let go of what was read, before the rest takes its place
            complain(f"{error}: --memory allows more")
    raise LimitError("not even a few of these frames fit into memory")


def _check_targets(paths: list[Path], inputs: Iterable[str]) -> None:
    """Make sure, before anything is read, that each output is a file of its own, and no input."""
    from analyzer.report.parquet import beside  # noqa: PLC0415

    paths = list(dict.fromkeys(paths))
    taken = [*paths, *(beside(path) for path in paths if path.suffix == ".parquet")]
    for place, path in enumerate(taken):
        if path.is_dir():
            raise SelectionError(f"-o {path}: a folder, not a file")
        if any(os.path.realpath(path) == os.path.realpath(given) for given in inputs):
            raise SelectionError(f"-o {path}: it is read, too, and would be lost")
        if path in taken[:place]:
            raise SelectionError(f"-o {path}: the connections of another output go there")


@dataclass(frozen=True, slots=True)
class Told:
    """What the user wants to be told, and how."""

    outputs: tuple[str, ...]
    selection: str | None
    journeys: int
    """How many the terminal shows."""
    as_json: bool
    explain: bool
    """Journeys are told in prose."""
    replay: bool
    """A kernel is asked whether findings and remedies hold."""
    preview: bool
    """New hypotheses are asked as well."""
    fail_on: str | None
    """Severity of findings that make the command fail."""


def _report(trace: "Trace", wanted: Told) -> bool:
    """Report; tell whether the input was damaged."""
    from analyzer.report import json_report, terminal  # noqa: PLC0415

    partial = complain_of_damage(trace)
    for output in wanted.outputs:
        _write(trace, Path(output), wanted)
    if wanted.as_json:
        for piece in json_report.json_lines(trace.content(selection=wanted.selection, decisions=True)):
            sys.stdout.write(piece)
    else:
        content = trace.content(selection=wanted.selection, journeys=wanted.journeys, connections=SHOWN_CONNECTIONS)
        terminal.print_report(terminal.console(), content, explain=wanted.explain)
    if wanted.replay and trace.kernel.unasked:
        complain(f"--replay: {trace.kernel.unasked}")
    exit_on(wanted.fail_on, trace.findings if wanted.fail_on is not None else ())
    return partial


def _write(trace: "Trace", path: Path, wanted: Told) -> None:
    """Write a report to a file; its ending says which."""
    from analyzer.report import html, json_report, ndjson, parquet, write  # noqa: PLC0415

    if path.suffix == ".parquet":
        chosen = None if wanted.selection is None else trace.select(wanted.selection)
        parquet.write_tables(path, trace.sightings(chosen), trace.correlated.connections)
    elif path.suffix == ".html":
        content = trace.content(selection=wanted.selection, journeys=html.MOST_JOURNEYS, decisions=True)
        write.write_lines(path, html.page(content, trace.overview(), trace.named, explain=wanted.explain))
    else:
        content = trace.content(selection=wanted.selection, decisions=path.suffix == ".json")
        pieces = json_report.json_lines if path.suffix == ".json" else ndjson.ndjson_lines
        write.write_lines(path, pieces(content))


@click.command()
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FILE", help="Write a report, as analyze does; may repeat."
)
@click.pass_context
def demo(ctx: click.Context, outputs: tuple[str, ...]) -> None:
    """Analyse the bundled sample: a container pings 8.8.8.8 and fetches a page."""
    here = Path(__file__).parents[1]
    bundle = next((p for p in (here / "demo_bundle", here.parent / "sample_pcaps" / "seed") if p.is_dir()), None)
    if bundle is None:
        raise InputError("the bundled sample is not installed")
    ctx.invoke(
        analyze,
        paths=(str(bundle),),
        host=None,
        unpack_limit=None,
        points=(),
        selection=None,
        outputs=outputs,
        as_json=False,
        journeys=30,
        window=None,
        parts=None,
        memory=None,
        work_dir=None,
        jobs=1,
        scheduler=None,
        verbose=False,
        explain=False,
        replay=False,
        preview=False,
        fail_on=None,
        strict=False,
    )


def complain_of_damage(trace: "Trace") -> bool:
    """Say what is wrong with the input; tell whether anything is."""
    from analyzer.read.records import DECODED, LINKTYPE_NONE, link_name  # noqa: PLC0415

    for error in trace.unusable:
        complain(str(error))
    for doubled in trace.doubled:
        complain(doubled)
    for info in trace.files:
        if info.damage is not None:
            complain(f"{info.name}: at byte {info.damage.offset}: {info.damage.problem}; {info.frames} frames kept")
    foreign = [point for point in trace.points if point.frames and point.link_type not in (*DECODED, LINKTYPE_NONE)]
    for point in foreign:
        kind = link_name(point.link_type)
        complain(f"{point.name}: {kind} is not decoded: {point.frames} frames were not looked into")
    for problem in trace.hosts.everywhere.problems:
        complain(f"host state: {problem}")
    damaged = any(info.damage for info in trace.files)
    return bool(trace.unusable or trace.hosts.everywhere.problems or foreign or damaged)
