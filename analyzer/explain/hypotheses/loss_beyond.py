"""Packets or their answers are lost outside this host."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import few
from analyzer.explain.symptoms import beyond
from analyzer.explain.told import Told
from analyzer.model import Basis, Severity
from analyzer.model.finding import Fact, Symptom

NEGLIGIBLE = 50
"""One packet of so many is lost on every way, and sent again."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each peer towards which, or from which, packets were lost, and each pair of hosts."""
    by_place: dict[tuple[str, str, str], list[int]] = {}
    for packet in case.with_symptom(Symptom.LOST_BETWEEN).tolist():
        if (hosts := case.between_hosts(packet)) is not None:
            by_place.setdefault((*hosts, case.tracer.outcome(packet).reason), []).append(packet)
    for (one, other, why), packets in by_place.items():
        yield Cause(packets, basis=Basis.INFERRED, facts={"between": [one, other], "lost": why})
    for lost, towards in zip(beyond(case), (True, False), strict=True):
        by_peer: dict[str, list[int]] = {}
        for packet in lost.tolist():
            row = int(case.last_row[packet] if towards else case.first_row[packet])
            peer = case.context.dst(row) if towards else case.context.src(row)
            by_peer.setdefault(str(peer), []).append(packet)
        for name, packets in few(by_peer).items():
            yield Cause(sorted(set(packets)), partial(_tell, case, name, len(by_peer), towards), Basis.INFERRED)


def _tell(case: Case, peer: str, peers: int, towards: bool, packets: list[int]) -> Told:
    way = np.isin(case.connection, np.unique(case.connection[packets])) & (case.reply == case.reply[packets[0]])
    few = len(packets) * NEGLIGIBLE <= int(way.sum())
    point = case.context.point(int((case.last_row if towards else case.first_row)[packets[0]])).name
    facts: dict[str, Fact] = {"where": point, "towards": towards}
    return Told(facts | ({"peer": peer} if peer else {"peers": peers}), severity=Severity.INFO if few else None)


HYPOTHESIS = Hypothesis(
    "loss-beyond-host",
    Severity.WARNING,
    "captures",
    "Packets left by the uplink and were sent again or never answered, or arrived only when they were sent again.",
    "Nothing on this host: test the way beyond it, e.g. with mtr, and ask whoever runs it.",
    causes,
    Specific.BEYOND,
)
