"""Counterfactuals: changes are made to the recorded state until the same packet passes, and its answer."""

from collections.abc import Sequence

from analyzer.explain.case import Case
from analyzer.explain.confirmed import Change, helped
from analyzer.explain.edits import Fix
from analyzer.explain.fixes import fix
from analyzer.explain.told import Told
from analyzer.model import HostState
from analyzer.packet.stops import Cause, Passed
from analyzer.packet.text import summary

MOST_CHANGES = 5
HELPS, NOT_ENOUGH, UNDECIDED = "helps", "not-enough", "undecided"
"""Outcomes of trying: the packet passes; something stops it all the same; the recorded state does not decide."""


def tried(case: Case, packet: int, change: Change, *, whole_way: bool = False, translated: bool = False) -> str | None:
    """
    Say what becomes of a packet after a change; None if it is stopped all the same, empty if that cannot be told.

    It goes on from where it was seen last, or *whole_way* from where it was seen first; with *translated* it only
    counts if it leaves with another source.
    """
    rows = case.context.rows_of(packet)
    rows = rows[:1] if whole_way else rows
    after = case.tracer.prover.tried(change(case.host_of(packet)), packet, rows)
    if isinstance(after, Cause) and after.unknown:
        return ""
    if not isinstance(after, Passed) or not (after.source_moved or not translated):
        return None
    return helped(case, packet, change, f"{summary(case.context, rows)} is then {after.text}")


def outcome(helps: str | None) -> str:
    """Name what ``tried()`` came to."""
    return NOT_ENOUGH if helps is None else HELPS if helps else UNDECIDED


def offered(fixes: Sequence[Fix], helps: str | None) -> Told:
    """Return changes that were tried, as facts."""
    return Told({"commands": [fix.command for fix in fixes], "outcome": outcome(helps)}, tried=helps)


def unblocked(case: Case, packet: int, first: Fix) -> Told:
    """
    Make changes, the first one and what else it takes, until a packet passes: one answer names all that block it.

    What stops it next is changed, too, if there is a change for that.
    """
    fixes = [first]
    while len(fixes) < MOST_CHANGES:
        stopped, of_answer = _next(case, packet, _all(fixes)(case.host_of(packet)))
        following = fix(case, packet, stopped, of_answer=of_answer) if stopped is not None else None
        if following is None or following.command in {one.command for one in fixes}:
            break
        fixes.append(following)
    helps = tried(case, packet, _all(fixes))
    stopped, of_answer = _next(case, packet, _all(fixes)(case.host_of(packet)))
    if stopped is not None and of_answer:
        helps = None
    return offered(fixes if helps else fixes[:1], helps)


def _next(case: Case, packet: int, host: HostState) -> tuple[Cause | None, bool]:
    """Return what stops a packet in a state, else what stops its answer, and whether that is it."""
    rows, prover = case.context.rows_of(packet), case.tracer.prover
    after = prover.tried(host, packet, rows)
    of_answer = isinstance(after, Passed)
    if of_answer:
        after = prover.way_back(host, packet, rows)
    return after if isinstance(after, Cause) and not after.unknown else None, of_answer


def answered(case: Case, packet: int, first: Fix) -> Told:
    """Make a change and see whether the host's answer to a packet then passes."""
    rows = case.context.rows_of(packet)
    stopped = case.tracer.prover.answer(packet, rows, first.change(case.host_of(packet)))
    helps = f"the answer to {summary(case.context, rows)} is then stopped by no rule" if stopped is None else None
    return offered([first], helps)


def _all(fixes: Sequence[Fix]) -> Change:
    def change(host: HostState) -> HostState:
        for one in fixes:
            host = one.change(host)
        return host

    return change
