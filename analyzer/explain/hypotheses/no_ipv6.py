"""A name has IPv6 addresses only, and who asked for it has no IPv6."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.questions import Asker, asker_of
from analyzer.explain.told import Told
from analyzer.model import Basis, Severity
from analyzer.model.overview import NameQuery


def causes(case: Case) -> Iterator[Cause]:
    """Give each container and the names that it can do nothing with."""
    by_asker: dict[Asker, dict[str, list[NameQuery]]] = defaultdict(lambda: defaultdict(list))
    for query in case.names:
        asker = asker_of(case, query)
        if asker is not None and query.answer is not None:
            by_asker[asker][query.name.rstrip(".").lower()].append(query)
    for asker, names in by_asker.items():
        state = case.hosts[asker.host].inside.get(asker.container)
        addresses = [ip for link in state.links for ip in link.addresses] if state is not None else []
        if state is None or any(ip.version == 6 and not ip.is_link_local and not ip.is_loopback for ip in addresses):
            continue
        useless = [name for name, queries in names.items() if _only_ipv6(queries)]
        refused = state.counted("Ip6OutNoRoutes") or 0
        both = all({query.kind for query in names[name]} >= {"A", "AAAA"} for name in useless)
        if useless and (both or refused > 0):
            shown = [query for name in useless for query in names[name]]
            tell = partial(_tell, case, asker, useless, shown, refused)
            yield Cause((), tell, Basis.STATED, (asker.host, asker.container))


def _only_ipv6(queries: list[NameQuery]) -> bool:
    """Tell whether a name has addresses, and all of IPv6, as far as they were asked for."""
    return {query.kind for query in queries if query.outcome == "NOERROR" and _addresses(query)} == {"AAAA"}


def _addresses(query: NameQuery) -> bool:
    return any(":" in record if query.kind == "AAAA" else "." in record for record in query.records)


def _tell(case: Case, asker: Asker, names: list[str], queries: list[NameQuery], refused: int, _: list[int]) -> Told:
    answers = [query.answer for query in queries if query.answer is not None]
    return Told(
        {"who": [asker.container], "names": names},
        evidence=case.evidence(answers),
        proof=(f"containers/{asker.container}/ip-addr.json: no IPv6 address",),
        severity=Severity.ERROR if refused else None,
    )


HYPOTHESIS = Hypothesis(
    "no-ipv6-for-name",
    Severity.WARNING,
    "captures, containers/NAME/ip-addr.json",
    "A container asked for a name that has IPv6 addresses only, and has no IPv6 itself.",
    "Give its network IPv6 (docker network create --ipv6), or the service an IPv4 address.",
    causes,
)
