"""Questions to name servers, sorted by what became of them: four hypotheses ask for them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import numpy as np

from analyzer.explain.tally import Texts
from analyzer.explain.told import Facts
from analyzer.model import Address
from analyzer.model.overview import NameQuery

if TYPE_CHECKING:
    from analyzer.explain.case import Case

FAILURES = ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP")


def by_server(queries: Iterable[NameQuery]) -> dict[Address, list[NameQuery]]:
    """Group questions."""
    found: dict[Address, list[NameQuery]] = defaultdict(list)
    for query in queries:
        found[query.server].append(query)
    return found


def packets_of(queries: Iterable[NameQuery]) -> list[int]:
    """Return the packets that ask."""
    return sorted({query.journey for query in queries})


def silent(case: "Case") -> list[NameQuery]:
    """
    Return the questions that got no answer although there was time for one.

    One that was asked again and answered then is not open. Nor is one whose connection has an answer that was cut so
    short that nobody can read it.
    """
    unreadable = case.once(_with_cut_answers)
    answered = {(q.name.lower(), q.kind, q.asker, q.server) for q in case.names if q.answer is not None}
    return [
        query
        for query in case.names
        if query.answer is None
        and (query.name.lower(), query.kind, query.asker, query.server) not in answered
        and case.quoted_by[query.journey] < 0
        and int(case.connection[query.journey]) not in unreadable
        and case.waited(query.journey)
    ]


def _with_cut_answers(case: "Case") -> set[int]:
    """Return the connections of packets that may be answers, and of which no capture kept all."""
    context, frames, rows = case.context, case.context.frames, case.context.hops["row"]
    if not context.packets:
        return set()
    cut = np.logical_and.reduceat(frames["cap_len"][rows] < frames["orig_len"][rows], context.packet_start[:-1])
    cut &= case.reply
    cut[[query.answer for query in case.names if query.answer is not None]] = False
    return set(case.connection[cut].tolist())


SLOW_NS = 1_000_000_000
"""Resolvers ask again after a second or more (resolv.conf(5), timeout)."""


def slow(case: "Case") -> list[NameQuery]:
    """Return the questions whose answer took a second and more."""
    return [query for query in case.names if (query.latency_ns or 0) >= SLOW_NS]


def told(case: "Case", queries: Iterable[NameQuery]) -> Texts:
    """Name what was asked for."""
    return Texts.of((f"{query.name} {query.kind}", int(case.numbers[query.journey])) for query in queries)


def asked_names(case: "Case", queries: Iterable[NameQuery]) -> Texts:
    """Return the names that were asked for, each once."""
    return Texts.of((query.name.rstrip("."), int(case.numbers[query.journey])) for query in queries)


@dataclass(frozen=True, slots=True)
class Asker:
    """A container that asks name servers."""

    host: str | None
    container: str


def asker_of(case: "Case", query: NameQuery) -> Asker | None:
    """Return the container that asks; None if it is none, or nobody knows."""
    row = int(case.first_row[query.journey])
    owner = case.context.owner_of_address(query.asker, row)
    name = case.context.point(row).container or (owner.name if owner is not None else None)
    return Asker(case.context.point(row).host, name) if name is not None else None


def resolver_of(case: "Case", query: NameQuery) -> Facts:
    """Say whose ``resolv.conf`` names the server that is asked, and whom the host itself asks."""
    row = int(case.first_row[query.journey])
    host, owner = case.context.host_at(row), case.context.owner_of_address(query.asker, row)
    state = host.inside.get(owner.name) if owner is not None else None
    if owner is None or state is None or query.server not in state.resolvers:
        return {}
    others = [str(ip) for ip in host.resolvers if ip not in state.resolvers and not ip.is_loopback]
    return {"resolv_conf": owner.name, "hosts_servers": others}


def completed(case: "Case", packet: int) -> Facts:
    """Say that an address was found by a short name and a search domain, which may have been meant for somebody "
    "else."""
    row = int(case.first_row[packet])
    src, dst = case.context.src(row), case.context.dst(row)
    host, name = case.context.host_at(row), case.resolved.get(dst) if dst is not None else None
    owner = case.context.owner_of_address(src, row) if src is not None else None
    state = host.inside.get(owner.name) if owner is not None else None
    for domain in state.search if state is not None and name is not None else ():
        short = name.removesuffix(f".{domain}") if name is not None else ""
        if short != name:
            return {"short_name": short, "domain": domain}
    return {}


def unknown_names(queries: Iterable[NameQuery]) -> list[str]:
    """
    Return the names that got NXDOMAIN, and that exist in no form.

    Resolvers try a name with each search domain behind it (resolv.conf(5)): that one of these is unknown means nothing,
    if another is known.
    """
    outcomes: dict[str, set[str | None]] = defaultdict(set)
    for query in queries:
        outcomes[query.name.rstrip(".").lower()].add(query.outcome)
    known = [name for name, of in outcomes.items() if "NOERROR" in of]
    vain = [name for name, of in outcomes.items() if of == {"NXDOMAIN"}]
    return [name for name in vain if not any(_alike(name, other) for other in known)]


def _alike(one: str, other: str) -> bool:
    """Tell whether two names are one, with and without a search domain, or with two."""
    short, long = sorted((one, other), key=len)
    return long.startswith(f"{short}.") or one.partition(".")[0] == other.partition(".")[0]


def resolved(queries: Iterable[NameQuery]) -> dict[Address, str]:
    """Return the name that each address was the answer for; none where there were several."""
    names: dict[Address, set[str]] = defaultdict(set)
    for query in queries:
        if query.kind in ("A", "AAAA"):
            for record in query.records:
                try:
                    names[ip_address(record)].add(query.name.rstrip("."))
                except ValueError:
                    continue  # an alias, which the addresses come after
    return {ip: next(iter(of)) for ip, of in names.items() if len(of) == 1}
