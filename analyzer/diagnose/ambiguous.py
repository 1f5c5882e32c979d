"""Frames that fit more than one packet or mapping: said, instead of guessed."""

import numpy as np

from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Evidence, Finding, Severity

SHOWN = 5


def check(subject: Subject) -> list[Finding]:
    """Report mappings and packets for which order, time and content do not decide."""
    context = subject.context
    connections = np.flatnonzero(context.connections["ambiguous"])
    rows = context.hops["row"][context.hops["ambiguous"]]
    if not len(connections) and not len(rows):
        return []
    evidence = tuple(
        Evidence(context.point(row).name, context.value("frame", row)) for row in rows[:SHOWN].tolist()
    ) or tuple(
        Evidence(context.point(row).name, context.value("frame", row))
        for number in connections[:SHOWN].tolist()
        for row in context.rows_of(int(context.packets_of(number)[0]))[:1]
    )
    return [
        Finding(
            check="ambiguous-packets",
            severity=Severity.INFO,
            title=f"{len(connections)} connections and {len(rows)} frames fit more than one grouping",
            explanation=(
                "Equal packets went through the host at the same time, and nothing in them tells which is which. "
                "They are grouped by order and time, and marked."
            ),
            remedy="Record conntrack events beside the captures, or use a larger snap length.",
            basis=Basis.INFERRED,
            evidence=evidence,
        )
    ]
