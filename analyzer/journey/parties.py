"""Whose each address is, as dumps and name servers say: names instead of numbers for whoever reads a report."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from analyzer.model import Address, Hosts
from analyzer.model.overview import NameQuery
from analyzer.model.worked import Party

MOST = 4_000


def parties(hosts: Hosts, names: Iterable[NameQuery]) -> tuple[Party, ...]:
    """Return a name for each address that has one: a container's first, then the host's, a gateway's, what DNS said."""
    found: dict[tuple[Address, str | None], Party] = {}
    for party in _all(hosts, names):
        if len(found) < MOST:
            found.setdefault((party.address, party.host), party)
    return tuple(found.values())


def _all(hosts: Hosts, names: Iterable[NameQuery]) -> Iterator[Party]:
    for host, state in hosts.by_name.items():
        for container in state.containers:
            yield from (Party(ip, container.name, "container", host, container.service) for ip in container.addresses)
        for link in state.links:
            yield from (Party(ip, link.name, "host", host) for ip in link.addresses)
        for route in state.routes:
            if route.gateway is not None:
                yield Party(route.gateway, "gateway", "gateway", host)
    for query in names:
        for record in query.records if query.kind in ("A", "AAAA") else ():
            try:
                yield Party(ip_address(record), query.name, "name")
            except ValueError:
                continue
