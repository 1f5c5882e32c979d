"""What captures show to work, and whose each address is."""

from dataclasses import dataclass

from analyzer.model.tuple import Address


@dataclass(frozen=True, slots=True)
class Worked:
    """Somebody reached something: answers came."""

    who: str
    what: str
    """Name or address, with its port."""
    protocol: str
    answered: int
    """Connections with an answer that got through."""
    tries: int
    """All connections between these ends."""
    packets: int
    """Packets in them, both ways."""
    connections: tuple[int, ...]
    """The first three of them."""
    first_answer_ns: int | None = None
    """Median time from a connection's first packet to its first answer, both as the first point saw them."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whose an address is."""

    address: Address
    name: str
    kind: str
    """``container``, ``host``, ``gateway``, or ``name`` for what a name server said."""
    host: str | None = None
    service: str | None = None
    """Of docker compose, where it is a container's."""
