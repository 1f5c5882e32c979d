"""What a cause comes to: no sentences, but all that they are made of."""

from dataclasses import dataclass, field

from analyzer.explain.tally import Tally
from analyzer.model import Evidence, Severity
from analyzer.model.finding import Fact, Other

Facts = dict[str, Fact | Tally]
PLAIN = (str, int, float, list)
"""Facts that are no tallies."""
Key = tuple[str | int | bool | None, ...]
"""What makes causes of one hypothesis in several parts of the data one cause."""


def in_order(key: Key) -> list[tuple[int, int, str]]:
    """Return what sorts keys: numbers as numbers, texts as texts."""
    return [
        (2, 0, part) if isinstance(part, str) else (0, 0, "") if part is None else (1, int(part), "") for part in key
    ]


@dataclass(frozen=True, slots=True)
class Moved:
    """A counter, and how far it went while captures ran."""

    place: str
    """Where it is: ``counter`` of a rule, or a file and a name."""
    before: int
    after: int
    shows_both: bool = False
    """Both values are told, not only their difference."""

    @property
    def went(self) -> int:
        """By how much."""
        return self.after - self.before

    def compared(self, missing: int) -> str:
        """Compare it with the number of packets that are missing."""
        if self.went < 0:
            said = "it was set back meanwhile, so it tells nothing"
        elif self.went < missing:
            said = f"{self.went}, but {missing} packets are missing: others may have another cause"
        elif self.went == missing:
            said = f"{self.went}, just the packets that are missing"
        elif self.shows_both:
            said = f"{self.went}, {missing} of them are in the captures"
        else:
            said = f"{self.went}, and {missing} packets are missing"
        if self.shows_both:
            return f"{self.place}: {self.before} before, {self.after} after: {said}"
        return f"{self.place} went up by {said}"


@dataclass(frozen=True, slots=True)
class Rise:
    """A counter that went up meanwhile, and that is named if it did by just as many as packets are missing."""

    count: int
    counter: str
    meaning: str
    helps: str


@dataclass(slots=True)
class Told:
    """Facts, and what shows them. What is no tally is the same for all packets, or that of the first one."""

    facts: Facts = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    """Empty for where the packets were seen last."""
    weights: tuple[int, ...] = ()
    """Of evidence: the least are shown; by default their journeys, so the first ones."""
    proof: tuple[str, ...] = ()
    moved: Moved | None = None
    """A counter that belongs to the proof."""
    rises: tuple[Rise, ...] = ()
    severity: Severity | None = None
    """None for the hypothesis' own."""
    tried: str | None = None
    refuted: tuple[Other, ...] = ()
