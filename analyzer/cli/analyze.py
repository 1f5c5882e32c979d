"""The commands that report on captures: analyze and demo."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli import complete
from analyzer.cli.base import (
    EXIT_PARTIAL,
    EXIT_UNREADABLE,
    NAMESPACES,
    examples,
    exit_on,
    fail_on_option,
    find,
    input_options,
    need_linux,
    payload_option,
)
from analyzer.cli.memory import Asked, memory_options
from analyzer.cli.outputs import Output, check_targets, output_options, outputs_of, write
from analyzer.cli.talk import complain, paged, progress, remark, talking, verbose
from analyzer.errors import InputError, LimitError

if TYPE_CHECKING:
    from analyzer.run import Means, Prepared, Trace

SHOWN_CONNECTIONS = 50
explain_option = click.option("--explain", is_flag=True, help="Tell journeys in prose, step by step.")


@click.command(
    epilog=examples(
        "hoptrace analyze veth.pcap docker0.pcap wlan0.pcap",
        "hoptrace analyze trouble/ -o report.html",
        "hoptrace analyze trouble/ -Y 'container == web && tcp.port == 5432'",
        "hoptrace analyze trouble/ -o - --format ndjson | jq 'select(.type == \"finding\")'",
        "tcpdump -i any -w - | hoptrace analyze -",
    )
)
@click.argument("paths", nargs=-1, metavar="PATH...", shell_complete=complete.files)
@input_options
@click.option("-r", "read", multiple=True, hidden=True, help="A PATH, as tcpdump and tshark have it.")
@click.option(
    "-Y", "--select", "selection", metavar="EXPR", shell_complete=complete.selection,
    help="Only this: hoptrace fields says what can be asked.",
)  # fmt: skip
@output_options
@click.option("--otlp", metavar="URL", help="Send spans to a collector, as http://localhost:4318/v1/traces.")
@click.option("-n", "--journeys", default=30, show_default=True, type=click.IntRange(0), help="Journeys to print.")
@click.option("--window", metavar="FRAMES", hidden=True, help="Does nothing any more.")
@click.option(
    "--parts",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Cut the work into so many parts; what is told is the same.  [default: as many as memory asks for]",
)
@memory_options
@explain_option
@click.option("--replay", is_flag=True, help="Ask a kernel, in the rebuilt host, whether findings and remedies hold.")
@click.option("--preview", is_flag=True, help="Look for what is new, too: hoptrace checks says which that is.")
@fail_on_option
@click.option("--strict", is_flag=True, help="Exit with 4 if any input was damaged or left out.")
@payload_option
@talking
def analyze(
    paths: tuple[str, ...],
    host: str | None,
    unpack_limit: int | None,
    points: tuple[str, ...],
    read: tuple[str, ...],
    selection: str | None,
    outputs: tuple[str, ...],
    form: str | None,
    as_json: bool,
    otlp: str | None,
    journeys: int,
    window: str | None,
    parts: int | None,
    asked: Asked,
    explain: bool,
    replay: bool,
    preview: bool,
    fail_on: str | None,
    strict: bool,
    payload: bool,
) -> None:
    """
    Analyse captures and bundles; PATH may be - for stdin.

    .ndjson has an item a line, .parquet the frames of every packet. What does not fit into memory is worked in parts,
    whose tables lie in files meanwhile; what is told is the same. -v says before anything is read how the work is cut.
    """
    if replay:
        need_linux("--replay", NAMESPACES)
    files = outputs_of(outputs, form, as_json=as_json)
    wanted = Told(files, selection, journeys, explain, replay, preview, fail_on, payload, otlp)
    paths += read
    if not paths and not points:
        raise click.UsageError("give at least one PATH")
    if window is not None:
        complain("--window does nothing any more: what does not fit into memory is told in full, too")

    check_targets(wanted.outputs, [*paths, *(p.partition("=")[2].split(",")[0] for p in points)])
    with find(paths, host, points, unpack_limit) as prepared:
        means = asked.means(prepared, parts)
        if verbose():
            from analyzer.run import estimate  # noqa: PLC0415

            complain(estimate(prepared, means))
        trace, limited = _analyze(prepared, means, wanted)
        partial = _report(trace, wanted)
    if prepared.inputs.named_unusable:
        sys.exit(EXIT_UNREADABLE)
    if limited or (strict and partial):
        sys.exit(EXIT_PARTIAL)


@dataclass(frozen=True, slots=True)
class Told:
    """What the user wants to be told, and how."""

    outputs: list[Output]
    selection: str | None
    journeys: int
    """How many the terminal shows."""
    explain: bool
    """Journeys are told in prose."""
    replay: bool
    """A kernel is asked whether findings and remedies hold."""
    preview: bool
    """New hypotheses are asked as well."""
    fail_on: str | None
    """Severity of findings that make the command fail."""
    payload: bool
    """Payloads are looked into."""
    otlp: str | None
    """Where spans are sent to."""


def _analyze(prepared: "Prepared", means: "Means", wanted: Told) -> "tuple[Trace, bool]":
    """Analyse all of it, else as much as fits, which is found out while reading; tell whether not all of it was."""
    from analyzer.run import analyze_whole  # noqa: PLC0415

    budget = means.budget
    for most in (None, *((budget.frames * 9 // 10, budget.any_frames) if budget is not None else ())):
        try:
            with progress() as told:
                reading, stage = (None, None) if told is None else (told.reading, told.stage)
                trace = analyze_whole(prepared, reading, means, most, stage)
                trace.asks_kernel, trace.preview, trace.payload = wanted.replay, wanted.preview, wanted.payload
                _ = trace.findings
                return trace, most is not None
        except LimitError as error:  # and let go of what was read, before the rest takes its place
            complain(f"{error}: --memory allows more")
    raise LimitError("not even a few of these frames fit into memory")


def _report(trace: "Trace", wanted: Told) -> bool:
    """Report; tell whether the input was damaged."""
    from analyzer.report import terminal  # noqa: PLC0415

    partial = remark_damage(trace)
    for output in wanted.outputs:
        write(trace, output, wanted.selection, explain=wanted.explain)
    if wanted.otlp is not None:
        from analyzer.run.otlp import send  # noqa: PLC0415

        remark(f"{wanted.otlp}: {send(trace, wanted.otlp, wanted.selection):,} spans")
    if not any(output.on_stdout for output in wanted.outputs):
        content = trace.content(selection=wanted.selection, journeys=wanted.journeys, connections=SHOWN_CONNECTIONS)
        with paged() as out:
            terminal.print_report(out, content, explain=wanted.explain)
    if wanted.replay and trace.kernel.unasked:
        complain(f"--replay: {trace.kernel.unasked}")
    if wanted.fail_on is not None:
        exit_on(wanted.fail_on, trace.content(selection=wanted.selection, journeys=0, connections=0).findings)
    return partial


@click.command(epilog=examples("hoptrace demo", "hoptrace demo -o demo.html"))
@output_options
@talking
@click.pass_context
def demo(ctx: click.Context, outputs: tuple[str, ...], form: str | None, as_json: bool) -> None:
    """Analyse the bundled sample: a container pings 8.8.8.8 and fetches a page."""
    here = Path(__file__).parents[1]
    bundle = next((p for p in (here / "demo_bundle", here.parent / "sample_pcaps" / "seed") if p.is_dir()), None)
    if bundle is None:
        raise InputError("the bundled sample is not installed")
    ctx.invoke(analyze, paths=(str(bundle),), outputs=outputs, form=form, as_json=as_json)


def remark_damage(trace: "Trace") -> bool:
    """Say what is wrong with the input; tell whether anything is."""
    from analyzer.read.records import DECODED, LINKTYPE_NONE, link_name  # noqa: PLC0415

    for error in trace.unusable:
        remark(str(error))
    for doubled in trace.doubled:
        remark(doubled)
    for info in trace.files:
        if info.damage is not None:
            remark(f"{info.name}: at byte {info.damage.offset}: {info.damage.problem}; {info.frames} frames kept")
    foreign = [point for point in trace.points if point.frames and point.link_type not in (*DECODED, LINKTYPE_NONE)]
    for point in foreign:
        kind = link_name(point.link_type)
        remark(f"{point.name}: {kind} is not decoded: {point.frames} frames were not looked into")
    for problem in trace.hosts.everywhere.problems:
        remark(f"host state: {problem}")
    damaged = any(info.damage for info in trace.files)
    return bool(trace.unusable or trace.hosts.everywhere.problems or foreign or damaged)
