"""What a check is: a name that stays, what it needs and tells, and the function that looks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.model.finding import Explained

LONGEST_REASON = 200


def guarded(name: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what a check finds; if it raises, that is what is found, and all others go on."""
    try:
        return list(look())
    except MemoryError:
        raise
    except Exception as error:
        return [
            Finding(
                check=name,
                severity=Severity.WARNING,
                title=f"the check {name} failed: {type(error).__name__}: {str(error)[:LONGEST_REASON]}",
                explanation="That is a mistake of hoptrace. What the check would have told is not known.",
                remedy="Please report it, with the bundle if you can.",
                basis=Basis.OBSERVED,
            )
        ]


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    severity: Severity
    """Of what it finds, unless it says another one."""
    needs: str
    """``captures``, and files of host dumps: those it cannot do without, then in brackets those that tell more."""
    about: str
    """When it speaks, in one sentence."""
    remedy: str
    look: Callable[[Subject], Iterable[Finding]]

    @property
    def explained(self) -> Explained:
        """As lists tell it."""
        return Explained(self.name, self.severity, self.needs, self.about, self.remedy)

    def finding(
        self,
        title: str,
        explanation: str,
        *,
        evidence: tuple[Evidence, ...] = (),
        basis: Basis = Basis.OBSERVED,
        severity: Severity | None = None,
        remedy: str | None = None,
        tried: str | None = None,
        proof: tuple[str, ...] = (),
    ) -> Finding:
        """Make a finding."""
        return Finding(
            check=self.name,
            severity=self.severity if severity is None else severity,
            title=title,
            explanation=explanation,
            remedy=self.remedy if remedy is None else remedy,
            basis=basis,
            evidence=evidence,
            tried=tried or None,
            proof=proof,
        )
