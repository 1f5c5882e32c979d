"""A name server answers that it cannot tell."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.questions import (
    FAILURES,
    asked_names,
    by_server,
    packets_of,
    resolved,
    resolver_of,
    told,
    unknown_names,
)
from analyzer.explain.tally import Count, Texts
from analyzer.explain.told import Told
from analyzer.model import Address, Finding, Severity
from analyzer.model.finding import Fact
from analyzer.model.overview import NameQuery
from analyzer.packet.questions import EMBEDDED
from analyzer.schema import Addresses

UNKNOWN = "NXDOMAIN"


def causes(case: Case) -> Iterator[Cause]:
    """Give each server with questions that it failed; a warning, if it answers others."""
    for server, queries in by_server(case.names).items():
        good = any(query.outcome in ("NOERROR", UNKNOWN) for query in queries)
        for outcomes in (FAILURES, (UNKNOWN,)) if server != EMBEDDED else ():
            failed = [query for query in queries if query.outcome in outcomes]
            if failed:
                tell = partial(_tell, case, server, failed, good)
                yield Cause(packets_of(failed), tell, key=(str(server), UNKNOWN in outcomes))


def _tell(case: Case, server: Address, failed: list[NameQuery], good: bool, packets: list[int]) -> Told:
    left = [query for query in failed if query.journey in packets]
    unknown = [query for query in left if query.outcome == UNKNOWN]
    torn = [query for query in unknown if _torn(case, query.name.rstrip("."))]
    vain = unknown_names([query for query in case.names if query.server == server]) if unknown else []
    elsewhere = ((q.server, q.journey) for u in unknown for q in case.names if _knows(q, u))
    return Told(
        {
            "torn": asked_names(case, torn), "hurt": asked_names(case, (query for query in torn if _hurt(case, query))),
            "vain": asked_names(case, (query for query in unknown if query.name.rstrip(".").lower() in vain)),
            "known_to": Texts.of((str(other), int(case.numbers[number])) for other, number in elsewhere),
            "server": str(server), "questions": Count(len(left)), "names": told(case, left),
            "outcomes": Texts.of((str(query.outcome), int(case.numbers[query.journey])) for query in left),
            "asked_names": asked_names(case, left), "answers_others": good, **resolver_of(case, left[0]),
        },
        evidence=case.evidence([query.answer for query in left if query.answer is not None]),
    )  # fmt: skip


def _completed(finding: Finding) -> Finding:
    """
    Say of what names it is, and how bad that is.

    A name that is unknown in all its forms is a mistake of whoever asks; one that exists in another form, or with a
    search domain, hurts nobody; but one that is known for one type of address only is the server's error, which shows
    where whoever asks believes it.
    """
    facts = dict(finding.facts)
    vain, torn, asked = (_texts(facts, name) for name in ("vain", "torn", "asked_names"))
    del facts["vain"]
    unknown = facts["outcomes"] == [UNKNOWN]
    names = torn or (vain if unknown else []) or asked
    severity = Severity.WARNING if facts["answers_others"] else Severity.ERROR
    if unknown:
        hurts = facts["hurt"] or (facts["known_to"] and not torn)
        severity = Severity.ERROR if hurts else Severity.WARNING if vain or torn else Severity.INFO
    commands = [f"dig @{facts['server']} -q {shlex.quote(name)}" for name in names[:3]]
    nowhere = unknown and bool(vain) and not torn
    facts |= {"asked_names": names, "nowhere": nowhere, "commands": commands}
    return replace(finding, facts=facts, severity=severity)


def _texts(facts: dict[str, Fact], name: str) -> list[str]:
    found = facts[name]
    return found if isinstance(found, list) else []


def _knows(query: NameQuery, unknown: NameQuery) -> bool:
    """Tell whether another server knows a name that one does not."""
    same = query.name.rstrip(".").lower() == unknown.name.rstrip(".").lower()
    return same and query.server != unknown.server and _is_known(query)


def _torn(case: Case, name: str) -> bool:
    """Tell whether a name is unknown for one type of address, and known for another one, which cannot be (RFC 8020)."""
    of = [query for query in case.names if query.name.rstrip(".").lower() == name.lower()]
    unknown, known = ({q.kind for q in of if test(q)} for test in (_is_unknown, _is_known))
    return bool(unknown and known - unknown)


def _hurt(case: Case, unknown: NameQuery) -> bool:
    """Tell whether a container was told that a name is unknown, and did not talk to the address that it has."""
    asker = unknown.asker
    if case.hosts.everywhere.container_of_address(asker) is None:
        return False  # NAT may hide who asks
    alike = [query for query in case.names if query.name.lower() == unknown.name.lower()]
    if any(query.server == asker for query in alike):
        return False  # it asks for others
    there = resolved(query for query in alike if _is_known(query))
    numbers = np.flatnonzero(
        case.answered_in_the_end & Addresses.of(case.context.connections, "orig_src").are(int(asker))
    )
    return not any(case.tracer.connection(number).original.dst in there for number in numbers.tolist())


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
    complete=_completed,
)
