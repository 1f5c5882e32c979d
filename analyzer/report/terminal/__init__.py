"""The report for a terminal: what is wrong and what helps, then points, losses, connections, journeys."""

from rich.console import Console
from rich.text import Text

from analyzer.model import Disposition
from analyzer.model.words import plural
from analyzer.report.answer import WORDS, answer, counts, since
from analyzer.report.content import Content
from analyzer.report.safe import safe
from analyzer.report.terminal.console import console, wrapped
from analyzer.report.terminal.findings import print_checks, print_doctor, print_finding, print_rows
from analyzer.report.terminal.journeys import print_dissection, print_journey, print_legs, print_lesson
from analyzer.report.terminal.ladder import print_ladder
from analyzer.report.terminal.tables import print_connection, print_connections, print_losses, print_points

__all__ = [
    "console", "print_checks", "print_connection", "print_dissection", "print_doctor", "print_journey", "print_ladder",
    "print_legs", "print_lesson", "print_report", "print_rows",
]  # fmt: skip


def print_report(out: Console, content: Content, *, explain: bool = False) -> None:
    """Print the whole report, what matters most first; *explain* tells journeys in prose."""
    start = min((p.first_ns for p in content.points if p.first_ns is not None), default=0)
    out.print(Text(wrapped(out, safe(answer(content))), "bold"))
    if content.packets and not content.picked:
        return
    out.print(Text(wrapped(out, _headline(content)), "dim"))
    if (relative := since(content)) is not None:
        out.print(Text(relative, "dim"))
    for finding in content.findings:
        print_finding(out, finding)
    out.print()
    print_points(out, content.points)
    for problem in content.left_out:
        out.print(Text(wrapped(out, f"left out: {safe(problem)}"), "warning"))
    for problem in content.host_problems:
        out.print(Text(wrapped(out, f"host state: {safe(problem)}"), "warning"))
    out.print()
    if content.losses:
        print_losses(out, content.losses)
        out.print()
    connections = list(content.connections)
    if connections:
        print_connections(out, connections, content.connection_count)
    stories = content.stories if not explain and not out.is_terminal and out.color_system is None else None
    for text in stories(start) if stories is not None else ():
        out.file.write(f"\n{text}")
    for journey in content.journeys if stories is None else ():
        out.print()
        if explain:
            print_lesson(out, journey, content.points)
        else:
            print_journey(out, journey, start)
    left = content.picked - content.shown
    if left:
        out.print()
        out.print(Text(f"{plural(left, 'more journey')}: --journeys N shows N, `hoptrace show` shows one.", "dim"))


def _headline(content: Content) -> str:
    verdicts = [
        f"{content.dispositions[kind]:,} {WORDS[kind]}" for kind in Disposition if content.dispositions.get(kind)
    ]
    return counts(content) + (": " + ", ".join(verdicts) if verdicts else "")
