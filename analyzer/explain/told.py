"""What a cause comes to: no sentences, but all that they are made of."""

from dataclasses import dataclass, field

from analyzer.model import Evidence, Severity
from analyzer.model.finding import Fact, Other


@dataclass(slots=True)
class Told:
    """Facts, and what shows them."""

    facts: dict[str, Fact] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    """Empty for where the packets were seen last."""
    proof: tuple[str, ...] = ()
    severity: Severity | None = None
    """None for the hypothesis' own."""
    tried: str | None = None
    refuted: tuple[Other, ...] = ()
