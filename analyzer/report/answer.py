"""What an analysis comes to: the sentence that stands first, and the numbers beside it, the same in all reports."""

from collections.abc import Sequence
from ipaddress import ip_address

from analyzer.model import Disposition, Finding, Severity
from analyzer.model.journey import BAD
from analyzer.model.words import plural
from analyzer.model.worked import Worked
from analyzer.report.content import Content
from analyzer.report.units import moment
from analyzer.report.words.sentence import several

WORDS = {
    Disposition.DELIVERED: "delivered",
    Disposition.LEFT_HOST: "left the host",
    Disposition.REJECTED: "rejected",
    Disposition.DROPPED: "dropped",
    Disposition.LOST: "lost between points",
    Disposition.NOT_OBSERVABLE: "not observable",
}
"""How journeys end, as people are told; what is lost beyond the last point is no end that captures show."""


def causes(content: Content) -> list[Finding]:
    """Return what keeps somebody from something, worst first: errors and warnings."""
    if not content.picked:
        return []
    return [one for one in content.findings if one.severity in (Severity.ERROR, Severity.WARNING)]


def answer(content: Content) -> str:
    """Say in one sentence how things are: who cannot do what, and why; else what was shown to work."""
    if not content.packets:
        return "There is no packet in these captures, so nothing can be said"
    if not content.picked:
        return f"None of {plural(content.packets, 'packet')} was selected"
    if found := causes(content):
        more = f" (and {plural(len(found) - 1, 'more cause')})" if len(found) > 1 else ""
        return f"{found[0].title}{more}"
    shown = reaches(content.worked)
    state = _state(content)
    return f"{shown}: {state}" if shown else state[0].upper() + state[1:]


def _state(content: Content) -> str:
    """Say how packets ended, where no finding speaks."""
    bad = sum(content.dispositions.get(kind, 0) for kind in BAD)
    of = plural(content.picked, "packet")
    if bad:
        return f"{bad:,} of {of} did not get through"
    blind = content.dispositions.get(Disposition.NOT_OBSERVABLE, 0)
    if blind:
        return f"what became of {blind:,} of {of} cannot be said from these captures; no loss is known"
    if content.unanswered:
        silent = f"{content.unanswered:,} of {plural(content.connection_count, 'connection')}"
        return f"no loss is known, but these captures have no answer to {silent}"
    left_out = ", of what could be read," if content.left_out else ""
    return f"{'all ' if content.picked > 1 else ''}{of}{left_out} went {'their' if content.picked > 1 else 'its'} way"


def reaches(worked: Sequence[Worked]) -> str:
    """Name who reached what, one with a name before others: ``c3 reaches 8.8.8.8:80 (TCP)``; empty if nobody did."""
    if not worked:
        return ""
    whos = list(dict.fromkeys(one.who for one in sorted(worked, key=lambda one: _is_address(one.who))))
    protocols: dict[str, list[str]] = {}
    for one in worked:
        if one.who == whos[0]:
            protocols.setdefault(one.what, []).append(one.protocol.upper().removesuffix("V6"))
    ends = [f"{what} ({', '.join(dict.fromkeys(kinds))})" for what, kinds in protocols.items()]
    others = f", and {len(whos) - 1:,} {'more get' if len(whos) > 2 else 'other gets'} answers" if len(whos) > 1 else ""
    return f"{whos[0]} reaches {several(ends)}{others}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def well(content: Content) -> str | None:
    """Say what having no finding means; None where it means nothing, because nothing was to be seen."""
    if not content.packets:
        return None
    if content.dispositions.get(Disposition.NOT_OBSERVABLE):
        return "No finding: what these captures show calls for no action; much they do not show."
    return "No finding: nothing in these captures calls for action."


def counts(content: Content) -> str:
    """Count what was looked at, or what was selected of it."""
    if content.picked < content.packets:
        connections = plural(content.connection_count, "connection")
        points = plural(len(content.points), "point")
        return f"selected: {content.picked:,} of {plural(content.packets, 'packet')}, of {connections}, at {points}"
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
