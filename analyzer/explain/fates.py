"""What packets died of, as dumps and ICMP errors have it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyzer.model import Address, Disposition, HostState, address
from analyzer.packet.stops import Cause
from analyzer.schema import Layer

if TYPE_CHECKING:
    from analyzer.explain.case import Case


PORT_UNREACHABLE = {(4, 3, 3), (6, 1, 4)}
"""By IP version, type and code (RFC 792, RFC 4443)."""


@dataclass
class Stopped:
    """Packets that one cause stopped."""

    cause: Cause
    host: HostState
    """Where that was."""
    packets: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP error."""

    packet: int
    quoted: int | None
    """Packet that it is about, if that was captured."""
    source: Address
    """Who says so, by its own address."""
    kind: tuple[int, int, int]
    """IP version, type, code."""
    target: Address
    """Destination of the packet that it quotes, as the error's receiver wrote it."""
    mtu: int


def stopped(case: "Case") -> dict[str, list[Stopped]]:
    """By check: what the recorded host state stopped, one entry a cause."""
    found: dict[str, dict[tuple[str | None, str], Stopped]] = {}
    dead = case.tracer.ended(Disposition.DROPPED, Disposition.REJECTED)
    for packet in np.union1d(dead, case.tracer.silenced).tolist():
        cause = case.tracer.outcome(packet).cause
        if cause is not None:
            of_check = found.setdefault(cause.check, {})
            host = case.host_of(packet)
            of_check.setdefault((host.name, cause.text), Stopped(cause, host)).packets.append(packet)
    return {check: list(causes.values()) for check, causes in found.items()}


def errors(case: "Case") -> list[IcmpError]:
    """ICMP errors, each once, in order of time."""
    context, table = case.context, case.context.quotes
    quoted = case.tracer.quoted_by_error
    found: dict[int, IcmpError] = {}
    rows = table["row"]
    # On its way NAT undoes in the quote what it did to the packet: only the last sighting reads as the receiver wrote.
    last = {packet: place for place, packet in enumerate(context.packet_of_row[rows].tolist())}
    latest = {packet: place for packet, place in last.items() if rows[place] == case.last_row[packet]}
    for packet, place in (last | latest).items():
        row = int(rows[place])
        source = context.src(int(case.first_row[packet]))
        if source is None:
            continue
        version = 6 if context.layers(row) & Layer.IPV6 else 4
        target = address(version, int(table["dst_hi"][place]), int(table["dst"][place]))
        kind = version, context.value("icmp_type", row), context.value("icmp_code", row)
        found[packet] = IcmpError(packet, quoted.get(packet), source, kind, target, int(table["mtu"][place]))
    return [found[packet] for packet in sorted(found)]
