"""Packets or their answers are lost outside this host."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Crowd, Hypothesis, Specific
from analyzer.explain.symptoms import beyond
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.explain.uplinks import taken_first
from analyzer.link.sorting import stable_order
from analyzer.model import Basis, Finding, Severity
from analyzer.model.finding import Symptom
from analyzer.schema import Array, Int64

PACE = ("fast_lost", "fast_answered", "calm_lost", "calm_answered")
SECOND_NS = 1_000_000_000
MANY = 10
"""Datagrams within a second, before one more."""
ENOUGH = 4
NEGLIGIBLE = 50
"""One packet of so many is lost on every way, and sent again."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each peer towards which, or from which, packets were lost, and each pair of hosts."""
    by_place: dict[tuple[str, str, str], list[int]] = {}
    for packet in case.with_symptom(Symptom.LOST_BETWEEN).tolist():
        if (hosts := case.between_hosts(packet)) is not None:
            by_place.setdefault((*hosts, case.tracer.outcome(packet).reason), []).append(packet)
    for (one, other, why), packets in by_place.items():
        facts: Facts = {"between": [one, other], "lost": why}
        yield Cause(packets, basis=Basis.INFERRED, facts=facts, key=("", one, other, why))
    for lost, towards in zip(beyond(case), (True, False), strict=True):
        by_peer: dict[str, list[int]] = {}
        for packet in lost.tolist():
            row = int(case.last_row[packet] if towards else case.first_row[packet])
            peer = case.context.dst(row) if towards else case.context.src(row)
            by_peer.setdefault(str(peer), []).append(packet)
        for name, packets in by_peer.items():
            yield Cause(sorted(set(packets)), partial(_tell, case, name, towards), Basis.INFERRED, (name, towards))


def _tell(case: Case, peer: str, towards: bool, packets: list[int]) -> Told:
    point = case.context.point(int((case.last_row if towards else case.first_row)[packets[0]])).name
    facts: Facts = {"where": point, "towards": towards, "peer": peer}
    return Told(facts | (taken_first(case, packets[0]) | _by_pace(case, packets) if towards else {}))


def _by_pace(case: Case, lost: list[int]) -> Facts:
    """Count questions of the same clients to the same ports, lost and not, by whether many came within a second."""
    questions, errand, many = case.once(_paced)
    datagrams = np.array(lost, np.int64)[case.first("proto")[lost] == PROTO_UDP]
    found = Counter[str]()
    for number in np.unique(case.errands[case.connection[datagrams]]).tolist():
        of = slice(*np.searchsorted(errand, (number, number + 1)).tolist())
        gone = np.isin(questions[of], datagrams)
        for name, chosen in (("fast", many[of]), ("calm", ~many[of])):
            count = int(gone[chosen].sum())
            found.update({f"{name}_lost": count, f"{name}_answered": int(chosen.sum()) - count})
    return {name: Count(count) for name, count in found.items()}


def _paced(case: Case) -> tuple[Int64, Int64, Array]:
    """Return all datagrams of clients by what they want, in order of time; and before which many came in a second."""
    chosen: Int64 = np.flatnonzero(~case.reply & (case.connection >= 0) & (case.first("proto") == PROTO_UDP))
    errand = case.errands[case.connection[chosen]]
    order = stable_order(errand)
    chosen, errand = chosen[order], errand[order]
    times = case.first("time_ns")[chosen]
    many = np.zeros(len(chosen), bool)
    if len(chosen) > MANY:
        many[MANY:] = (errand[MANY:] == errand[:-MANY]) & (times[MANY:] - times[:-MANY] <= SECOND_NS)
    return chosen, errand, many


def _negligible(finding: Finding) -> Finding:
    """Say no more than that it is so, where nearly all packets arrive."""
    lost, of = (int(finding.facts.get(name, 0)) for name in ("packets", "of_packets"))  # type: ignore[arg-type]
    facts = dict(finding.facts)
    pace = {name: int(facts.pop(name, 0)) for name in PACE}  # type: ignore[arg-type]
    if (
        not pace["calm_lost"]
        and pace["calm_answered"] >= ENOUGH
        and pace["fast_lost"] >= max(ENOUGH, pace["fast_answered"] // 3)
    ):
        facts["at_once"] = MANY
    finding = replace(finding, facts=facts)
    few = "peer" in finding.facts and lost * NEGLIGIBLE <= of
    return replace(finding, severity=Severity.INFO) if few else finding


HYPOTHESIS = Hypothesis(
    "loss-beyond-host",
    Severity.WARNING,
    "captures",
    "Packets left by the uplink and were sent again or never answered, or arrived only when they were sent again.",
    "Nothing on this host: test the way beyond it, e.g. with mtr, and ask whoever runs it.",
    causes,
    Specific.BEYOND,
    complete=_negligible,
    crowd=Crowd("peer", "peers"),
)
