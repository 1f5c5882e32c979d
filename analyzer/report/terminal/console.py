"""The terminal that reports are printed to: its colours, which mean something each, its width, and how lines break."""

import os
import textwrap

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from analyzer.report.story import Line

THEME = Theme(
    {
        "id": "bold cyan",
        "summary": "bold",
        "point": "bold",
        "rule": "bright_black",
        "changed": "bold yellow",
        "step.arp": "magenta",
        "step.fdb": "blue",
        "step.macvlan": "blue",
        "step.ipvlan": "blue",
        "step.own-route": "green",
        "step.route": "green",
        "step.nat": "yellow",
        "step.tunnel": "cyan",
        "step.proxy": "yellow",
        "step.filter": "bold red",
        "good": "green",
        "bad": "bold red",
        "unsure": "yellow",
        "warn": "yellow",
        "error": "bold red",
        "warning": "yellow",
        "info": "cyan",
    },
    inherit=True,
)
PROSE_WIDTH = 100
NARROW, LEAST_WIDTH = 120, 30
"""Columns under which tables of wide cells become lines, and that text has at least."""
UNKNOWN_WIDTH = 160
"""Columns where the output is no terminal: a file or a pipe, which wrap nothing."""


class _Console(Console):
    """A console whose reader may go away, as ``head -1`` does: that is no failure."""

    def on_broken_pipe(self) -> None:
        """Let whoever runs the command decide; rich would exit with 1."""
        raise BrokenPipeError


def console(*, width: int | None = None) -> Console:
    """Return a console on stdout, without highlighting or markup; NO_COLOR is honoured."""
    for name in ("COLUMNS", "LINES"):
        if not os.environ.get(name, "1").isascii():
            del os.environ[name]  # rich takes every Unicode digit for a number
    found = _Console(theme=THEME, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)
    if width is None and not found.is_terminal:
        found.width = UNKNOWN_WIDTH
    return found


def wrapped(out: Console, text: str, indent: str = "") -> str:
    """Break a text between words where the output is a terminal; what goes to a file or a pipe stays one line."""
    if not out.is_terminal:
        return indent + text
    return textwrap.fill(
        text, min(out.width, PROSE_WIDTH), initial_indent=indent, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def styled(line: Line) -> Text:
    """Make rich's Text of a line's pieces."""
    text = Text()
    for style, piece in line:
        text.append(piece, style or None)
    return text
