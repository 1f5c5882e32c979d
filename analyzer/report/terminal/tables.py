"""What is listed in the terminal: points, losses, connections."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.model import Basis, Clock, Connection, Disposition, NatChange, Point
from analyzer.model.loss import Loss
from analyzer.model.rules import masquerades
from analyzer.model.words import plural
from analyzer.report.safe import safe
from analyzer.report.terminal.console import NARROW, wrapped
from analyzer.report.units import duration

BEYOND = "(outside)"
SHOWN_CONNECTIONS = 3
MOST_POINTS = 100
"""Points that are listed; JSON has them all."""


def print_points(out: Console, points: list[Point]) -> None:
    """Print capture points; what is the same of all stands once."""
    out.print(_points(points))
    if (cut := {point.snap_len for point in points}) and len(cut) == 1 and None not in cut:
        out.print(Text(f"every frame is cut at {cut.pop()} bytes", "dim"))


def print_losses(out: Console, losses: Sequence[Loss]) -> None:
    """Print where packets were lost."""
    out.print(Text("Losses, and what had to be sent again", "bold"))
    out.print(_losses(losses) if out.width >= NARROW else _loss_lines(out, losses))


def print_connections(out: Console, connections: list[Connection], total: int) -> None:
    """Print connections: as a table where that has room, else each in lines of its own."""
    if out.width >= NARROW:
        out.print(_connections(connections, total))
        return
    for one in connections:
        out.print(
            Text(f"C{one.id}", "id").append(f"  {one.protocol}  {_arrow(one)}  {plural(one.packets, 'packet')}", "")
        )
        out.print(
            Text(wrapped(out, f"{_translation(one) or 'not translated'} ({one.basis}{_doubt(one)})", "    "), "dim")
        )
    if len(connections) < total:
        out.print(Text(f"… {total - len(connections):,} more", "dim"))


def print_connection(out: Console, connection: Connection) -> None:
    """Print the connection that a journey belongs to."""
    out.print()
    print_connections(out, [connection], 1)
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
    return f"  (counted {before}{plural(change.rule_packets, 'connection')})"


def _losses(losses: Sequence[Loss]) -> Table:
    table = _table("last seen at", "not seen at", "fate", "packets", "resent", "connections", "cause")
    for loss in losses:
        table.add_row(
            safe(loss.last_point or BEYOND),
            safe(loss.next_point or (BEYOND if loss.disposition is Disposition.LEFT_HOST else "-")),
            loss.disposition.value,
            f"{loss.packets:,}",
            f"{loss.sent_again:,}",
            _connections_of(loss),
            loss.cause or "-",
        )
    return table


def _loss_lines(out: Console, losses: Sequence[Loss]) -> Text:
    lines = []
    for loss in losses:
        seen = f"last seen at {safe(loss.last_point or BEYOND)}"
        beyond = f", not at {safe(loss.next_point)}" if loss.next_point else ""
        of = _connections_of(loss)
        again = f", {loss.sent_again:,} sent again" if loss.sent_again else ""
        cause = f": {loss.cause}" if loss.cause else ""
        told = f"{plural(loss.packets, 'packet')} of {of} {loss.disposition.value}, {seen}{beyond}{again}{cause}"
        lines.append(wrapped(out, told, "  "))
    return Text("\n".join(lines))


def _connections_of(loss: Loss) -> str:
    named = ", ".join(f"C{one.connection}" for one in loss.most[:SHOWN_CONNECTIONS])
    return named + (" …" if loss.connections > SHOWN_CONNECTIONS else "")


def _arrow(connection: Connection) -> str:
    return str(connection.original).replace("->", "→")


def _translation(connection: Connection) -> str:
    """Say what was translated, and who relays."""
    told = [
        f"{'MASQUERADE' if masquerades(change.rule) else change.kind} {change.before} → {change.after}"
        for change in connection.nat
    ]
    for other, way in ((connection.relayed_to, "relayed to"), (connection.relayed_from, "relayed from")):
        if other is not None:
            told.append(f"{way} C{other}")
    return "; ".join(told)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        right = column in ("frames", "packets", "resent")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _points(points: list[Point]) -> Table:
    table = _table("point", "role", "container", "network", "frames", "from", "to", "notes")
    start = min((p.first_ns for p in points if p.first_ns is not None), default=0)
    alike = len({point.snap_len for point in points}) == 1
    for point in points[:MOST_POINTS]:
        notes = []
        if point.snap_len is not None and not alike:
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
        nat = _translation(connection)
        table.add_row(
            Text(f"C{connection.id}", "id"),
            connection.protocol,
            _arrow(connection),
            str(connection.reply).replace("->", "→"),
            Text(nat or "none", "changed" if nat else "dim"),
            f"{connection.packets:,}",
            connection.basis + _doubt(connection),
        )
    if len(connections) < total:
        table.add_row(f"… {total - len(connections):,} more")
    return table
