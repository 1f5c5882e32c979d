"""Where packets were lost, link by link."""

from dataclasses import dataclass

from analyzer.model.journey import Disposition


@dataclass(frozen=True, slots=True)
class ConnectionLoss:
    """What one connection lost."""

    connection: int
    packets: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that one link lost, for one cause."""

    last_point: str | None
    """Where they were seen last; None for those that were lost before they came to this host."""
    next_point: str | None
    """Where they should have been seen next; None behind the last point of their way, e.g. beyond the host."""
    disposition: Disposition
    """``lost``, ``dropped``, ``rejected``; ``left-host`` and ``delivered`` of packets that had to be sent again."""
    packets: int
    sent_again: int
    """Retransmissions that this link made: of the packets themselves, or of what they would have acknowledged."""
    connections: int
    most: tuple[ConnectionLoss, ...]
    """The connections that lost most, ten at the most."""
    cause: str | None = None
    """Check that explains it: what the recorded state of the host stopped."""
