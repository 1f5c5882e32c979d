"""An analysis in short: a line for a prompt, and a cell for a notebook."""

import io
from html import escape
from typing import TYPE_CHECKING

from analyzer.model.words import plural

if TYPE_CHECKING:
    from analyzer.run.trace import Trace

WIDTH = 120
FINDINGS = 5
STYLE = "white-space:pre-wrap;line-height:1.35;font-size:12px;font-family:ui-monospace,Menlo,Consolas,monospace"


def in_short(trace: "Trace") -> str:
    """Say what was captured, without looking into it."""
    name = ", ".join(trace.named[:3]) + (", ..." if len(trace.named) > 3 else "")
    counts = (
        plural(len(trace.points), "point"), plural(trace.tables.rows, "frame"), plural(len(trace), "journey"),
        plural(len(trace.connections), "connection"),
    )  # fmt: skip
    return f"<Trace of {name}: {', '.join(counts)}>"


def as_html(trace: "Trace") -> str:
    """Show the sentence, what is wrong and what helps, and the ladder of the first finding's journey."""
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from analyzer.report.answer import answer, counts  # noqa: PLC0415
    from analyzer.report.safe import safe  # noqa: PLC0415
    from analyzer.report.terminal import print_ladder  # noqa: PLC0415
    from analyzer.report.terminal.console import THEME  # noqa: PLC0415
    from analyzer.report.terminal.findings import print_finding  # noqa: PLC0415

    content = trace.content(journeys=0)
    out = Console(
        file=io.StringIO(), record=True, width=WIDTH, theme=THEME, force_terminal=True, color_system="truecolor",
        highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    out.print(Text(safe(answer(content)), "bold"))
    out.print(Text(counts(content), "dim"))
    for finding in content.findings[:FINDINGS]:
        print_finding(out, finding)
    if (left := len(content.findings) - FINDINGS) > 0:
        out.print(Text(plural(left, "more finding"), "dim"))
    number = _worth(trace)
    if number is not None:
        told = trace.journey(number)
        back = told.answered_by if told.answered_by is not None else told.rejected_by
        out.print()
        print_ladder(out, [told, trace.journey(back)] if back is not None else [told], trace.points)
    code = out.export_html(inline_styles=True, code_format="{code}")
    return f'<pre style="{escape(STYLE)}">{code}</pre>'


def _worth(trace: "Trace") -> int | None:
    """Return the journey that shows the first finding, else that of the first connection, else the first."""
    within = set(trace.numbers)
    firsts = trace.correlated.first_packets.tolist()
    return next((one for one in (*trace.evidence, *firsts, *sorted(within)[:1]) if one in within), None)
