"""Packets that left the host with a container's address, which nobody outside can answer: three checks ask for them.

nat is asked for a connection's first packet only, and what conntrack calls INVALID is never translated
(nf_nat_core.c, nf_nat_packet): so whether a rule would translate such a packet today tells what went wrong.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.identity import has
from analyzer.decode.offsets import RST, SYN
from analyzer.diagnose.subject import NEAR_CONTAINERS, Subject
from analyzer.model import Address, FlowTuple, Role
from analyzer.schema import Array, Layer
from analyzer.trace.prove import Translated

Ends = tuple[str, Address, Address, int | None, int | None]
"""What a conntrack entry is recognised by."""


@dataclass(slots=True)
class Leaving:
    """Packets of one kind, from one container address."""

    packets: list[int]
    translated: Translated


def leaving(subject: Subject) -> dict[str, Leaving]:
    """Return unanswered packets that left untranslated, by what is the matter: ``missing``, ``invalid``, ``stale``."""
    found: dict[str, Leaving] = {}
    for packet, kind, translated in subject.once(_told_apart):
        if subject.connection[packet] not in subject.claimed:
            found.setdefault(kind, Leaving([], translated)).packets.append(packet)
    return found


def _told_apart(subject: Subject) -> list[tuple[int, str, Translated]]:
    """Ask the rules about each packet, once for all checks: what was claimed meanwhile they leave out."""
    found: list[tuple[int, str, Translated]] = []
    for packet in _candidates(subject):
        translated = subject.tracer.prover.translated(packet, subject.context.rows_of(packet))
        found.append((packet, _kind(subject, packet, translated), translated))
    return found


def _candidates(subject: Subject) -> list[int]:
    """Return packets that were routed from a container to the uplink, source unchanged, and never answered."""
    if subject.one_sided:
        return []
    context, first, last = subject.context, subject.first_row, subject.last_row
    frames = context.frames
    same = (frames["src"][first] == frames["src"][last]) & (frames["src_hi"][first] == frames["src_hi"][last])
    routed = frames["ttl"][first] > frames["ttl"][last]
    layers = subject.first("layers")
    plain = has(layers, Layer.IPV4 | Layer.IPV6) & ~has(layers, Layer.TUNNEL | Layer.QUOTE)
    outward = subject.context.with_role(first, *NEAR_CONTAINERS) & subject.context.with_role(last, Role.UPLINK)
    answered = np.append(context.connections["seen_reply"], False)[subject.connection]
    packets = np.flatnonzero(same & routed & plain & outward & (~answered | _alone(subject)))
    return [packet for packet in subject.unclaimed(packets).tolist() if not _public(subject, packet)]


def _alone(subject: Subject) -> Array:
    """(packets,) bool: untranslated although the connection is: conntrack did not know the packet."""
    return np.append(subject.source_moved, False)[subject.connection] & ~subject.reply


def _public(subject: Subject, packet: int) -> bool:
    src = subject.context.src(int(subject.first_row[packet]))
    return src is None or src.is_global or src.is_link_local or subject.host_of(packet).owns(src)


def _kind(subject: Subject, packet: int, translated: Translated) -> str:
    row = int(subject.first_row[packet])
    tcp = bool(subject.context.layers(row) & Layer.TCP)
    flags = subject.context.value("tcp_flags", row)
    midway = tcp and not (flags & SYN and not flags & RST)
    if translated is Translated.UNKNOWN:
        return "invalid" if midway and subject.source_moved.any() else "missing"
    if translated is Translated.NO:
        return "missing"
    return "invalid" if midway or not _has_entry(subject, packet) else "stale"


def _has_entry(subject: Subject, packet: int) -> bool:
    """Tell whether conntrack knew the connection, as far as its table or events were recorded."""
    number = int(subject.connection[packet])
    entries = subject.hosts.everywhere.conntrack
    if not entries or number < 0:
        return not entries
    return _ends(subject.tracer.connection(number).original) in subject.once(_entries)


def _entries(subject: Subject) -> set[Ends]:
    return {_ends(entry.original) for entry in subject.hosts.everywhere.conntrack}


def _ends(flow: FlowTuple) -> Ends:
    return flow.protocol, flow.src, flow.dst, flow.sport, flow.dport
