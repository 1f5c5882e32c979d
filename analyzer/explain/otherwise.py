"""Names that were reached by another of their addresses: what failed before it nobody noticed (RFC 8305)."""

from collections import defaultdict
from collections.abc import Sequence
from ipaddress import ip_address

import numpy as np

from analyzer.decode.offsets import PROTO_TCP
from analyzer.explain.case import Case
from analyzer.explain.tally import Texts
from analyzer.model import Address, Connection
from analyzer.schema import Addresses, Array, Int64

SOON_NS = 5_000_000_000
"""Until when whoever tries both IP versions has turned to the other one."""
MOST = 1_000
"""Connections that are looked at."""
Ends = tuple[Address, Address, int | None]
"""Client, server and the server's port."""


def reached(case: Case, packets: Sequence[int]) -> Texts | None:
    """
    Return the names that packets were for, if each of their connections was one try of several, and another succeeded.

    None, if one of them was the only try.
    """
    numbers: Int64 = np.unique(case.connection[np.array(packets, np.int64)])
    if not len(numbers) or numbers[0] < 0 or len(numbers) > MOST:
        return None
    found: list[tuple[str, int]] = []
    for number in numbers.tolist():
        name = _reached(case, case.tracer.connection(number))
        if name is None:
            return None
        found.append((name, int(case.numbers[case.packets_of(number)[0]])))
    return Texts.of(found)


def _reached(case: Case, connection: Connection) -> str | None:
    """Return the name by another address of which the same client reached the same port."""
    flow, names, served = connection.original, case.once(_names_of), case.once(_served)
    for name in sorted(names.get(flow.dst, ())):
        others = case.once(_addresses_of)[name] - {flow.dst}
        if any((client, other, flow.dport) in served for other in others for client in _clients(case, flow.src)):
            return name
    return _by_other_version(case, connection)


def _by_other_version(case: Case, connection: Connection) -> str | None:
    """Return what failed, if the same client reached the same port by the other IP version right after."""
    flow, table = connection.original, case.context.connections
    if flow.dport is None or connection.protocol != "tcp" or flow.src.version != 6:
        return None
    after = table["first_ns"] - connection.first_ns
    others: Array = (table["proto"] == PROTO_TCP) & (table["version"] == 4) & (table["orig_dport"] == flow.dport)
    others &= case.answered_in_the_end & (after >= 0) & (after <= SOON_NS)
    clients = [int(ip) for ip in _clients(case, flow.src) if ip.version == 4]
    return str(flow.dst) if (others & Addresses.of(table, "orig_src").among(clients)).any() else None


def _clients(case: Case, src: Address) -> set[Address]:
    """Return the addresses of whoever has one: a container's of both IP versions."""
    owners = (c for host in case.hosts.states for c in host.containers if src in c.addresses)
    return {src, *(ip for owner in owners for ip in owner.addresses)}


def _addresses_of(case: Case) -> dict[str, set[Address]]:
    found: dict[str, set[Address]] = defaultdict(set)
    for query in case.names:
        for record in query.records if query.kind in ("A", "AAAA") else ():
            try:
                found[query.name.rstrip(".").lower()].add(ip_address(record))
            except ValueError:
                continue
    return found


def _names_of(case: Case) -> dict[Address, set[str]]:
    found: dict[Address, set[str]] = defaultdict(set)
    for name, addresses in case.once(_addresses_of).items():
        for ip in addresses if len(addresses) > 1 else ():
            found[ip].add(name)
    return found


def _served(case: Case) -> set[Ends]:
    """Return the ends of connections to such addresses to which an answer got through."""
    known = [int(ip) for ip in case.once(_names_of)]
    to_them = Addresses.of(case.context.connections, "orig_dst").among(known)
    flows = (
        case.tracer.connection(number).original
        for number in np.flatnonzero(case.answered_in_the_end & to_them).tolist()
    )
    return {(flow.src, flow.dst, flow.dport) for flow in flows}
