"""The terminal that reports are printed to: its colours, which mean something each, its width, and how lines break."""

import os
import sys
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


def console(*, width: int | None = None, colour: str = "auto") -> Console:
    """
    Return a console on stdout, without highlighting or markup.

    *colour* is ``always``, ``never``, or ``auto``: on a terminal, where NO_COLOR and CLICOLOR=0 do not forbid it, or
    CLICOLOR_FORCE and FORCE_COLOR demand it (https://no-color.org, https://bixense.com/clicolors).
    """
    for name in ("COLUMNS", "LINES"):
        if not os.environ.get(name, "1").isascii():
            del os.environ[name]  # rich takes every Unicode digit for a number
    never = colour == "never" or (colour == "auto" and (_is_set("NO_COLOR") or os.environ.get("CLICOLOR") == "0"))
    always = colour == "always" or (colour == "auto" and (_is_set("CLICOLOR_FORCE") or _is_set("FORCE_COLOR")))
    found = _Console(
        theme=THEME, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width,
        force_terminal=sys.stdout.isatty(), no_color=never,
        color_system="256" if always and not never else None if never else "auto",
    )  # fmt: skip
    if width is None and not found.is_terminal:
        found.width = UNKNOWN_WIDTH
    return found


def _is_set(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


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
