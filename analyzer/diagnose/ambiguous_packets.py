"""Frames that fit more than one packet or mapping: said, instead of guessed."""

from collections.abc import Sequence

import numpy as np

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Evidence, Finding, Severity

SHOWN = 5


def look(subject: Subject) -> list[Finding]:
    """Report mappings and packets for which order, time and content do not decide."""
    context = subject.context
    connections = np.flatnonzero(context.connections["ambiguous"])
    rows = context.hops["row"][context.hops["ambiguous"]]
    shown = rows[:SHOWN].tolist() or [
        row
        for number in connections[:SHOWN].tolist()
        for row in context.rows_of(int(context.packets_of(number)[0]))[:1]
    ]
    return tell(len(connections), len(rows), [context.evidence(row) for row in shown])


def tell(connections: int, frames: int, evidence: Sequence[Evidence]) -> list[Finding]:
    """Report so many connections and frames, if there are any."""
    if not connections and not frames:
        return []
    return [
        CHECK.finding(
            f"{connections} connections and {frames} frames fit more than one grouping",
            "Equal packets went through the host at the same time, and nothing in them tells which is which. "
            "They are grouped by order and time, and marked.",
            basis=Basis.INFERRED,
            evidence=tuple(evidence),
        )
    ]


CHECK = Check(
    "ambiguous-packets",
    Severity.INFO,
    "captures (conntrack-events.txt)",
    "Frames fit more than one packet or connection, and are grouped by order and time.",
    "Record conntrack events beside the captures, or use a larger snap length.",
    look,
)
