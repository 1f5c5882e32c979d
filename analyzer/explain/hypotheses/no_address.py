"""A name server answers, and the answer leads nowhere: no address at all, or one that is nobody's."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.questions import asked_names, by_server, packets_of, resolver_of
from analyzer.explain.tally import Count, Texts
from analyzer.explain.told import Told
from analyzer.model import Address, Severity
from analyzer.model.overview import NameQuery
from analyzer.packet.questions import EMBEDDED

NONE, NOBODY = "none", "nobody"
"""No address; 0.0.0.0 or loopback, as blocklists answer."""
LOCAL = ("localhost", "localdomain", "internal")
"""Names that may well be one's own."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each server, with the names for which it has no address, or one of nobody."""
    for server, queries in by_server(case.names).items():
        names: dict[str, list[NameQuery]] = defaultdict(list)
        for query in queries:
            if query.kind in ("A", "AAAA") and query.answer is not None:
                names[query.name.rstrip(".").lower()].append(query)
        found: dict[str, list[NameQuery]] = defaultdict(list)
        for name, of in names.items() if server != EMBEDDED else ():
            kind = _useless(of)
            if kind is not None and name.rpartition(".")[2] not in LOCAL:
                found[kind] += of
        for kind, of in found.items():
            yield Cause(packets_of(of), partial(_tell, case, server, kind, of), key=(str(server), kind))


def _useless(queries: list[NameQuery]) -> str | None:
    """Tell why answers for a name are of no use; None if one is, or was not given."""
    if any(query.outcome != "NOERROR" for query in queries) or not any(query.kind == "A" for query in queries):
        return None
    if any(query.truncated or (query.answers and not query.records) for query in queries):
        return None  # what it says was not read
    addresses = [ip for query in queries for ip in _addresses(query)]
    if not addresses:
        return NONE
    return NOBODY if all(ip.is_unspecified or ip.is_loopback for ip in addresses) else None


def _addresses(query: NameQuery) -> Iterator[Address]:
    for record in query.records:
        try:
            yield ip_address(record)
        except ValueError:
            continue


def _tell(case: Case, server: Address, kind: str, queries: list[NameQuery], packets: list[int]) -> Told:
    left = [query for query in queries if query.journey in packets]
    given = ((str(ip), int(case.numbers[query.journey])) for query in left for ip in _addresses(query))
    return Told(
        {
            "server": str(server), "kind": kind, "questions": Count(len(left)), "asked_names": asked_names(case, left),
            "given": Texts.of(given), **resolver_of(case, left[0]),
        },
        evidence=case.evidence([query.answer for query in left if query.answer is not None]),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "no-address-for-name",
    Severity.WARNING,
    "captures",
    "A name server knows a name and gives no address for it, or one of nobody (0.0.0.0, loopback), as blocklists do.",
    "See whether that server is the right one to ask, and whether it blocks the name.",
    causes,
    Specific.KIND,
)
