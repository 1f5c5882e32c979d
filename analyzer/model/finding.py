"""What a person should act on."""

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
