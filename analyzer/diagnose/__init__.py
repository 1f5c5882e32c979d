"""Tables and journeys to findings: what a person should act on.

One check per file; each takes the same Evidence and gives findings. ``CHECKS`` is the whole list.
"""

from collections.abc import Callable, Iterable

from analyzer.diagnose import ambiguous, capture_loss, conntrack
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity

CHECKS: tuple[Callable[[Subject], list[Finding]], ...] = (
    conntrack.check,
    ambiguous.check,
    capture_loss.check,
)


def diagnose(subject: Subject) -> tuple[Finding, ...]:
    """Run every check; worst findings first."""
    return worst_first([finding for check in CHECKS for finding in check(subject)])


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity, then by name."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda f: (order.index(f.severity), f.check, f.title)))
