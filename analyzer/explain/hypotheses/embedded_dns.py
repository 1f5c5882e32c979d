"""Docker's own name server, 127.0.0.11, fails."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.questions import FAILURES, asked_names, packets_of, told
from analyzer.explain.tally import Count, Least
from analyzer.explain.told import Facts, Told
from analyzer.model import Finding, Severity
from analyzer.model.overview import NameQuery
from analyzer.packet.questions import EMBEDDED


def causes(case: Case) -> Iterator[Cause]:
    """Give the questions that it failed or left open."""
    failed = [query for query in case.names if query.server == EMBEDDED and query.outcome in FAILURES]
    failed += [query for query in case.open_questions if query.server == EMBEDDED]
    if failed:
        packets = packets_of(failed)
        yield Cause(packets, partial(_tell, case, failed), also=case.troubled(packets))


def _tell(case: Case, failed: list[NameQuery], packets: list[int]) -> Told:
    left = [query for query in failed if query.journey in packets]
    shown = [query.answer if query.answer is not None else query.journey for query in left]
    facts: Facts = {
        "questions": Count(len(left)), "names": told(case, left), "asked_names": asked_names(case, left),
    }  # fmt: skip
    # What the server that it asks in turn answered is told by itself: this follows from it.
    in_turn = {query.name for query in case.names if query.server != EMBEDDED and query.outcome in FAILURES}
    facts["follows"] = Least(all(query.name in in_turn for query in left))
    return Told(facts, evidence=case.evidence(shown))


def _completed(finding: Finding) -> Finding:
    """Say less of what only follows."""
    return replace(finding, severity=Severity.WARNING) if finding.facts["follows"] else finding


HYPOTHESIS = Hypothesis(
    "embedded-dns-failed",
    Severity.ERROR,
    "captures of a container's loopback (hoptrace capture --inside)",
    "Docker's own name server answered with a failure, or not at all.",
    "The uplink's capture shows whom dockerd asks in turn. docker run --dns SERVER names another one.",
    causes,
    Specific.KIND,
    complete=_completed,
)
