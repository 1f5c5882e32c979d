"""What a kernel did with a packet in a rebuilt host, beside what hoptrace says: data, for reports."""

from dataclasses import dataclass
from enum import StrEnum


class Agreement(StrEnum):
    """How the kernel's account and hoptrace's stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNSAID = "cannot be said"


class End(StrEnum):
    """Where a packet's way ended."""

    FORWARDED = "forwarded"
    DELIVERED = "delivered"
    """To the host itself."""
    DROPPED = "dropped"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Met:
    """One rule or policy that a packet met in the kernel."""

    table: str
    """With its family, as nft has it."""
    chain: str
    rule: str
    """As the dump has it; empty for a policy."""
    number: int | None
    """The rule's place in its chain, from 1."""
    verdict: str


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a packet's way."""

    end: End
    by: str
    """What decided: a rule, a policy, or what else; empty if nothing stopped it."""
    out: str
    """The interface that it left by."""
    flow: str
    """Its addresses as it left: ``src:port → dst:port``."""
    steps: tuple[Met, ...] = ()

    def __str__(self) -> str:
        """In one line."""
        if self.end is End.FORWARDED:
            return f"leaves by {self.out or 'an unknown interface'}{f' as {self.flow}' if self.flow else ''}"
        if self.end is End.DELIVERED:
            return f"delivered to the host itself{f' as {self.flow}' if self.flow else ''}"
        return f"{self.end}{f' by {self.by}' if self.by else ''}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One journey, replayed."""

    journey: int
    summary: str
    kernel: Account | None
    hoptrace: Account | None
    agreement: Agreement
    why: str
    """Why it differs, or cannot be said."""
    answers: tuple[str, ...] = ()
    """Errors and resets that the host sent back."""


@dataclass(frozen=True, slots=True)
class Replay:
    """All of it."""

    journeys: tuple[Replayed, ...]
    missing: tuple[str, ...]
    """What a namespace could not stand for, or could not be built."""

    def count(self, agreement: Agreement) -> int:
        """Count the journeys of one outcome."""
        return sum(one.agreement is agreement for one in self.journeys)
