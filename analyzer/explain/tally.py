"""Facts that grow with packets, so counted that parts of the data can be told one by one, and put together later.

Whatever else a cause states is the same for all its packets, or is said of the first of them.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np

from analyzer.model.finding import Fact
from analyzer.schema import Int64

MOST_TEXTS = 1_000
"""Different texts that are kept; nobody reads more."""
MOST_COUNTED = 10_000
"""Different things that are kept, to count each once."""
STEPS = 64
"""Steps of a histogram in each doubling: its median is right to one in a hundred."""


class Tally(Protocol):
    """A fact of one part; several of them become one, in any order."""

    def merged(self, other: Self) -> Self:
        """Put two together."""
        ...

    def settled(self) -> Fact | None:
        """Return what a sentence tells; None for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Count:
    """How many."""

    value: int

    def merged(self, other: "Count") -> "Count":
        """Add both."""
        return Count(self.value + other.value)

    def settled(self) -> Fact:
        """Return the number."""
        return self.value


@dataclass(frozen=True, slots=True)
class Among:
    """How many there are of something, and beside it; where there is nothing of it, nothing is told."""

    value: int
    beside: int

    def merged(self, other: "Among") -> "Among":
        """Add both."""
        return Among(self.value + other.value, self.beside + other.beside)

    def settled(self) -> Fact | None:
        """Return the sum."""
        return self.value + self.beside if self.value else None


@dataclass(frozen=True, slots=True)
class CountOf:
    """How many there are of things that parts may have in common, or how much they come to."""

    of: frozenset[Hashable]
    """What is counted; where there are too many of them, none, and what parts have in common counts twice."""
    value: int
    beyond: int = 0
    """What is told is how many more than these."""

    @classmethod
    def each(cls, of: Iterable[Hashable], beyond: int = 0) -> "CountOf":
        """Count things."""
        found = frozenset(of)
        return cls(found if len(found) <= MOST_COUNTED else frozenset(), len(found), beyond)

    def merged(self, other: "CountOf") -> "CountOf":
        """Add both, but for what they have in common."""
        known = self.of and other.of and len(self.of) + len(other.of) <= MOST_COUNTED
        both = self.of | other.of if known else frozenset()
        return CountOf(both, self.value + other.value - (len(self.of & other.of) if known else 0), self.beyond)

    def settled(self) -> Fact:
        """Return the number."""
        return max(self.value - self.beyond, 0)


@dataclass(frozen=True, slots=True)
class Most:
    """The largest of numbers; of truths, whether any holds."""

    value: int | float | bool

    def merged(self, other: "Most") -> "Most":
        """Take the larger one."""
        return max(self, other, key=lambda one: one.value)

    def settled(self) -> Fact:
        """Return the number."""
        return self.value


@dataclass(frozen=True, slots=True)
class Least:
    """The least of numbers; of truths, whether all hold."""

    value: int | float | bool

    def merged(self, other: "Least") -> "Least":
        """Take the smaller one."""
        return min(self, other, key=lambda one: one.value)

    def settled(self) -> Fact:
        """Return the number."""
        return self.value


@dataclass(frozen=True, slots=True)
class First:
    """What is said of the first packet of which it can be said."""

    value: Fact
    number: int

    def merged(self, other: "First") -> "First":
        """Take that of the earlier packet."""
        return min(self, other, key=lambda one: one.number)

    def settled(self) -> Fact:
        """Return it."""
        return self.value


@dataclass(frozen=True, slots=True)
class Texts:
    """Different texts, in the order in which they came first."""

    first: Mapping[str, int]
    """The number of the packet that each came first with."""
    most: int = MOST_TEXTS
    """Texts that are kept, the first ones."""
    services: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of containers that are told as one, if all of a service's are among the texts."""

    @classmethod
    def of(
        cls,
        texts: Iterable[tuple[str, int]],
        most: int = MOST_TEXTS,
        services: Mapping[str, frozenset[str]] | None = None,
    ) -> "Texts":
        """Take texts, each with the number of its packet."""
        first: dict[str, int] = {}
        for text, number in texts:
            first[text] = min(number, first.get(text, number))
        kept = sorted(first, key=lambda text: (first[text], text))[:most]
        return cls({text: first[text] for text in kept}, most, services or {})

    def merged(self, other: "Texts") -> "Texts":
        """Take the texts of both."""
        return Texts.of([*self.first.items(), *other.first.items()], self.most, self.services)

    def settled(self) -> Fact:
        """Return the texts."""
        found = sorted(self.first, key=lambda text: (self.first[text], text))
        for service, members in self.services.items():
            if members <= set(found):
                first = min(map(found.index, members))
                found = [text for place, text in enumerate(found) if text not in members or place == first]
                found[first] = f"service {service}, {len(members)} containers"
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, ns; told is how long that is, in seconds."""

    first_ns: int
    last_ns: int

    def merged(self, other: "Span") -> "Span":
        """Cover both."""
        return Span(min(self.first_ns, other.first_ns), max(self.last_ns, other.last_ns))

    def settled(self) -> Fact:
        """Return the length."""
        return (self.last_ns - self.first_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Median:
    """A histogram of long times, ns, in steps of a 64th of each doubling; told is the median of all, in ms."""

    counts: Mapping[int, int]
    shorter: int
    """How many were not long."""

    @classmethod
    def of(cls, long_ns: Int64, shorter: int) -> "Median":
        """Count times, and how many shorter ones there were."""
        steps = np.floor(np.log2(np.maximum(long_ns, 1)) * STEPS).astype(np.int64)
        values, counts = np.unique(steps, return_counts=True)
        return cls(dict(zip(values.tolist(), counts.tolist(), strict=True)), shorter)

    def merged(self, other: "Median") -> "Median":
        """Add both."""
        steps = self.counts.keys() | other.counts.keys()
        counts = {step: self.counts.get(step, 0) + other.counts.get(step, 0) for step in steps}
        return Median(counts, self.shorter + other.shorter)

    def settled(self) -> Fact:
        """Return the time that half of all take, or longer; 0 if it is not among the long ones."""
        left = (sum(self.counts.values()) + self.shorter) // 2 + 1 - self.shorter
        for step in sorted(self.counts) if left > 0 else ():
            left -= self.counts[step]
            if left <= 0:
                return float(2 ** (step / STEPS)) / 1e6
        return 0.0
