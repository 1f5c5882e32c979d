"""What a person should act on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from analyzer.model.basis import SUREST, Basis


class Severity(StrEnum):
    """How bad: traffic dies, traffic suffers or the result is weaker, good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Symptom(StrEnum):
    """What is wrong with a packet; of several, the one that says most of where."""

    NOTHING = "nothing"
    STOPPED = "stopped"
    """The recorded state of the host stops it, or the host's answer to it; or the kernel says so."""
    REJECTED = "rejected"
    """An ICMP error is about it, or a RST answers it."""
    LOST_INSIDE = "lost-inside"
    """Not seen at the next point of its host, which was recording."""
    LOST_BETWEEN = "lost-between"
    """Not seen at the next host."""
    LOST_BEYOND = "lost-beyond"
    """It left and was sent again or never answered, or came only when it was sent again."""
    UNANSWERED = "unanswered"
    """It asks for an answer, and captures went on long enough to show one."""
    IGNORED = "ignored"
    """Likewise, and it came to its receiver."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A frame that shows it, or the whole point where *frame* is None."""

    point: str
    frame: int | None = None
    journey: int | None = None
    """Journey that the frame is part of."""

    def __str__(self) -> str:
        return f"{self.point} #{self.frame}" if self.frame is not None else self.point


Fact = str | int | float | bool | list[str]
"""A value that a sentence is made of."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another cause than the one that is told."""

    check: str
    why: str
    """Why it is possible, or why it is ruled out."""
    asks: str | None = None
    """What to record or to run, to tell it from the one that is told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, told once. Its sentences are made of its facts, in one place for all reports."""

    check: str
    severity: Severity
    basis: Basis
    facts: dict[str, Fact] = field(default_factory=dict)
    """What the sentences tell, by name; names of a check stay."""
    evidence: tuple[Evidence, ...] = ()
    proof: tuple[str, ...] = ()
    """Lines of the host's dumps that show it, each after the name of its file."""
    tried: str | None = None
    """What the remedy changes, as the recorded state says when the same packet runs through it once more."""
    alternatives: tuple[Other, ...] = ()
    """Other causes that the same packets fit."""
    refuted: tuple[Other, ...] = ()
    """Causes that were looked into, and why it is none of them."""
    title: str = ""
    """Who cannot do what, and why: one sentence."""
    cause: str = ""
    """What acts, and what it does: the end of the title; empty where nobody is kept from anything."""
    detail: str = ""
    """What was counted, and where."""
    explanation: str = ""
    remedy: str = ""
    commands: tuple[str, ...] = ()
    """What to type for it, in this order; as it stands, for people paste it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What a check is, as lists tell it."""

    name: str
    severity: Severity
    """Of what it finds, at the worst."""
    needs: str
    """Captures, and files of dumps; in brackets what tells more."""
    about: str
    """When it speaks."""
    remedy: str
    preview: bool = False
    """It is new, and looked for only with --preview."""


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """
    Sort findings by severity: those that keep connections from something first, then the surest, then by check.

    Those of one check are in order of how many packets they are about.
    """
    order = list(Severity)

    def rank(f: Finding) -> tuple[int, bool, int, str, int, str, str]:
        packets = f.facts.get("packets")
        return (
            order.index(f.severity),
            not f.facts.get("connections"),
            SUREST.index(f.basis),
            f.check,
            -packets if isinstance(packets, int) else 0,
            f.title,
            f.detail,
        )

    return tuple(sorted(findings, key=rank))


def reaches(findings: Iterable[Finding], severity: Severity) -> bool:
    """Tell whether any is as bad as that."""
    order = list(Severity)
    return any(order.index(finding.severity) <= order.index(severity) for finding in findings)
