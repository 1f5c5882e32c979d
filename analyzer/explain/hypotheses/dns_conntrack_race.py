"""Of two DNS questions sent at once from one port, one is lost in the host.

Both have the same tuple and race for its conntrack entry; the one that comes second cannot be inserted and is dropped
(nf_conntrack_core.c, __nf_conntrack_confirm, insert_failed). The resolver waits five seconds.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.questions import asked_names, told
from analyzer.explain.told import Told
from analyzer.model import Basis, Disposition, Severity
from analyzer.model.journey import CODES
from analyzer.model.overview import NameQuery

TOGETHER_NS = 5_000_000


def causes(case: Case) -> Iterator[Cause]:
    """Give questions that are lost inside the host, while their twin from the same port gets through."""
    by_connection: dict[int, list[NameQuery]] = defaultdict(list)
    for query in case.names:
        by_connection[int(case.connection[query.journey])].append(query)
    lost: dict[int, NameQuery] = {}
    for query in case.open_questions:
        if case.tracer.ends[query.journey] == CODES[Disposition.LOST]:
            twins = by_connection[int(case.connection[query.journey])]
            if any(_twin(query, other) for other in twins):
                lost[query.journey] = query
    for name in dict.fromkeys(case.host_of(packet).name for packet in lost):
        failed = case.hosts[name].counted("conntrack.insert_failed")
        basis = Basis.STATED if failed else Basis.INFERRED
        still = "conntrack's counter insert_failed stood still" if failed == 0 else ""
        packets = [packet for packet in sorted(lost) if case.host_of(packet).name == name]
        tell = partial(_tell, case, lost, failed)
        yield Cause(packets, tell, basis, (name,), counted=bool(failed), refuted=still)


def _tell(case: Case, lost: dict[int, NameQuery], failed: int | None, packets: list[int]) -> Told:
    return Told(
        {"names": told(case, (lost[n] for n in packets)), "asked_names": asked_names(case, (lost[n] for n in packets))},
        proof=(f"conntrack-stats.txt: insert_failed went up by {failed}",) if failed else (),
    )


def _twin(query: NameQuery, other: NameQuery) -> bool:
    """Tell whether another question got through that was asked at the same time, before either was answered."""
    if other.kind == query.kind or other.latency_ns is None:
        return False
    together = abs(other.asked_ns - query.asked_ns) < TOGETHER_NS
    return together and query.asked_ns < other.asked_ns + other.latency_ns


HYPOTHESIS = Hypothesis(
    "dns-conntrack-race",
    Severity.ERROR,
    "captures (conntrack-stats.txt before and after)",
    "Of two DNS questions that were sent at once from one port, one was lost inside the host.",
    "docker run --dns-option single-request-reopen (resolv.conf(5)), or a name server in a container beside it.",
    causes,
    Specific.SETTING,
    asks="conntrack -S before and after (insert_failed)",
)
