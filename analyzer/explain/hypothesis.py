"""What a hypothesis is: which trouble it explains and how sure it is, what it needs, and the function that looks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from analyzer.errors import OutputError
from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.told import PLAIN, Facts, Key, Told
from analyzer.model import Basis, Finding, Severity
from analyzer.model.finding import Explained


class Specific(IntEnum):
    """How much a hypothesis says of a packet's trouble: of two that are as sure, the one that says more is told."""

    NOTHING = 0
    """It explains no trouble: it is told beside whatever else is."""
    BEYOND = 1
    """Only that it is somewhere beyond. What tells why comes before all that tell where, however sure that is."""
    SILENCE = 2
    """Only who does not answer."""
    PLACE = 3
    """Only between which points it is."""
    KIND = 4
    """What kind of trouble it is, such as that an end refuses."""
    MECHANISM = 5
    """What makes the trouble."""
    SETTING = 6
    """The very thing that makes it: a rule, a route, an entry, a switch."""
    ROOT = 7
    """What makes such a thing act on the wrong packets: addresses that two networks have."""


@dataclass(slots=True)
class Cause:
    """One thing that would explain the trouble of some packets."""

    packets: Sequence[int]
    """Those that it is about, in order of time."""
    tell: Callable[[list[int]], Told] | None = None
    """Describes it for those of the packets that no better cause explains."""
    basis: Basis = Basis.OBSERVED
    key: Key = ()
    """What sets it apart from other causes of its hypothesis, wherever in the data its packets are."""
    counted: bool = False
    """A counter went up meanwhile that only this makes go up."""
    went: int | None = None
    """How far such a counter went up, where that supports it only if it is as many as its packets."""
    most: int | None = None
    """Of more packets than that it cannot be the cause."""
    also: Sequence[int] = ()
    """Packets whose trouble follows from it."""
    facts: Facts = field(default_factory=dict)
    """What describes it, where that is the same for all packets."""
    specific: "Specific | None" = None
    """How much it says, if that is not what its hypothesis says of itself."""
    refuted: str = ""
    """Why it is none: then it is told in what explains its packets, as ruled out."""
    why: str = ""
    """Why it is possible, for those that read of another cause; by default what the hypothesis says of itself."""

    @classmethod
    def ready(cls, told: Told, *key: str | int, counted: bool = False) -> "Cause":
        """Return one that the recorded state alone states, of no packets."""
        return cls((), lambda _: told, Basis.STATED, key, counted)

    def told(self, packets: list[int]) -> Told:
        """Describe it for some of its packets."""
        return Told(dict(self.facts)) if self.tell is None else self.tell(packets)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What a cause is about, where many of one hypothesis are told as one."""

    one: str
    """The fact that names it, and the first of the cause's key."""
    many: str
    """The fact that counts them."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible cause of trouble, or one thing worth knowing. None knows which others there are."""

    name: str
    severity: Severity
    """Of what it finds, unless that says another one."""
    needs: str
    """``captures``, and files of host dumps: those it cannot do without, then in brackets those that tell more."""
    about: str
    """When it speaks, in one sentence."""
    remedy: str
    causes: Callable[[Case], Iterable[Cause]]
    specific: Specific = Specific.NOTHING
    state: Callable[[Host], Iterable[Told]] | None = None
    """What it says of a host by itself, without captures."""
    asks: str = ""
    """What to record or to run, to tell it from other causes."""
    preview: bool = False
    """It is new, and told only to those who ask for what is."""
    complete: Callable[[Finding], Finding | None] | None = None
    """Says what only all counts together tell: how bad it is, or that it is nothing."""
    crowd: Crowd | None = None

    @property
    def explained(self) -> Explained:
        """As lists tell it."""
        return Explained(self.name, self.severity, self.needs, self.about, self.remedy, self.preview)

    def finding(self, told: Told) -> Finding:
        """Make a finding of what the recorded state alone states."""
        return Finding(
            check=self.name,
            severity=self.severity if told.severity is None else told.severity,
            basis=Basis.STATED,
            facts={name: fact for name, fact in told.facts.items() if isinstance(fact, PLAIN)},
            evidence=told.evidence,
            proof=told.proof,
            tried=told.tried or None,
            refuted=told.refuted,
            remedy=self.remedy,
        )


LONGEST_REASON = 200


def asked(hypothesis: Hypothesis, case: Case) -> tuple[list[Cause], list[Finding]]:
    """Return a hypothesis' causes; if it raises, that is what is found, and all others go on."""
    try:
        return list(hypothesis.causes(case)), []
    except (MemoryError, OutputError):
        raise
    except Exception as error:
        return [], [failed(hypothesis.name, error)]


def failed(name: str, error: Exception) -> Finding:
    """Report a mistake of hoptrace."""
    reason = f"{type(error).__name__}: {str(error)[:LONGEST_REASON]}"
    return Finding(name, Severity.WARNING, Basis.OBSERVED, {"mistake": reason})
