"""Which causes are told: the best supported of those that explain a packet's trouble; the others stand in it.

No hypothesis knows which others there are, and their order says nothing: of the causes of a packet's trouble, that one
is told which says why at all, then by basis, by a counter, by the share of the symptom that it explains, and by how
much it says. All of that is known of a packet's own symptom, so it does not matter what else is looked at with it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.errors import OutputError
from analyzer.explain import otherwise
from analyzer.explain.case import SHOWN, Case
from analyzer.explain.confirmed import Ask, confirmed
from analyzer.explain.group import NOWHERE, Group, merge, settle
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific, asked, failed
from analyzer.explain.parties import about
from analyzer.explain.told import Key, Told, in_order
from analyzer.link.sorting import changes, group_rows
from analyzer.model import Basis, Evidence, Finding
from analyzer.model.basis import SUREST
from analyzer.model.finding import Other, worst_first
from analyzer.schema import Int64

Totals = Counter[tuple[str, Key]]
"""Packets of each cause, by check and key."""


@dataclass(slots=True)
class _Rival:
    """A cause, and what became of it."""

    hypothesis: Hypothesis
    cause: Cause
    packets: Int64
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


class Asked:
    """The causes of one part of the data: asked for, and not ranked yet."""

    def __init__(self, case: Case, hypotheses: Iterable[Hypothesis]) -> None:
        """Ask all hypotheses, in any order."""
        self._case = case
        self._rivals: list[_Rival] = []
        self.failures: list[Finding] = []
        for hypothesis in hypotheses:
            causes, failures = asked(hypothesis, case)
            self.failures += failures
            self._rivals += [_Rival(hypothesis, cause, np.array(cause.packets, np.int64)) for cause in causes]
        self._rivals.sort(
            key=lambda rival: (rival.hypothesis.name, rival.packets[:1].tolist(), in_order(rival.cause.key))
        )

    def totals(self) -> Totals:
        """Count the packets of causes that a counter supports only if it counted as many."""
        found: Totals = Counter()
        for rival in self._rivals:
            if rival.cause.went is not None or rival.cause.most is not None:
                mine = int(np.count_nonzero(self._case.mine[rival.packets]))
                found[rival.hypothesis.name, rival.cause.key] += mine
        return found

    def groups(self, totals: Totals) -> list[Group]:
        """Give each packet to the best of its causes, and tell each cause of those that it has."""
        self._owner, self._order = _share_out(self._case, self._rivals, totals)
        told = (self._group(rival) for rival in self._rivals)
        return [group for group in told if group is not None]

    @property
    def waits(self) -> bool:
        """Tell whether what all parts' causes come to makes a difference here."""
        return bool(self._rivals) and any(r.cause.went is not None or r.cause.most is not None for r in self._rivals)

    def checks(self) -> Iterator[tuple[int, str]]:
        """Give the packets whose trouble is explained, by their own numbers, and by which check; likewise."""
        explained = np.flatnonzero(self._owner >= 0)
        for packet, place in zip(explained.tolist(), self._owner[explained].tolist(), strict=True):
            yield packet, self._order[place].hypothesis.name

    def check_of(self, packet: int) -> str | None:
        """Return the check that explains a packet's trouble, by the packet's own number; known after ``groups()``."""
        place = int(self._owner[packet])
        return self._order[place].hypothesis.name if place >= 0 else None

    def _group(self, rival: _Rival) -> Group | None:
        """Tell a cause; if that fails, all others are told."""
        try:
            return _group(self._case, rival)
        except (MemoryError, OutputError):
            raise
        except Exception as error:
            self.failures.append(failed(rival.hypothesis.name, error))
            return None


def explain(
    groups: Iterable[Iterable[Group]], failures: Iterable[Finding], ask: Ask | None = None
) -> tuple[Finding, ...]:
    """Make findings of what parts tell, worst first; *ask* asks a kernel."""
    found = settle(merge(groups))
    found = found if ask is None else tuple(confirmed(ask, found))
    return worst_first((*found, *failures))


def _share_out(case: Case, rivals: Sequence[_Rival], totals: Totals) -> tuple[Int64, list[_Rival]]:
    """Give each packet to the best of the causes that it is about; return which that is."""
    for rival in rivals:
        if rival.cause.most is not None and totals[rival.hypothesis.name, rival.cause.key] > rival.cause.most:
            rival.packets = rival.packets[:0]
    order = [rival for rival in rivals if rival.specific and not rival.cause.refuted]
    order.sort(key=lambda rival: _rank(rival, totals))
    owner = np.full(case.context.packets, -1, np.int64)
    for tier in sorted({_tier(rival) for rival in order}, reverse=True):
        together = [number for number, rival in enumerate(order) if _tier(rival) is tier]
        _take(case, order, together, totals, owner)
        # What only follows from a cause is its own, unless another one is about just that.
        for number in together:
            if order[number].left:
                follows = np.array(order[number].cause.also, np.int64)
                owner[follows[owner[follows] < 0]] = number
    for rival in rivals:
        if rival.cause.refuted:
            for better in np.unique(owner[rival.packets]).tolist():
                if better >= 0:
                    other = Other(rival.hypothesis.name, rival.cause.refuted)
                    order[better].refuted.setdefault(other.check, other)
    return owner, order


