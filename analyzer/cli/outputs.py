"""Where reports go, and as what: files, or stdout."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.errors import SelectionError

if TYPE_CHECKING:
    from analyzer.run import Trace

FORMATS = ("html", "json", "ndjson", "parquet", "pcapng", "trace")
STDOUT = "-"
Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Output:
    """A report that somebody wants."""

    path: Path
    """``-`` for stdout."""
    kind: str
    """One of FORMATS."""

    @property
    def on_stdout(self) -> bool:
        """It goes where the terminal's report would."""
        return str(self.path) == STDOUT


def output_options(command: Command) -> Command:
    """Add what says where reports go, as *outputs*, *form* and *as_json*."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text, as -o - --format json does."),
        click.option("--format", "form", type=click.Choice(FORMATS), help="Of outputs whose ending does not say it."),
        click.option(
            "-o", "--output", "outputs", multiple=True, metavar="FILE",
            help="Write a report; the ending says which: .html, .json, .ndjson, .parquet, .pcapng, .trace (for "
            "ui.perfetto.dev). - is stdout, with --format. May repeat.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def outputs_of(names: Iterable[str], form: str | None, *, as_json: bool) -> list[Output]:
    """
    Return the outputs that are meant, each once.

    Raises:
        SelectionError: it is not known what one is to be; or two are for stdout.
    """
    found = [Output(Path(name), _kind(name, form)) for name in dict.fromkeys(names)]
    if as_json:
        found.append(Output(Path(STDOUT), "json"))
    if sum(one.on_stdout for one in found) > 1:
        raise SelectionError("two reports for stdout: --json is -o - --format json")
    if any(one.on_stdout and one.kind == "parquet" for one in found):
        raise SelectionError("-o -: Parquet is two files, so it needs a name")
    return found


def _kind(name: str, form: str | None) -> str:
    ending = Path(name).suffix.removeprefix(".")
    if ending in FORMATS:
        return ending
    if form is not None:
        return form
    if name == STDOUT:
        raise SelectionError("-o -: --format says as what: " + ", ".join(one for one in FORMATS if one != "parquet"))
    raise SelectionError(
        f"-o {name}: unknown ending; known are {', '.join(f'.{each}' for each in FORMATS)}, or --format"
    )


def check_targets(outputs: Iterable[Output], inputs: Iterable[str]) -> None:
    """
    Make sure, before anything is read, that each output is a file of its own, and no input.

    Raises:
        SelectionError: one is not.
    """
    from analyzer.report.parquet import beside  # noqa: PLC0415

    files = [one for one in outputs if not one.on_stdout]
    taken = [one.path for one in files] + [beside(one.path) for one in files if one.kind == "parquet"]
    for place, path in enumerate(taken):
        if path.is_dir():
            raise SelectionError(f"-o {path}: a folder, not a file")
        if any(os.path.realpath(path) == os.path.realpath(given) for given in inputs):
            raise SelectionError(f"-o {path}: it is read, too, and would be lost")
        if path in taken[:place]:
            raise SelectionError(f"-o {path}: the connections of another output go there")


def write(trace: "Trace", output: Output, selection: str | None, *, explain: bool) -> None:
    """
    Write a report.

    Raises:
        OutputError: it cannot be written.
    """
    from analyzer.run.annotated import annotated  # noqa: PLC0415
    from analyzer.run.outputs import pieces, put  # noqa: PLC0415

    if not output.on_stdout:
        put(trace, output.kind, output.path, selection, explain=explain)
        return
    if output.kind == "pcapng":
        sys.stdout.flush()
        for block in annotated(trace, selection):
            sys.stdout.buffer.write(block)
        return
    for piece in pieces(trace, output.kind, selection, explain=explain):
        sys.stdout.write(piece)
