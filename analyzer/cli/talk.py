"""How commands talk: colours, a pager, and quiet; what is told on stderr; what users of other tools are answered."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from analyzer.report.progress import Hears

QUIET, COLOUR, PAGER, VERBOSE = "analyzer.quiet", "analyzer.colour", "analyzer.pager", "analyzer.verbose"
"""Where a context keeps them."""
USUAL_WIDTH = 80
"""Of terminals that do not tell."""
LESS = "FRX"
"""Of less(1), as git has them: short text needs no keys, colours stay, and so does the text when it ends."""
HABITS = {
    "-A": "payloads: hoptrace show PATH J12 --dissect", "-X": "payloads: hoptrace show PATH J12 --dissect",
    "-xx": "payloads: hoptrace show PATH J12 --dissect", "-e": "MACs stand at every hop: hoptrace show PATH J12",
    "-w": "-o FILE writes a report (.pcapng: the frames, with comments), or hoptrace capture -o BUNDLE records",
    "-i": "hoptrace capture -i IF records at an interface", "-D": "ip -br link lists interfaces",
    "-G": "hoptrace capture -a duration:S ends in time", "-C": "hoptrace capture -a packets:N ends in time",
    "-nn": "nothing is looked up: addresses and ports are numbers", "-tttt": "hoptrace show PATH J12 has each time",
    "-T": "-o FILE: .json, .ndjson, .parquet, .pcapng, .html", "-R": "-Y EXPR selects",
}  # fmt: skip
"""What users of tcpdump and tshark type, and what does that here."""
Command = Callable[..., Any]


def talking(command: Command) -> Command:
    """Add the options that say how a command talks."""

    def keep(place: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        return lambda ctx, _parameter, value: ctx.meta.__setitem__(place, value)

    for option in (
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=keep(QUIET),
                     help="Say nothing on stderr but what fails."),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_verbosely,
                     help="Say on stderr what is read and run, and how long it took."),
        click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", expose_value=False,
                     callback=keep(COLOUR), help="Colours; auto: on a terminal.  [default: auto]"),
        click.option("--pager/--no-pager", default=True, expose_value=False, callback=keep(PAGER),
                     help="Show what is longer than the terminal in $PAGER.  [default: yes]"),
    ):  # fmt: skip
        command = option(command)
    return command


def _verbosely(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Let all that is noted be told on stderr, until the command ends."""
    ctx.meta[VERBOSE] = wanted
    if not wanted:
        return
    from analyzer.report.safe import safe  # noqa: PLC0415

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            click.echo(f"hoptrace: {safe(record.getMessage())}", err=True)

    log, told, began = logging.getLogger("analyzer"), Told(), time.monotonic()
    level = log.level
    log.addHandler(told)
    log.setLevel(logging.DEBUG)

    def end() -> None:
        log.debug("took %.1f s", time.monotonic() - began)
        log.removeHandler(told)
        log.setLevel(level)

    ctx.call_on_close(end)


def verbose() -> bool:
    """Tell whether somebody wants to know more."""
    return bool(_kept(VERBOSE, otherwise=False))


def _kept(place: str, otherwise: Any) -> Any:
    ctx = click.get_current_context(silent=True)
    return ctx.meta.get(place, otherwise) if ctx is not None else otherwise


def complain(message: str) -> None:
    """Print one harmless line on stderr."""
    from analyzer.report.safe import safe  # noqa: PLC0415

    click.echo(f"hoptrace: {safe(message)}", err=True)


def remark(message: str) -> None:
    """Print one line on stderr that is good to know."""
    if not _kept(QUIET, otherwise=False):
        complain(message)


def progress() -> "AbstractContextManager[Hears | None]":
    """Give what is to be told how far an analysis is; None if nobody would see it, or wants to."""
    from analyzer.report.progress import progress as shown  # noqa: PLC0415

    return shown(wanted=not _kept(QUIET, otherwise=False))


@contextmanager
def paged() -> "Iterator[Console]":
    """Give the terminal to print to; what is longer than it has lines is shown in a pager."""
    from analyzer.report import terminal  # noqa: PLC0415

    out = terminal.console(colour=_kept(COLOUR, "auto"))
    if not (out.is_terminal and sys.stdin.isatty() and _kept(PAGER, otherwise=True)):
        yield out
        return
    os.environ.setdefault("LESS", LESS)
    with out.pager(styles=True):
        yield out


def meant(word: str, known: list[str]) -> str:
    """Return a question after what was meant, or nothing."""
    near = get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else ""


def habit(option: str) -> str | None:
    """Return what does here what an option of tcpdump or tshark does."""
    return HABITS.get(option) or HABITS.get(option[:2] if not option.startswith("--") else "")


def no_command(name: str, commands: list[str]) -> str:
    """Say that there is no such command, and what may be meant."""
    if Path(name).exists():
        return f"No such command '{name}', but a file: hoptrace analyze {name}"
    question = meant(name, commands)
    return f"No such command '{name}'{'; ' + question if question else '.'} There are: {', '.join(sorted(commands))}"


class StatusLine:
    """A line at the end of stderr, where that is a terminal, which is written anew again and again."""

    def __init__(self) -> None:
        self.seen = sys.stderr.isatty() and not _kept(QUIET, otherwise=False)
        """Somebody sees it."""
        self._shown = False

    def __enter__(self) -> "StatusLine":
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, text: str) -> None:
        """Write it; what is wider than the terminal is cut."""
        from analyzer.report.safe import safe  # noqa: PLC0415

        with suppress(OSError):  # a terminal that is gone
            width = os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_WIDTH
            sys.stderr.write(f"\r{safe(text)[: max(width - 1, 1)]}\x1b[K")
            sys.stderr.flush()
            self._shown = True

    def say(self, message: str) -> None:
        """Write a line before it."""
        self._clear()
        complain(message)

    def _clear(self) -> None:
        if self._shown:
            with suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
            self._shown = False