def _take(case: Case, order: Sequence[_Rival], together: Sequence[int], totals: Totals, owner: Int64) -> None:
    """Give causes of one tier what no better one has; where others have them, they stand in those."""
    packet = np.concatenate([order[number].packets for number in together])
    rival = np.repeat(np.array(together, np.int64), [len(order[number].packets) for number in together])
    sure = {rank: place for place, rank in enumerate(sorted({_rank(order[n], totals)[1:3] for n in together}))}
    rank = np.array([sure[_rank(order[number], totals)[1:3]] for number in together], np.int64)
    places = np.searchsorted(np.array(together, np.int64), rival)
    best = np.lexsort((rival, -_shares(case, rival, packet), rank[places], packet))
    packet, rival = packet[best], rival[best]
    wins = changes(packet) & (owner[packet] < 0)
    owner[packet[wins]] = rival[wins]
    # Of packets that a cause names twice, one is enough.
    for number, won in _by_rival(rival[wins], packet[wins]):
        order[number].left = won
    lost = owner[packet] != rival
    for number, better in sorted(set(zip(rival[lost].tolist(), owner[packet[lost]].tolist(), strict=True))):
        loser, winner = order[number], order[better]
        if loser.specific >= Specific.MECHANISM and winner.specific < Specific.ROOT:  # what it acts by is no other
            why = loser.cause.why or loser.hypothesis.about
            other = Other(loser.hypothesis.name, why, loser.hypothesis.asks or None)
            winner.others.setdefault(other.check, other)


def _by_rival(rival: Int64, packet: Int64) -> Iterable[tuple[int, list[int]]]:
    """Give the packets of each, in order of time."""
    by = np.lexsort((packet, rival))
    rival, packet = rival[by], packet[by]
    start = np.flatnonzero(changes(rival))
    return (
        zip(rival[start].tolist(), (part.tolist() for part in np.split(packet, start[1:])), strict=True)
        if len(rival)
        else ()
    )


def _shares(case: Case, rival: Int64, packet: Int64) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """(n,) Which share of each packet's symptom the rival explains: of all that ended so at its place in its stream."""
    symptom = case.symptom[packet]
    group, _ = group_rows(rival, symptom)
    mine = np.bincount(group, minlength=1)[group] if len(group) else group
    of = np.append(case.symptom_packets, 0)[symptom]
    return np.where(symptom >= 0, mine / np.maximum(of, 1), 0.0)


def _tier(rival: _Rival) -> Specific:
    """Those that say why come before those that only say where."""
    return min(rival.specific, Specific.KIND)


def _rank(rival: _Rival, totals: Totals) -> tuple[int, int, bool, int, str, object]:
    cause = rival.cause
    went = cause.went is not None and cause.went >= max(totals[rival.hypothesis.name, cause.key], 1)
    counted = cause.counted or went or rival.specific is Specific.ROOT  # what it acts by has the counter
    return (
        -_tier(rival),
        SUREST.index(cause.basis),
        not counted,
        -rival.specific,
        rival.hypothesis.name,
        in_order(cause.key),
    )


def _group(case: Case, rival: _Rival) -> Group | None:
    hypothesis, cause = rival.hypothesis, rival.cause
    about_some = rival.left if rival.specific else rival.packets.tolist()
    packets = [packet for packet in about_some if case.mine[packet]]
    if cause.refuted or (len(rival.packets) and not packets):
        return None
    told = cause.told(packets)
    shown = [one.journey for one in told.evidence if one.journey is not None]
    facts = about(case, packets)
    if cause.basis is Basis.STATED and packets and len(case.hosts.states) > 1:
        facts["host"] = case.host_of(packets[0]).name or "?"
    return Group(
        hypothesis,
        cause.key,
        first=int(case.numbers[packets[0]]) if packets else min(shown, default=NOWHERE),
        severity=hypothesis.severity if told.severity is None else told.severity,
        basis=cause.basis,
        facts=facts | told.facts,
        evidence=tuple(_weighed(case, told, packets)),
        proof=told.proof,
        moved=told.moved,
        rises=told.rises,
        tried=told.tried,
        reached=otherwise.reached(case, packets) if packets else None,
        alternatives=rival.others,
        refuted={other.check: other for other in told.refuted} | rival.refuted,
    )


def _weighed(case: Case, told: Told, packets: Sequence[int]) -> Iterable[tuple[int, Evidence]]:
    """Give the frames that show it, each with its weight: by default the number of its journey."""
    evidence = told.evidence or case.evidence(packets)
    weights = told.weights or [-1 if one.journey is None else one.journey for one in evidence]
    weighed = sorted(zip(weights, evidence, strict=True), key=lambda one: one[0])
    return weighed if len(evidence) <= SHOWN or not told.weights else weighed[:SHOWN]
