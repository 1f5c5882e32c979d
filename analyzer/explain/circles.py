"""Questions to name servers that no server is to blame for: they go round, or nothing outside answers any."""

from collections import Counter

from analyzer.decode.dns import PORT
from analyzer.explain.case import Case
from analyzer.explain.parties import name_of
from analyzer.model import Address, Role
from analyzer.model.overview import NameQuery

ROUNDS = 5
"""How often two ask each other for one name, before that is a circle."""


def ring(case: Case) -> dict[tuple[str, str], list[NameQuery]]:
    """Return what two ask each other, each for the same names, again and again, and who else asks them for these."""
    found: dict[tuple[str, str], list[NameQuery]] = {}
    for query in case.names:
        if query.answer is None:
            found.setdefault((query.name.lower(), query.kind), []).append(query)
    rings: dict[tuple[str, str], list[NameQuery]] = {}
    for queries in found.values() if len(case.names) >= 2 * ROUNDS else ():
        ways = Counter((party(case, query, query.asker), party(case, query, query.server)) for query in queries)
        for one, two in sorted(ways):
            if one < two and min(ways[one, two], ways[two, one]) >= ROUNDS:
                theirs = [query for query in queries if party(case, query, query.server) in (one, two)]
                rings.setdefault((one, two), []).extend(theirs)
    return rings


def party(case: Case, query: NameQuery, ip: Address) -> str:
    """Name who has an address; the host's own is that of the container which is asked by it."""
    host = case.host_of(query.journey)
    if not host.owns(ip):
        return name_of(case, ip, int(case.first_row[query.journey]))
    asked = ((c, port) for c in host.containers for port in c.ports if (port.outside, port.protocol) == (PORT, "udp"))
    return next((c.name for c, port in asked if port.address in (None, ip)), str(ip))


def unanswered_outside(case: Case) -> set[Address]:
    """Return the servers behind a gateway that never answered anything, if there are several."""
    found = {query.server: query for query in case.open_questions}
    found = {server: query for server, query in found.items() if _behind_gateway(case, query)}
    answered = {query.server for query in case.names if query.answer is not None or query.stranger is not None}
    silent = set(found) - answered
    return silent if len(silent) > 1 else set()


def answering_outside(case: Case) -> list[str]:
    """Return the servers behind a gateway that do answer, in the order in which they were asked."""
    answered = (query for query in case.names if query.answer is not None)
    return list(dict.fromkeys(str(query.server) for query in answered if _behind_gateway(case, query)))


def _behind_gateway(case: Case, query: NameQuery) -> bool:
    row = int(case.last_row[query.journey])
    chosen = case.context.route_to(query.server, row)
    uplink = case.context.point(row).role is Role.UPLINK
    return uplink and chosen is not None and chosen.route.gateway is not None
