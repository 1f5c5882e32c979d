"""The command that tells journeys, or connections' round trips, in full."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli import complete
from analyzer.cli.analyze import explain_option, remark_damage
from analyzer.cli.base import EXIT_UNREADABLE, examples, find, input_options, payload_option
from analyzer.cli.memory import Asked, memory_options
from analyzer.cli.talk import paged, progress, remark, talking
from analyzer.errors import SelectionError

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.model import Journey
    from analyzer.run import Trace


@click.command(
    epilog=examples(
        "hoptrace show trouble/            the journey of the first finding",
        "hoptrace show trouble/ J12 J15",
        "hoptrace show trouble/ C0         a connection's first packet there, and its answer back",
        "hoptrace show trouble/ J12 --dissect",
    )
)
@click.argument(
    "words", nargs=-1, required=True, metavar="PATH... [JOURNEY|CONNECTION]...", shell_complete=complete.files
)
@input_options
@click.option("--dissect", is_flag=True, help="Dissect its frames with tshark.")
@explain_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text, with what they belong to.")
@memory_options
@payload_option
@talking
def show(
    words: tuple[str, ...],
    host: str | None,
    unpack_limit: int | None,
    points: tuple[str, ...],
    dissect: bool,
    explain: bool,
    as_json: bool,
    asked: Asked,
    payload: bool,
) -> None:
    """
    Show one JOURNEY in full, by its number as in J12, or several; without, that of the first finding.

    Of a CONNECTION, as in C0, its first packet there, and what answers it back.
    """
    if dissect and not payload:
        raise SelectionError("--dissect shows payloads, which --no-payload forbids")
    paths, called = sorted_words(words)
    from analyzer.run import analyze_whole  # noqa: PLC0415
    from analyzer.run.called import read_which  # noqa: PLC0415

    with find(paths, host, points, unpack_limit) as prepared:
        with progress() as hears:
            trace = analyze_whole(prepared, hears.reading if hears is not None else None, asked.means(prepared))
        trace.payload = payload
        remark_damage(trace)
        chosen = [read_which(text) for text in called] or [(_first(trace), False)]
        numbers = [trace.first_journey(number) if of_connection else number for number, of_connection in chosen]
        journeys = [trace.journey(number) for number in numbers]
        if as_json:
            _print_json(trace, numbers)
        else:
            with paged() as out:
                for place, (told, (_, round_trip)) in enumerate(zip(journeys, chosen, strict=True)):
                    if place:
                        out.print()
                    _show(out, trace, told, round_trip=round_trip, dissect=dissect, explain=explain)
    if prepared.inputs.named_unusable:
        sys.exit(EXIT_UNREADABLE)


def sorted_words(words: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """
    Tell paths from what journeys and connections are called, whatever stands first; a file that is there is a path.

    Raises:
        SelectionError: there is no path.
    """
    from analyzer.run.called import CALLED  # noqa: PLC0415

    paths = [word for word in words if is_path(word)]
    called = [word for word in words if word not in paths and (paths or CALLED.fullmatch(word))]
    if called and len(called) == len(words):
        raise SelectionError(f"{called[0]} of what? Give a capture or a bundle, too: hoptrace show PATH {called[0]}")
    return tuple(word for word in words if word not in called), called


def is_path(word: str) -> bool:
    """Tell whether a word names something that can be read, here or elsewhere."""
    with suppress(OSError, ValueError):  # a name that no file can have
        return word == "-" or "://" in word or Path(word).exists()
    return False


def _first(trace: "Trace") -> int:
    """Return the journey that shows the first finding, else the first of all."""
    number = next(iter(trace.evidence), 0)
    if trace.packets:
        why = "which the first finding is about" if trace.findings else "the first one"
        remark(f"J{number}, {why}; there are J0 to J{trace.packets - 1}")
    return number


def _print_json(trace: "Trace", numbers: list[int]) -> None:
    from analyzer.report import json_report  # noqa: PLC0415

    for piece in json_report.json_lines(trace.content(numbers=sorted(set(numbers)), decisions=True)):
        sys.stdout.write(piece)


def _show(out: "Console", trace: "Trace", told: "Journey", *, round_trip: bool, dissect: bool, explain: bool) -> None:
    from analyzer.report import terminal  # noqa: PLC0415

    start = min((point.first_ns for point in trace.points if point.first_ns is not None), default=0)
    number = told.answered_by if told.answered_by is not None else told.rejected_by
    back = trace.journey(number) if number is not None else None
    both = [told, back] if back is not None else [told]
    if not explain:
        terminal.print_ladder(out, both, trace.points)
    for one in both if round_trip else both[:1]:
        if explain:
            terminal.print_lesson(out, one, trace.points)
        else:
            terminal.print_journey(out, one, start, full=True)
        if round_trip:
            out.print()
    if round_trip and back is not None:
        terminal.print_legs(out, told, back)
    if told.connection is not None:
        terminal.print_connection(out, trace.connection(told.connection))
    if dissect:
        from analyzer.run.dissected import dissected  # noqa: PLC0415

        for one in both if round_trip else both[:1]:
            for point, frame, lines in dissected(trace, one):
                terminal.print_dissection(out, point, frame, lines)
