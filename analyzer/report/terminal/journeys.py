"""Journeys in the terminal: told hop by hop, in prose, or dissected."""

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from analyzer.model import Journey, Point
from analyzer.report.lesson import lesson
from analyzer.report.safe import safe
from analyzer.report.story import legs, tell, title
from analyzer.report.terminal.console import LEAST_WIDTH, PROSE_WIDTH, styled, wrapped

UNDER = "    │     "
"""What stands before the rest of a line that was broken."""


def print_journey(out: Console, journey: Journey, start_ns: int, *, full: bool = False) -> None:
    """Print one journey; on a terminal, lines break between words."""
    for line in tell(journey, start_ns, full=full):
        text = styled(line)
        if not out.is_terminal:
            out.print(text)
            continue
        first, *rest = text.wrap(out, max(out.width - len(UNDER), LEAST_WIDTH))
        out.print(first)
        for more in rest:
            ends = text.plain.startswith("    ╰")
            under = UNDER.replace("│", " ") if ends else UNDER if text.plain.startswith("    ") else "    "
            out.print(Text(under, "dim").append_text(more))


def print_lesson(out: Console, journey: Journey, points: Sequence[Point]) -> None:
    """Print one journey in prose."""
    out.print(styled(title(journey)))
    for number, sentence in enumerate(lesson(journey, {point.name: point for point in points}), start=1):
        head = f"{number:>4}. "
        text = textwrap.fill(safe(sentence), PROSE_WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
        out.print(Text(text))


def print_legs(out: Console, there: Journey, back: Journey) -> None:
    """Print what each leg of a round trip took."""
    out.print(Text(wrapped(out, safe(legs(there, back))), "summary"))


def print_dissection(out: Console, point: str, frame: int, lines: list[str]) -> None:
    """Print what tshark says of one frame."""
    out.print()
    out.print(Text(f"{safe(point)} frame {frame}", "point"))
    for line in lines:
        out.print(Text(f"  {safe(line)}", "" if line.startswith(" ") else "id"))
