"""What a person should act on."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from analyzer.model.basis import Basis


class Severity(StrEnum):
    """How bad: traffic dies, traffic suffers or the result is weaker, good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A frame that shows it, or the whole point where *frame* is None."""

    point: str
    frame: int | None = None
    journey: int | None = None
    """Journey that the frame is part of."""

    def __str__(self) -> str:
        return f"{self.point} #{self.frame}" if self.frame is not None else self.point


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, told once."""

    check: str
    severity: Severity
    title: str
    explanation: str
    remedy: str
    basis: Basis
    evidence: tuple[Evidence, ...] = ()
    tried: str | None = None
    """What the remedy changes, as the recorded state says when the same packet runs through it once more."""
    proof: tuple[str, ...] = ()
    """Lines of the host's dumps that show it, each after the name of its file."""


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


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity, then by name."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda f: (order.index(f.severity), f.check, f.title)))


def reaches(findings: Iterable[Finding], severity: Severity) -> bool:
    """Tell whether any is as bad as that."""
    order = list(Severity)
    return any(order.index(finding.severity) <= order.index(severity) for finding in findings)
