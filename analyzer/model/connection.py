"""Connections, as conntrack sees them."""

from dataclasses import dataclass
from enum import StrEnum

from analyzer.model.basis import Basis
from analyzer.model.tuple import FlowTuple


class NatKind(StrEnum):
    """What was translated in the original direction; the reply gets the inverse."""

    SNAT = "SNAT"
    DNAT = "DNAT"


@dataclass(frozen=True, slots=True)
class NatChange:
    """One end of the original tuple and what it became."""

    kind: NatKind
    before: str
    after: str
    basis: Basis
    rule: str | None = None
    """The recorded rule that does this: the one that decides when the connection's first packet runs the ruleset."""
    rule_packets: int | None = None
    """Packets that the rule had counted when it was recorded."""
    rule_packets_before: int | None = None
    """The same before the captures ran."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An original and a reply tuple, as ``struct nf_conn`` has them."""

    id: int
    protocol: str
    original: FlowTuple
    reply: FlowTuple
    """What answers look like before they are translated back: the inverse of the translated original."""
    nat: tuple[NatChange, ...]
    basis: Basis
    first_ns: int
    last_ns: int
    frames: int
    packets: int
    ambiguous: bool = False
    """Another grouping of the frames would explain them as well."""
    conntrack_id: int | None = None
    """``id=`` of the conntrack entry that states the mapping."""
    conntrack_state: str | None = None
    """Its state as recorded, e.g. ``ESTABLISHED``; TCP's, mostly."""
    conntrack_timeout_s: int | None = None
    """Seconds it had left."""
    published: str | None = None
    """The published port that it uses, as ``docker ps`` prints it, and the container."""
    relayed_to: int | None = None
    """Connection in which a process on the host, as docker-proxy, sends on what came in this one."""
    relayed_from: int | None = None
    candidates: tuple[int, ...] | None = None
    """Of an ambiguous one: connections whose translated side would fit as well."""
