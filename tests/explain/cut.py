"""An analysis cut into parts by its data, as if each were worked on by another machine.

What belongs together stays together: everything that one client wants of one service (whoever tries several addresses
of a name, or asks again, does that to one port), the two connections of a relay, an ICMP error and what it quotes, all
that is for a destination of which such an error speaks, and answers that come from elsewhere. What is small and asked
for by all is in every part, and told in one: the messages of neighbours and of name servers, which have few packets.
"""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case, Share
from analyzer.explain.group import merge, settle
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.explain.rank import Asked, Totals
from analyzer.model import Finding
from analyzer.model.overview import NameQuery
from analyzer.pipeline import Trace
from analyzer.schema import Array, Columns, Int64
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context

COMPARED = ("counted-down.bridge", "counted-down.user.mixed", "detour.bridge")
"""Recordings in which why nobody answers is told by what others are answered: of the whole alone."""


def findings_in_parts(trace: Trace, count: int, *, backwards: bool = False) -> tuple[tuple[Finding, ...], int]:
    """Explain part by part, and put together what they tell; return that, and the number of parts."""
    asked = [Asked(case, HYPOTHESES) for case in Cut(trace, count).cases()]
    totals: Totals = Counter()
    for one in asked:
        totals.update(one.totals())
    groups = [one.groups(totals) for one in asked]
    failures = [failure for one in asked for failure in one.failures]

    assert not failures
    return settle(merge(reversed(groups) if backwards else groups)), len(asked)


