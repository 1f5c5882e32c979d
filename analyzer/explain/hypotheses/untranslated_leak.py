"""Packets that conntrack does not know leave the host untranslated."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.streams import leftovers
from analyzer.explain.tally import Least
from analyzer.explain.told import Told
from analyzer.explain.untranslated import leaving
from analyzer.model import Basis, Finding, Severity
from analyzer.packet.prove import Translated


def causes(case: Case) -> Iterator[Cause]:
    """Give packets in the middle of a connection that left untranslated although a rule translates new ones."""
    found = leaving(case).get("invalid")
    if found is not None:
        basis = Basis.STATED if found.translated is Translated.YES else Basis.INFERRED
        yield Cause(found.packets, partial(_tell, case), basis, also=case.troubled(found.packets))


def _tell(case: Case, packets: list[int]) -> Told:
    src = case.context.src(int(case.first_row[packets[0]]))
    return Told({"as_address": str(src), "leftovers": Least(leftovers(case, packets))})


def _completed(finding: Finding) -> Finding:
    """Take the last words of connections from before for what they are."""
    facts = dict(finding.facts)
    last = facts.pop("leftovers")
    return replace(finding, facts=facts, severity=Severity.INFO if last else finding.severity)


HYPOTHESIS = Hypothesis(
    "untranslated-source-leak",
    Severity.WARNING,
    "captures (iptables-save.txt, ip-route.json)",
    "Packets that conntrack takes for INVALID left the host with a container's address.",
    "iptables -I FORWARD -m conntrack --ctstate INVALID -j DROP; for long idle connections, TCP keepalive.",
    causes,
    Specific.MECHANISM,
    asks="conntrack -S before and after (invalid)",
    complete=_completed,
)
