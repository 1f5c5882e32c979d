"""What a host decides about one packet, stage by stage, in the kernel's order."""

from dataclasses import dataclass
from enum import StrEnum

from analyzer.model.basis import Basis


class Left(StrEnum):
    """How a packet leaves a stage."""

    PASSED = "passed"
    EMPTY = "empty"
    """Nothing is there that could decide anything."""
    STOPPED = "stopped"
    UNDECIDED = "undecided"
    """What is recorded does not decide it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A hook's chain, the routing decision, or what else a packet has to pass."""

    name: str
    """``filter FORWARD``, ``routing``, ``conntrack``, ``bridge docker0``, ..."""
    told: str
    """What decided, in a few words."""
    outcome: Left
    basis: Basis
    passed: int = 0
    """Rules that were asked and did not decide."""
    rule: str | None = None
    """The rule that decided, as its dump has it."""
    chain: str | None = None
    number: int | None = None
    """Its place in the chain, from 1."""
    packets_before: int | None = None
    """What it had counted before the captures ran."""
    packets: int | None = None
    """What it had counted after them."""
    owner: str | None = None
    """Who made it, where that is known."""
    dump: str | None = None
    """The file that it stands in."""


@dataclass(frozen=True, slots=True)
class Decision:
    """All that one packet met in one host."""

    journey: int
    host: str | None
    point: str
    """Where the host had it."""
    stages: tuple[Stage, ...]
    not_reached: tuple[str, ...] = ()
    """Names of what would have come behind the stage that stopped it."""
    rules_not_reached: int = 0
    out: str | None = None
    """The interface that it leaves by, or was to leave by; None if it is for the host, or nobody knows."""
