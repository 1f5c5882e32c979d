"""A published port's clients are masqueraded, too: the container does not see who they are."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural


def look(subject: Subject) -> Iterator[Finding]:
    """Count connections of which both ends are translated."""
    table = subject.context.connections
    # A container that reaches itself needs the mask: from its own address it would take nothing.
    itself = (table["orig_src"] == table["reply_src"]) & (table["orig_src_hi"] == table["reply_src_hi"])
    by_mask: dict[str, list[int]] = {}
    for number in np.flatnonzero(subject.source_moved & subject.target_moved & ~itself).tolist():
        by_mask.setdefault(str(subject.tracer.connection(number).reply.dst), []).append(number)
    for mask, numbers in by_mask.items():
        connection = subject.tracer.connection(numbers[0])
        rules = tuple(f"iptables-save.txt: {nat.rule}" for nat in connection.nat if nat.rule)
        yield CHECK.finding(
            f"{plural(len(numbers), 'connection')} to {connection.reply.src} came as {mask}",
            f"E.g. the client {connection.original.src}: DNAT sends it to the container, and SNAT hides it there.",
            evidence=subject.evidence([int(subject.context.packets_of(n)[0]) for n in numbers[:5]]),
            proof=rules,
        )


CHECK = Check(
    "client-address-hidden",
    Severity.INFO,
    "captures (iptables-save.txt)",
    "Both ends of a connection are translated: its server sees the host's address as the client's.",
    "Restrict the SNAT or MASQUERADE rule, e.g. to -s the container's own network (hairpins need it).",
    look,
)
