"""A name server answers that it cannot tell."""

import shlex
from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.questions import FAILURES, asked_names, by_server, packets_of, resolver_of, told, unknown_names
from analyzer.explain.told import Told
from analyzer.model import Address, Severity
from analyzer.model.overview import NameQuery
from analyzer.trace.names import EMBEDDED

UNKNOWN = "NXDOMAIN"


def causes(case: Case) -> Iterator[Cause]:
    """Give each server with questions that it failed; a warning, if it answers others."""
    for server, queries in by_server(case.names).items():
        good = any(query.outcome in ("NOERROR", UNKNOWN) for query in queries)
        for outcomes in (FAILURES, (UNKNOWN,)) if server != EMBEDDED else ():
            failed = [query for query in queries if query.outcome in outcomes]
            if failed:
                yield Cause(packets_of(failed), partial(_tell, case, server, failed, good))


def _tell(case: Case, server: Address, failed: list[NameQuery], good: bool, packets: list[int]) -> Told:
    left = [query for query in failed if query.journey in packets]
    names, outcomes = asked_names(left), list(dict.fromkeys(str(query.outcome) for query in left))
    worst = Severity.WARNING if good else Severity.ERROR
    if outcomes == [UNKNOWN]:
        names = [name for name in names if name.lower() in unknown_names(case.names)] or names
        worst = Severity.WARNING if names[0].lower() in unknown_names(case.names) else Severity.INFO
    torn = [name for name in asked_names(left) if outcomes == [UNKNOWN] and _torn(case, name)]
    if torn:
        names, worst = torn, Severity.ERROR
    return Told(
        {
            "torn": torn,
            "server": str(server), "questions": len(left), "outcomes": outcomes, "names": told(left),
            "asked_names": names, "answers_others": good,
            "nowhere": outcomes == [UNKNOWN] and worst is Severity.WARNING, **resolver_of(case, left[0]),
            "commands": [f"dig @{server} -q {shlex.quote(name)}" for name in names[:3]],
        },
        evidence=case.evidence([query.answer for query in left if query.answer is not None]),
        severity=worst,
    )  # fmt: skip


def _torn(case: Case, name: str) -> bool:
    """Tell whether a name is unknown for one type of address, and known for another one, which cannot be (RFC 8020)."""
    of = [query for query in case.names if query.name.rstrip(".").lower() == name.lower()]
    unknown, known = ({q.kind for q in of if test(q)} for test in (_is_unknown, _is_known))
    return bool(unknown and known - unknown)


def _is_unknown(query: NameQuery) -> bool:
    return query.outcome == UNKNOWN


def _is_known(query: NameQuery) -> bool:
    return query.outcome == "NOERROR" and bool(query.records)


HYPOTHESIS = Hypothesis(
    "dns-failed",
    Severity.ERROR,
    "captures",
    "A name server answered SERVFAIL, REFUSED or the like (warning: NXDOMAIN; info, if the name has another form).",
    "Ask the server by hand (dig @SERVER NAME); SERVFAIL is often one that this server asks in turn, or DNSSEC.",
    causes,
    Specific.KIND,
)
