"""The report for a terminal: summary, points, findings, connections with their NAT, then journeys."""

import os
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from analyzer.model import Basis, Clock, Connection, Disposition, Evidence, Finding, Journey, NatChange, Point
from analyzer.model.finding import Explained
from analyzer.model.loss import Loss
from analyzer.model.words import plural
from analyzer.report.answer import WORDS, answer, counts, since
from analyzer.report.content import Content
from analyzer.report.lesson import lesson
from analyzer.report.safe import safe
from analyzer.report.story import Line, tell, title
from analyzer.report.units import duration

THEME = Theme(
    {
        "id": "bold cyan",
        "summary": "bold",
        "point": "bold",
        "rule": "bright_black",
        "changed": "bold yellow",
        "step.arp": "magenta",
        "step.fdb": "blue",
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
BEYOND = "(outside)"
SHOWN_CONNECTIONS = 3
MOST_POINTS = 100
"""Points that are listed; JSON has them all."""
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


def print_report(out: Console, content: Content, *, explain: bool = False) -> None:
    """Print the whole report; *explain* tells journeys in prose."""
    start = min((p.first_ns for p in content.points if p.first_ns is not None), default=0)
    out.print(_headline(content))
    if (relative := since(content)) is not None:
        out.print(Text(relative, "dim"))
    out.print(_points(content.points))
    for problem in content.left_out:
        out.print(Text(f"left out: {safe(problem)}", "warning"))
    for problem in content.host_problems:
        out.print(Text(f"host state: {safe(problem)}", "warning"))
    for finding in content.findings:
        print_finding(out, finding)
    if not content.findings:
        out.print(Text(safe(answer(content)), "bold"))
    out.print()
    if content.losses:
        out.print(Text("Losses, and what had to be sent again", "bold"))
        out.print(_losses(content.losses))
        out.print()
    connections = list(content.connections)
    if connections:
        out.print(_connections(connections, content.connection_count))
    for journey in content.journeys:
        out.print()
        if explain:
            print_lesson(out, journey, content.points)
        else:
            print_journey(out, journey, start)
    left = content.picked - content.shown
    if content.picked < content.packets:
        out.print()
        out.print(Text(f"{plural(content.picked, 'journey')} of {content.packets:,} selected.", "dim"))
    if left:
        out.print()
        out.print(Text(f"{plural(left, 'more journey')}: --journeys N shows N, `hoptrace show` shows one.", "dim"))


def _losses(losses: Sequence[Loss]) -> Table:
    table = _table("last seen at", "not seen at", "fate", "packets", "resent", "connections", "cause")
    for loss in losses:
        table.add_row(
            safe(loss.last_point or BEYOND),
            safe(loss.next_point or (BEYOND if loss.disposition is Disposition.LEFT_HOST else "-")),
            loss.disposition.value,
            f"{loss.packets:,}",
            f"{loss.sent_again:,}",
            ", ".join(f"C{one.connection}" for one in loss.most[:SHOWN_CONNECTIONS])
            + (" …" if loss.connections > SHOWN_CONNECTIONS else ""),
            loss.cause or "-",
        )
    return table


def print_journey(out: Console, journey: Journey, start_ns: int, *, full: bool = False) -> None:
    """Print one journey."""
    for line in tell(journey, start_ns, full=full):
        out.print(styled(line))


def print_lesson(out: Console, journey: Journey, points: Sequence[Point]) -> None:
    """Print one journey in prose."""
    out.print(styled(title(journey)))
    for number, sentence in enumerate(lesson(journey, {point.name: point for point in points}), start=1):
        head = f"{number:>4}. "
        text = textwrap.fill(safe(sentence), PROSE_WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
        out.print(Text(text))


def print_connection(out: Console, connection: Connection) -> None:
    """Print the connection that a journey belongs to."""
    out.print()
    out.print(_connections([connection], 1))
    for change in connection.nat:
        if change.rule is not None:
            out.print(Text(f"{change.kind} by rule: {safe(change.rule)}{_counted(change)}", "dim"))
    if connection.published is not None:
        out.print(Text(f"published port: {safe(connection.published)}", "dim"))
    if connection.conntrack_id is not None:
        state = f", {connection.conntrack_state}" if connection.conntrack_state else ""
        left = f", {connection.conntrack_timeout_s} s left" if connection.conntrack_timeout_s is not None else ""
        out.print(Text(f"conntrack entry id={connection.conntrack_id}{safe(state)}{left}", "dim"))


def _counted(change: NatChange) -> str:
    if change.rule_packets is None:
        return ""
    before = f"{change.rule_packets_before:,} → " if change.rule_packets_before is not None else ""
    return f"  (counted {before}{change.rule_packets:,} connections)"


def print_dissection(out: Console, point: str, frame: int, lines: list[str]) -> None:
    """Print what tshark says of one frame."""
    out.print()
    out.print(Text(f"{safe(point)} frame {frame}", "point"))
    for line in lines:
        out.print(Text(f"  {safe(line)}", "" if line.startswith(" ") else "id"))


def styled(line: Line) -> Text:
    """Make rich's Text of a line's pieces."""
    text = Text()
    for style, piece in line:
        text.append(piece, style or None)
    return text


def _evidence(one: Evidence) -> str:
    return f"{one} (J{one.journey})" if one.journey is not None else str(one)


def _more(finding: Finding) -> str:
    """Say how many packets there are beside those that are shown."""
    packets = finding.facts.get("packets", 0)
    shown = sum(one.journey is not None for one in finding.evidence)
    left = packets - shown if isinstance(packets, int) and shown else 0
    return f" and {left:,} more" if left > 0 else ""


def print_finding(out: Console, finding: Finding) -> None:
    """Print one finding."""
    text = Text("\n")
    text.append(f"{finding.severity}: ", finding.severity.value)
    text.append(safe(finding.title), "bold")
    text.append(f"  ({finding.check}, {finding.basis})\n", "dim")
    if finding.detail != finding.title:
        text.append(f"  {safe(finding.detail)}.\n")
    if finding.explanation:
        text.append(f"  {safe(finding.explanation)}\n")
    frames = ", ".join(map(_evidence, finding.evidence)) + _more(finding)
    if frames:
        text.append(f"  Evidence: {safe(frames)}\n", "dim")
    for line in finding.proof:
        text.append(f"  {safe(line)}\n", "dim")
    text.append(f"  Remedy: {safe(finding.remedy)}")
    for command in finding.commands:
        text.append(f"\n    {safe(command)}")
    if finding.tried is not None:
        text.append(f"\n  Tried on the recorded state: {safe(finding.tried)}", "dim")
    for head, others in (("Also possible", finding.alternatives), ("Ruled out", finding.refuted)):
        for other in others:
            asks = f" To tell: {safe(other.asks)}." if other.asks else ""
            text.append(f"\n  {head}: {other.check}: {safe(other.why)}{asks}", "dim")
    out.print(text)


def print_checks(out: Console, checks: Sequence[Explained]) -> None:
    """List checks."""
    for check in checks:
        text = Text(check.name, "bold")
        text.append("  ")
        text.append(check.severity.value, check.severity.value)
        if check.preview:
            text.append("  preview", "dim")
        text.append(f"\n  {check.about}\n  Needs: {check.needs}\n  Remedy: {check.remedy}\n")
        out.print(text)
    out.print(Text(plural(len(checks), "check"), "dim"))


def print_doctor(out: Console, host: str, findings: Sequence[Finding], problems: Sequence[str]) -> None:
    """Print what is wrong with a host, or that nothing was found."""
    for problem in problems:
        out.print(Text(f"not known: {safe(problem)}", "dim"))
    for finding in findings:
        print_finding(out, finding)
    count = plural(len(findings), "finding")
    nothing = "nothing wrong was found" + (" in what could be read" if problems else "")
    out.print(Text(f"\n{safe(host)}: {count if findings else nothing}", "bold"))


def print_rows(out: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print names with what they are."""
    out.print(Text(title, "bold"))
    for name, meaning in rows:
        out.print(Text(f"  {name}: ", "bold").append(meaning, "not bold"))
    out.print()


def _headline(content: Content) -> Text:
    text = Text()
    text.append(counts(content), "bold")
    verdicts = [
        f"{content.dispositions[kind]:,} {WORDS[kind]}" for kind in Disposition if content.dispositions.get(kind)
    ]
    if verdicts:
        text.append(": " + ", ".join(verdicts))
    return text


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        right = column in ("frames", "packets", "resent")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _points(points: list[Point]) -> Table:
    table = _table("point", "role", "container", "network", "frames", "from", "to", "notes")
    start = min((p.first_ns for p in points if p.first_ns is not None), default=0)
    for point in points[:MOST_POINTS]:
        notes = []
        if point.snap_len is not None:
            notes.append(f"cut at {point.snap_len} bytes")
        if point.dropped:
            notes.append(f"{point.dropped} dropped")
        if point.uncounted:
            notes.append("no closing counts")
        if point.unseen is not None:
            notes.append(f"not {point.unseen}")
        if point.pieces is not None:
            notes.append(f"{len(point.pieces)} files")
        if point.ended is not None:
            notes.append(f"ended: {point.ended}")
        if point.host is not None:
            notes.append(f"host {point.host}{_clock(point.clock)}")
        doubt = "" if point.role_basis is Basis.STATED else "?"
        first = f"+{duration(point.first_ns - start)}" if point.first_ns is not None else "-"
        last = f"+{duration(point.last_ns - start)}" if point.last_ns is not None else "-"
        table.add_row(
            Text(safe(point.name), "point"),
            f"{point.role}{doubt}",
            safe(point.container or ""),
            safe(point.network or ""),
            f"{point.frames:,}",
            first,
            last,
            safe(", ".join(notes)),
        )
    if len(points) > MOST_POINTS:
        table.add_row(f"… {len(points) - MOST_POINTS:,} more")
    return table


def _clock(clock: Clock | None) -> str:
    if clock is None:
        return ""
    side = "ahead" if clock.offset_ns >= 0 else "behind"
    doubt = f"± {duration(clock.uncertainty_ns)}" if clock.uncertainty_ns is not None else "at least"
    doubt = "roughly" if clock.rough else doubt
    drift = f", {clock.drift_ppb / 1000:+.1f} ppm" if clock.drift_ppb else ""
    return f", its clock {duration(abs(clock.offset_ns))} {side} ({doubt}{drift})"


def _doubt(connection: Connection) -> str:
    if not connection.ambiguous:
        return ""
    others = ", ".join(f"C{other}" for other in connection.candidates or ())
    return f", ambiguous with {others}" if others else ", ambiguous"


def _connections(connections: list[Connection], total: int) -> Table:
    table = _table("connection", "protocol", "original", "reply", "translation", "packets", "basis")
    for connection in connections:
        nat = "; ".join(
            f"{'MASQUERADE' if change.rule and 'MASQUERADE' in change.rule else change.kind} "
            f"{change.before} → {change.after}"
            for change in connection.nat
        )
        for other, way in ((connection.relayed_to, "relayed to"), (connection.relayed_from, "relayed from")):
            if other is not None:
                nat = "; ".join(filter(None, (nat, f"{way} C{other}")))
        table.add_row(
            Text(f"C{connection.id}", "id"),
            connection.protocol,
            str(connection.original).replace("->", "→"),
            str(connection.reply).replace("->", "→"),
            Text(nat or "none", "changed" if nat else "dim"),
            f"{connection.packets:,}",
            connection.basis + _doubt(connection),
        )
    if len(connections) < total:
        table.add_row(f"… {total - len(connections):,} more")
    return table
