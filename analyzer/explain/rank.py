"""Which causes are told: the best supported of those that explain a packet's trouble; the others stand in it.

No hypothesis knows which others there are, and their order says nothing: causes are ranked by whether they say why at
all, by their basis, by the share of the trouble that they explain, and by how much they say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from analyzer.explain import otherwise
from analyzer.explain.case import Case
from analyzer.explain.confirmed import confirmed
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific, asked, failed
from analyzer.explain.parties import about
from analyzer.model import Basis, Finding, Severity
from analyzer.model.finding import Other, worst_first
from analyzer.schema import Array, Int64

MOST_OTHERS = 5
BASES = (Basis.CONFIRMED, Basis.STATED, Basis.OBSERVED, Basis.INFERRED)


@dataclass(slots=True)
class _Rival:
    """A cause, and what became of it."""

    hypothesis: Hypothesis
    cause: Cause
    left: list[int] = field(default_factory=list)
    """Packets that no better cause explains."""
    refuted: dict[str, Other] = field(default_factory=dict)
    """Those that would fit them, but for what refutes them."""
    others: dict[str, Other] = field(default_factory=dict)
    """Those that fit the same packets, and why."""

    @property
    def specific(self) -> Specific:
        """How much it says."""
        return self.hypothesis.specific if self.cause.specific is None else self.cause.specific


@dataclass(slots=True)
class Explanation:
    """What findings there are, and which of them explains a packet's trouble."""

    findings: tuple[Finding, ...]
    owner: Int64
    """(packets,) Place in ``checks``, -1 where nothing is wrong, or nothing explains it."""
    checks: tuple[str, ...]

    def check_of(self, packet: int) -> str | None:
        """Return the check that explains what became of a packet."""
        place = int(self.owner[packet])
        return self.checks[place] if place >= 0 else None


def explain(case: Case, hypotheses: Iterable[Hypothesis]) -> Explanation:
    """Ask all hypotheses, in any order; worst findings first."""
    found: list[Finding] = []
    rivals: list[_Rival] = []
    for hypothesis in hypotheses:
        causes, failures = asked(hypothesis, case)
        found += failures
        rivals += [_Rival(hypothesis, cause) for cause in causes]
    owner, checks = _share_out(case, rivals)
    told = [finding for rival in rivals if (finding := _finding(case, rival)) is not None]
    found += told if case.ask is None else confirmed(case.ask, told)
    return Explanation(worst_first(found), owner, checks)


def alone(hypothesis: Hypothesis, causes: Iterable[Cause]) -> list[Finding]:
    """Make findings of causes that are of no packets, and that nothing competes with."""
    return [replace(hypothesis.finding(one.told([]), one.basis), remedy=hypothesis.remedy) for one in causes]


def _share_out(case: Case, rivals: Sequence[_Rival]) -> tuple[Int64, tuple[str, ...]]:
    """Give each packet to the best of the causes that it is about; return which that is, and each one's check."""
    owner = np.full(case.context.packets, -1, np.int64)
    order = [rival for rival in rivals if rival.specific and not rival.cause.refuted]
    shares = {id(rival): _share(case, rival.cause.packets) for rival in order}
    order.sort(key=lambda rival: _rank(rival, shares[id(rival)]))
    for _, numbers in groupby(range(len(order)), key=lambda number: _tier(order[number])):
        together = list(numbers)
        for number in together:
            _take(order, number, owner)
        # What only follows from a cause is its own, unless another one is about just that.
        for number in together:
            if order[number].left:
                follows = np.array(order[number].cause.also, np.int64)
                owner[follows[owner[follows] < 0]] = number
    for rival in rivals:
        if rival.cause.refuted:
            for better in np.unique(owner[np.array(rival.cause.packets, np.int64)]).tolist():
                if better >= 0:
                    other = Other(rival.hypothesis.name, rival.cause.refuted)
                    order[better].refuted.setdefault(other.check, other)
    return owner, tuple(rival.hypothesis.name for rival in order)


def _take(order: Sequence[_Rival], number: int, owner: Int64) -> None:
    """Give a cause what is left of its packets; where others have them, it stands in those."""
    rival = order[number]
    packets = np.array(rival.cause.packets, np.int64)
    free = owner[packets] < 0
    rival.left = packets[free].tolist()
    owner[packets[free]] = number
    if rival.specific >= Specific.MECHANISM:
        for better in np.unique(owner[packets[~free]]).tolist():
            why = rival.cause.why or rival.hypothesis.about
            other = Other(rival.hypothesis.name, why, rival.hypothesis.asks or None)
            if order[better].specific < Specific.ROOT:  # what it acts by is no other cause
                order[better].others.setdefault(other.check, other)


def _tier(rival: _Rival) -> Specific:
    """Those that say why come before those that only say where."""
    return min(rival.specific, Specific.KIND)


def _rank(rival: _Rival, share: float) -> tuple[object, ...]:
    cause = rival.cause
    basis = BASES.index(cause.basis)
    first = cause.packets[0] if len(cause.packets) else -1
    counted = cause.counted or rival.specific is Specific.ROOT  # what it acts by has the counter
    return -_tier(rival), basis, not counted, -share, -rival.specific, rival.hypothesis.name, first


def _share(case: Case, packets: Sequence[int]) -> float:
    """Return which share of a trouble's packets these are: of all that ended so at their places in their streams."""
    trouble: Array = case.symptom
    mine = np.array(packets, np.int64)
    mine = mine[trouble[mine] >= 0]
    if not len(mine):
        return 0.0
    of = int(case.symptom_packets[np.unique(trouble[mine])].sum())
    return len(mine) / of


def _finding(case: Case, rival: _Rival) -> Finding | None:
    hypothesis, cause = rival.hypothesis, rival.cause
    packets = rival.left if rival.specific else list(cause.packets)
    if cause.refuted or (cause.packets and not packets):
        return None
    try:
        told = cause.told(packets)
        told.evidence = told.evidence or case.evidence(packets)
        facts = about(case, packets)
        if cause.basis is Basis.STATED and packets and len(case.hosts.states) > 1:
            facts["host"] = case.host_of(packets[0]).name or "?"
    except MemoryError:
        raise
    except Exception as error:
        return failed(hypothesis.name, error)
    found = hypothesis.finding(told, cause.basis)
    if packets and found.severity is not Severity.INFO and (names := otherwise.reached(case, packets)):
        found = replace(found, severity=Severity.INFO, facts=found.facts | {"reached": names})
    others = [other for name, other in sorted(rival.others.items()) if name != hypothesis.name]
    return replace(
        found,
        facts=facts | found.facts,
        alternatives=tuple(others[:MOST_OTHERS]),
        refuted=(*found.refuted, *(rival.refuted[name] for name in sorted(rival.refuted))),
        remedy=hypothesis.remedy,
    )
