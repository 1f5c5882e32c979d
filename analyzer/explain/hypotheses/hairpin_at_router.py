"""A container asks for the network's own public address, and the router sends that back: from the host, to the host."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Told
from analyzer.explain.turned import turned
from analyzer.model import Basis, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give each address that was asked for, whose router turns the question round without changing who asks."""
    for key, packets in case.once(turned).items():
        yield Cause(packets, partial(_tell, case, *key), Basis.STATED, key=key)


def _tell(case: Case, asked: str, to: str, packets: list[int]) -> Told:
    where = case.context.point(int(case.last_row[packets[0]])).name
    return Told({"asked_as": asked, "to": to, "where": where})


HYPOTHESIS = Hypothesis(
    "hairpin-at-router",
    Severity.ERROR,
    "captures of the uplink, ip-addr.json",
    "What a container sends to a public address comes back from the router with the host's own address as its source.",
    "Ask for the service by its inner address or name; or let the router masquerade what it turns round (NAT "
    "loopback).",
    causes,
    Specific.ROOT,
)