class Cut:
    """A trace in parts."""

    def __init__(self, trace: Trace, count: int) -> None:
        self._trace, self._context = trace, trace.context
        context = self._context
        self._connection = context.hops["connection"][context.packet_start[:-1]].astype(np.int64)
        self._errands = self._joined()
        self._count = max(min(count, len(set(self._errands.tolist()))), 1)

    def cases(self) -> Iterator[Case]:
        """Give each part, with tables of its own."""
        _, errand = np.unique(self._errands, return_inverse=True)
        part_of = errand % self._count
        for number in range(self._count):
            told = part_of == number
            yield self._case(told, told | self._names, number)

    @cached_property
    def _names(self) -> Array:
        """(connections,) bool: those with messages of name servers."""
        found = np.zeros(len(self._errands) + 1, bool)
        for query in self._trace.names:
            found[self._connection[[query.journey, *([query.answer] if query.answer is not None else [])]]] = True
        return found[:-1]

    def _joined(self) -> Int64:
        """(connections,) The least number of those that have to be in one part with each."""
        table, context = self._context.connections, self._context
        parent = list(range(len(table["proto"])))

        def root(number: int) -> int:
            while parent[number] != number:
                number = parent[number] = parent[parent[number]]
            return number

        def join(one: int, other: int) -> None:
            if one >= 0 and other >= 0:
                low, high = sorted((root(one), root(other)))
                parent[high] = low

        first: dict[Hashable, int] = {}
        for number, key in self._keys():
            join(first.setdefault(key, number), number)
        for number, other in enumerate(table["relayed_to"].tolist()):
            join(number, other)
        for error, quoted in self._trace.tracer.quoted_by_error.items():
            join(int(self._connection[error]), int(self._connection[quoted]))
        for query in self._trace.names:
            if query.answer is not None:
                join(int(self._connection[query.journey]), int(self._connection[query.answer]))
        assert len(parent) == len(context.connections["proto"])
        return np.array([root(number) for number in range(len(parent))], np.int64)

    def _keys(self) -> Iterator[tuple[int, Hashable]]:
        """Give connections, and what they have in common with those that belong to them."""
        table = self._context.connections
        owners = {int(ip): (host.name, c.name) for host in self._trace.hosts.states for c in host.containers
                  for ip in c.addresses}  # fmt: skip
        targets = {int(error.target) for error in Case(self._context, self._trace.tracer, [], []).errors}
        for number in range(len(table["proto"])):
            ends = {name: self._end(number, name) for name in ("orig_src", "orig_dst", "reply_src", "reply_dst")}
            who = ends["orig_src"]
            proto, port = int(table["proto"][number]), int(table["orig_dport"][number])
            yield number, ("errand", owners.get(who, who), proto, port)
            for target in targets & {ends["orig_dst"], ends["reply_src"]}:
                yield number, ("target", target)
            for client, own, server in (("orig_src", "orig_sport", "orig_dport"),
                                        ("reply_dst", "reply_dport", "reply_sport")):  # fmt: skip
                asker = int(table[own][number]), int(table[server][number])
                yield number, ("asker", proto, ends[client], *asker)
            for name in ends if proto == PROTO_UDP else ():
                side = {"orig_src": "orig_sport", "orig_dst": "orig_dport",
                        "reply_src": "reply_sport", "reply_dst": "reply_dport"}[name]  # fmt: skip
                yield number, ("port", ends[name], int(table[side][number]))

    def _end(self, number: int, name: str) -> int:
        table = self._context.connections
        return int(table[f"{name}_hi"][number]) << 64 | int(table[name][number])

    def _case(self, told: Array, chosen: Array, number: int) -> Case:
        """Return the connections that are *chosen*, with those that are told here; the first part tells the others."""
        whole = self._context
        hops = {name: column[np.append(chosen, True)[whole.hops["connection"]]] for name, column in whole.hops.items()}
        rows, packets = np.sort(hops["row"]), np.unique(hops["packet"])
        row = _places(rows, len(whole.frames["frame"]))
        connection = _places(np.flatnonzero(chosen), len(chosen) + 1)
        hops |= {
            "row": row[hops["row"]],
            "packet": np.searchsorted(packets, hops["packet"]),
            "connection": connection[hops["connection"]].astype(np.int32),
        }
        table = {name: column[chosen] for name, column in whole.connections.items()}
        for name in ("relayed_to", "relayed_from"):
            table[name] = connection[table[name]].astype(np.int32)
        doubts = {
            int(connection[one]): {int(connection[other]) for other in others if connection[other] >= 0}
            for one, others in whole.doubts.candidates.items()
            if connection[one] >= 0
        }
        context = Context(
            {name: column[rows] for name, column in whole.frames.items()},
            *(_with_rows(side, row) for side in (whole.quotes, whole.neighbours, whole.tunnels)),
            hops, table, whole.points, whole.hosts, type(whole.doubts)(doubts), whole.apart,
        )  # fmt: skip
        _tell_all(context, whole, row)
        contradictions = [
            replace(one, connection=int(connection[one.connection]))
            for one in self._trace.correlated.contradictions
            if connection[one.connection] >= 0
        ]
        mine = np.append(told, number == 0)[self._connection[packets]]
        end_ns = Case(whole, self._trace.tracer, [], []).end_ns
        return Case(
            context, Tracer(context), self._trace.files, contradictions,
            lambda: self._renumbered(packets),
            lambda wanted: ((int(row[place]), *rest) for place, *rest in self._trace.read_again(rows[wanted])),
            share=Share(mine, packets, np.flatnonzero(chosen), end_ns),
        )  # fmt: skip

    def _renumbered(self, packets: Int64) -> list[NameQuery]:
        place = {number: place for place, number in enumerate(packets.tolist())}
        return [
            replace(query, journey=place[query.journey], answer=None if query.answer is None else place[query.answer])
            for query in self._trace.names
        ]


def _tell_all(context: Context, whole: Context, row: Int64) -> None:
    """Give a part what small tables tell of all: the host's MACs, where each MAC is at home, and clocks."""
    clocks = [replace(pair, rows=tuple(int(row[n]) for n in pair.rows if row[n] >= 0)) for pair in whole.two_clocks]
    vars(context).update(host_macs=whole.host_macs, homes=whole.homes, two_clocks=clocks)


def _places(numbers: Int64, count: int) -> Int64:
    """(count,) Where each number is among *numbers*, -1 for those that are not."""
    found = np.full(count, -1, np.int64)
    found[numbers] = np.arange(len(numbers))
    return found


def _with_rows(side: Columns, row: Int64) -> Columns:
    """Return those lines of a table whose rows are there."""
    here = row[side["row"]] >= 0
    found = {name: column[here] for name, column in side.items()}
    return found | {"row": row[found["row"]]}
