"""What an analysis comes to: the sentence that stands first, and the numbers beside it, the same in all reports."""

from analyzer.model import Disposition, Severity
from analyzer.model.journey import BAD
from analyzer.model.words import plural
from analyzer.report.content import Content
from analyzer.report.units import moment

WORDS = {
    Disposition.DELIVERED: "delivered",
    Disposition.LEFT_HOST: "left the host",
    Disposition.REJECTED: "rejected",
    Disposition.DROPPED: "dropped",
    Disposition.LOST: "lost between points",
    Disposition.NOT_OBSERVABLE: "not observable",
}
"""How journeys end, as people are told; what is lost beyond the last point is no end that captures show."""


def answer(content: Content) -> str:
    """Say in one sentence how things are."""
    if not content.packets:
        return "There is no packet in these captures, so nothing can be said."
    if not content.picked:
        return f"None of {plural(content.packets, 'packet')} was selected."
    for severity in (Severity.ERROR, Severity.WARNING):
        found = [finding for finding in content.findings if finding.severity is severity]
        if found:
            more = f", and {plural(len(found) - 1, f'more {severity}')}" if len(found) > 1 else ""
            return f"{found[0].title}{more}."
    bad = sum(content.dispositions.get(kind, 0) for kind in BAD)
    of = plural(content.picked, "packet")
    if bad:
        return f"{bad:,} of {of} did not get through."
    blind = content.dispositions.get(Disposition.NOT_OBSERVABLE, 0)
    if blind:
        return f"What became of {blind:,} of {of} cannot be said from these captures; no loss is known."
    if content.unanswered:
        silent = f"{content.unanswered:,} of {plural(content.connection_count, 'connection')}"
        return f"No loss is known, but these captures have no answer to {silent}."
    left_out = ", of what could be read" if content.left_out else ""
    every = f"very one of {of}{left_out} went its way."
    return f"Nothing wrong is to be seen: e{every}" if content.checked else f"E{every}"


def well(content: Content) -> str | None:
    """Say what having no finding means; None where it means nothing, because nothing was to be seen."""
    if not content.packets:
        return None
    if content.dispositions.get(Disposition.NOT_OBSERVABLE):
        return "No finding: what these captures show calls for no action; much they do not show."
    return "No finding: nothing in these captures calls for action."


def counts(content: Content) -> str:
    """Count what was looked at."""
    told = (
        plural(len(content.points), "point"),
        plural(content.frames, "frame"),
        plural(content.packets, "packet"),
        plural(content.connection_count, "connection"),
    )
    return ", ".join(told)


def since(content: Content) -> str | None:
    """Say what times are relative to; None where there are none."""
    start = min((point.first_ns for point in content.points if point.first_ns is not None), default=None)
    return None if start is None else f"Times are relative to {moment(start)}."
