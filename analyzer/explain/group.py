"""What parts of the data tell of causes, put together: the same findings come out, however the data was cut.

A group is one cause in one part. Groups of one check and one key are one cause: numbers are added, texts and frames
are those that came first, and what is said of the first packet is said of the first of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from analyzer.explain.case import SHOWN
from analyzer.explain.hypothesis import Hypothesis
from analyzer.explain.tally import Count, Tally, Texts
from analyzer.explain.told import PLAIN, Facts, Key, Moved, Rise, in_order
from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.model.finding import Fact, Other, worst_first

FEW = 8
"""Causes of one check that differ only in whom they are about, before they are told as one."""
MOST_OTHERS = 5
NOWHERE = 1 << 62
SEVERITIES = list(Severity)


@dataclass(slots=True)
class Group:
    """One cause, in one part."""

    hypothesis: Hypothesis
    key: Key
    first: int
    """The number of the first packet that it is about, or that shows it; NOWHERE without."""
    severity: Severity
    basis: Basis
    facts: Facts
    evidence: tuple[tuple[int, Evidence], ...]
    """Frames, each with its weight: the least are shown."""
    proof: tuple[str, ...] = ()
    moved: Moved | None = None
    rises: tuple[Rise, ...] = ()
    tried: str | None = None
    reached: Texts | None = None
    """Names that were reached another way, if all that it is about were."""
    alternatives: dict[str, Other] = field(default_factory=dict)
    refuted: dict[str, Other] = field(default_factory=dict)

    def merged(self, other: "Group") -> "Group":
        """Put two of one cause together."""
        one, two = sorted((self, other), key=lambda group: group.first)
        shown = max(SHOWN, len(one.evidence), len(two.evidence))
        return replace(
            one,
            severity=min(one.severity, two.severity, key=SEVERITIES.index),
            facts=_facts(one.facts, two.facts),
            evidence=tuple(sorted(dict.fromkeys((*one.evidence, *two.evidence)), key=lambda of: of[0])[:shown]),
            reached=None if one.reached is None or two.reached is None else one.reached.merged(two.reached),
            alternatives=two.alternatives | one.alternatives,
            refuted=two.refuted | one.refuted,
        )

    def settled(self) -> Finding | None:
        """Make a finding, without sentences; None, if it is nothing."""
        known = ((name, _settled(fact)) for name, fact in self.facts.items())
        facts: dict[str, Fact] = {name: fact for name, fact in known if fact is not None}
        just = next((rise for rise in self.rises if rise.count == _packets(facts)), None)
        if just is not None:
            facts |= {"counter": just.counter, "meaning": just.meaning, "helps": just.helps}
        counted = (self.moved.compared(_packets(facts)),) if self.moved is not None else ()
        others = (other for name, other in sorted(self.alternatives.items()) if name != self.hypothesis.name)
        found: Finding | None = Finding(
            check=self.hypothesis.name,
            severity=self.severity,
            basis=self.basis,
            facts=facts,
            evidence=tuple(evidence for _, evidence in self.evidence),
            proof=(*self.proof, *counted),
            tried=self.tried or None,
            alternatives=tuple(islice(others, MOST_OTHERS)),
            refuted=tuple(self.refuted[name] for name in sorted(self.refuted)),
            remedy=self.hypothesis.remedy,
        )
        if found is not None and self.hypothesis.complete is not None:
            found = self.hypothesis.complete(found)
        if found is not None and found.severity is not Severity.INFO and self.reached is not None:
            return replace(found, severity=Severity.INFO, facts=found.facts | {"reached": self.reached.settled()})
        return found


def merge(parts: Iterable[Iterable[Group]]) -> list[Group]:
    """Put the groups of all parts together, each cause once."""
    found: dict[tuple[str, Key], Group] = {}
    for group in chain.from_iterable(parts):
        cause = group.hypothesis.name, group.key
        found[cause] = found[cause].merged(group) if cause in found else group
    return list(found.values())


def settle(groups: Iterable[Group]) -> tuple[Finding, ...]:
    """Make findings of groups that nothing is to be added to any more, worst first."""
    crowds: dict[tuple[str, Key], list[Group]] = {}
    for group in sorted(groups, key=lambda one: (one.hypothesis.name, one.first, in_order(one.key))):
        alike = group.key[1:] if group.hypothesis.crowd is not None else group.key
        crowds.setdefault((group.hypothesis.name, alike), []).append(group)
    found = (group.settled() for crowd in crowds.values() for group in _few(crowd))
    return worst_first(finding for finding in found if finding is not None)


def _few(crowd: Sequence[Group]) -> Sequence[Group]:
    """Put those together that are about too many to tell each: one line for 500 peers."""
    of = crowd[0].hypothesis.crowd
    if of is None or len(crowd) <= FEW:
        return crowd
    one = crowd[0]
    for other in crowd[1:]:
        one = one.merged(other)
    facts = {name: fact for name, fact in one.facts.items() if name != of.one}
    return [replace(one, facts=facts | {of.many: len(crowd)})]


def _facts(one: Facts, two: Facts) -> Facts:
    """Put facts together: tallies of both, and what else the first one says."""
    found: Facts = dict(one)
    for name, fact in two.items():
        mine = found.get(name)
        if not isinstance(fact, PLAIN):
            found[name] = fact if mine is None or isinstance(mine, PLAIN) else mine.merged(fact)
    return found


def _settled(fact: Fact | Tally) -> Fact | None:
    return fact if isinstance(fact, PLAIN) else fact.settled()


def _packets(facts: Mapping[str, Fact | Tally]) -> int:
    count = facts.get("packets", 0)
    return count.value if isinstance(count, Count) else count if isinstance(count, int) else 0
