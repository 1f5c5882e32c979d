"""A packet that the kernel says it dropped."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """An interface that it passed."""

    interface: str
    length: int
    """Bytes; of one that was received, without the link header."""
    time_ns: int
    received: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """When, why and where in the kernel."""

    time_ns: int
    reason: str
    """As include/net/dropreason-core.h calls it."""
    function: str
    """What dropped it."""
    way: tuple[Sighting, ...]
    """The interfaces that it passed last, in order."""
    told_by: str = "drops.txt"
    """The file that says so."""
