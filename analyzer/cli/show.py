"""The command that tells one journey, or one connection's round trip, in full."""

import sys
from typing import TYPE_CHECKING

import click

from analyzer.cli.analyze import complain_of_damage, explain_option
from analyzer.cli.base import EXIT_UNREADABLE, find, input_options
from analyzer.cli.memory import Asked, memory_options
from analyzer.errors import SelectionError

if TYPE_CHECKING:
    from analyzer.model import Journey
    from analyzer.run import Trace

MOST_DIGITS = 19
"""Of a journey's number; more do not fit into 64 bits."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.argument("which", metavar="JOURNEY|CONNECTION")
@input_options
@click.option("--dissect", is_flag=True, help="Dissect its frames with tshark.")
@explain_option
@memory_options
def show(
    paths: tuple[str, ...],
    which: str,
    host: str | None,
    unpack_limit: int | None,
    points: tuple[str, ...],
    dissect: bool,
    explain: bool,
    asked: Asked,
) -> None:
    """
    Show one JOURNEY in full, by its number as in J12.

    Of a CONNECTION, as in C0, its first packet there, and what answers it back.
    """
    number, of_connection = read_which(which)
    from analyzer.report.progress import progress  # noqa: PLC0415

    with find(paths, host, points, unpack_limit) as prepared, progress() as hears:
        from analyzer.run import analyze_whole  # noqa: PLC0415

        trace = analyze_whole(prepared, hears.reading if hears is not None else None, asked.means(prepared))
        complain_of_damage(trace)
        there = trace.journey(trace.first_journey(number) if of_connection else number)
        _show(trace, there, round_trip=of_connection, dissect=dissect, explain=explain)
    if prepared.inputs.named_unusable:
        sys.exit(EXIT_UNREADABLE)


def read_which(text: str) -> tuple[int, bool]:
    """
    Read a journey's number, as in J12, or a connection's, as in C0; tell whether it is a connection's.

    Raises:
        SelectionError: it is neither.
    """
    if text[:1] in ("C", "c"):
        return _number(text[1:], f"{text}: not a connection; they are called C0, C1, ..."), True
    return read_journey(text), False


def read_journey(text: str) -> int:
    """
    Read a journey's number.

    Raises:
        SelectionError: it is none.
    """
    digits = text.removeprefix("J").removeprefix("j")
    return _number(digits, f"{text}: not a journey; they are called J0, J1, ...")


def _number(digits: str, otherwise: str) -> int:
    if not (digits.isascii() and digits.isdecimal() and len(digits) < MOST_DIGITS):
        raise SelectionError(otherwise)
    return int(digits)


def _show(trace: "Trace", told: "Journey", *, round_trip: bool, dissect: bool, explain: bool) -> None:
    from analyzer.report import terminal  # noqa: PLC0415

    out = terminal.console()
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
        for one in both if round_trip else both[:1]:
            for point, frame, lines in trace.dissected(one):
                terminal.print_dissection(out, point, frame, lines)
