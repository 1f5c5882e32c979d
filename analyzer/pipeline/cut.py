"""An analysis cut into parts by its data: what is told of each part, put together, is what is told of the whole.

What belongs together stays together: everything that one client wants of one service (whoever tries several addresses
of a name, or asks again, does that to one port), the two connections of a relay, those that might be one or the other,
an ICMP error and what it quotes, all that is for a destination of which such an error speaks, and answers that come
from elsewhere. What is small and asked for by all is in every part, and told in one: the messages of neighbours and of
name servers, and whatever has no connection.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from analyzer.correlate.connections import Doubts
from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case, ReadAgain
from analyzer.model.overview import NameQuery
from analyzer.pipeline.part import Part
from analyzer.report.lines import Batch
from analyzer.schema import Array, Columns, Int64
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context, Share
from analyzer.trace.known import Known

if TYPE_CHECKING:
    from analyzer.pipeline.trace import Trace

ENDS = {"orig_src": "orig_sport", "orig_dst": "orig_dport", "reply_src": "reply_sport", "reply_dst": "reply_dport"}
"""Addresses of CONNECTIONS, and their ports."""
CLIENTS = (("orig_src", "orig_sport", "orig_dport"), ("reply_dst", "reply_dport", "reply_sport"))
"""Who asks before and after translation: address, own port, and the server's."""


def parts_of(trace: "Trace") -> tuple[Part, ...]:
    """Cut an analysis into as many parts as it shall be told in."""
    context = trace.context
    if trace.cut < 2:
        files, found = trace.files, trace.correlated.contradictions
        case = Case(context, trace.tracer, files, found, lambda: trace.names, trace.read_again)
        return (Part(context, trace.tracer, case),)
    cut = Cut(context, trace.names, trace.tracer.quoted_by_error, trace.cut)
    contexts = list(cut.contexts())
    known = Known(contexts)
    for one in contexts:
        one.known = known
    return tuple(_part(trace, one) for one in contexts)


def _part(trace: "Trace", context: Context) -> Part:
    place = _numbered(context.connection_id(np.arange(len(context.connections["proto"]))))
    found = [replace(one, connection=place[one.connection])
             for one in trace.correlated.contradictions if one.connection in place]  # fmt: skip
    tracer = Tracer(context)
    names, read_again = partial(_names, trace, context), _reader(trace, context)
    return Part(context, tracer, Case(context, tracer, trace.files, found, names, read_again))


def _reader(trace: "Trace", context: Context) -> ReadAgain:
    rows = context.share.rows
    if rows is None:
        return trace.read_again
    return lambda wanted: (
        (int(np.searchsorted(rows, row)), data, length, interface)
        for row, data, length, interface in trace.read_again(rows[wanted])
    )


def _names(trace: "Trace", context: Context) -> list[NameQuery]:
    """Return questions to name servers by the numbers that packets have in a part."""
    place = _numbered(context.numbers)
    return [
        replace(query, journey=place[query.journey], answer=None if query.answer is None else place[query.answer])
        for query in trace.names
    ]


def _numbered(numbers: Int64) -> dict[int, int]:
    return {number: place for place, number in enumerate(numbers.tolist())}


class Telling:
    """What reports that grow are given: all that there is, or what was selected, in order of time."""

    def __init__(self, trace: "Trace", chosen: Sequence[int] | None) -> None:
        """Tell packets by their numbers, all of them if *chosen* is None."""
        self._trace, self._chosen = trace, chosen

    def batches(self) -> Iterator[Batch]:
        """Tell the journeys."""
        return self._trace.batches(self._chosen)

    def sightings(self) -> Columns:
        """Return HOPS of them, without ``row``, and each row's FRAMES."""
        tables = [part.sightings(self._chosen) for part in self._trace.parts]
        if len(tables) == 1:
            return tables[0]
        found = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
        order = np.argsort(found["packet"], kind="stable")
        return {name: column[order] for name, column in found.items()}


class Cut:
    """A context in parts."""

    def __init__(self, context: Context, names: list[NameQuery], quoted: dict[int, int], count: int) -> None:
        """
        Cut into *count* parts, or as many as there is data for.

        *names* are all questions to name servers, *quoted* the packets that ICMP errors are about, by the error's.
        """
        self._whole, self._names, self._quoted = context, names, quoted
        self._connection = context.hops["connection"][context.packet_start[:-1]].astype(np.int64)
        _, errand = np.unique(self._joined(), return_inverse=True)
        self.count = max(min(count, int(errand.max(initial=0)) + 1), 1)
        self._part_of = errand % self.count
        self._told_in = np.append(self._part_of, 0)[self._connection]
        for error, packet in quoted.items():
            self._told_in[error] = self._told_in[packet]

    def contexts(self) -> Iterator[Context]:
        """Give the tables of each part."""
        return map(self._context, range(self.count))

    @cached_property
    def _everywhere(self) -> Array:
        """(connections,) bool: those with messages of name servers."""
        found = np.zeros(len(self._part_of) + 1, bool)
        for query in self._names:
            found[self._connection[[query.journey, *([query.answer] if query.answer is not None else [])]]] = True
        return found[:-1]

    def _joined(self) -> Int64:
        """(connections,) The least number of those that have to be in one part with each."""
        table, of = self._whole.connections, self._connection.tolist()
        parent = list(range(len(table["proto"])))

        def root(number: int) -> int:
            while parent[number] != number:
                number = parent[number] = parent[parent[number]]
            return number

        for one, other in self._pairs(table, of):
            if one >= 0 and other >= 0:
                low, high = sorted((root(one), root(other)))
                parent[high] = low
        return np.array([root(number) for number in range(len(parent))], np.int64)

    def _pairs(self, table: Columns, of: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Give pairs of connections that have to be in one part."""
        first: dict[Hashable, int] = {}
        for number, key in self._keys():
            yield first.setdefault(key, number), number
        yield from enumerate(table["relayed_to"].tolist())
        for number, others in (*self._whole.doubts.candidates.items(), *self._whole.doubts.maybe.items()):
            yield from ((number, other) for other in others)
        yield from ((of[error], of[quoted]) for error, quoted in self._quoted.items())
        yield from ((of[query.journey], of[query.answer]) for query in self._names if query.answer is not None)

    def _keys(self) -> Iterator[tuple[int, Hashable]]:
        """Give connections, and what they have in common with those that belong to them."""
        table = {name: column.tolist() for name, column in self._whole.connections.items()}
        states = self._whole.hosts.states
        owners = {int(ip): (host.name, c.name) for host in states for c in host.containers for ip in c.addresses}
        spoken_of = (self._whole.quotes[name].tolist() for name in ("dst_hi", "dst"))
        targets = {high << 64 | low for high, low in zip(*spoken_of, strict=True)}
        for number, proto in enumerate(table["proto"]):
            ends = {name: table[f"{name}_hi"][number] << 64 | table[name][number] for name in ENDS}
            who = ends["orig_src"]
            yield number, ("errand", owners.get(who, who), proto, table["orig_dport"][number])
            for target in targets & {ends["orig_dst"], ends["reply_src"]}:
                yield number, ("target", target)
            for client, own, server in CLIENTS:
                yield number, ("asker", proto, ends[client], table[own][number], table[server][number])
            for name, port in ENDS.items() if proto == PROTO_UDP else ():
                yield number, ("port", ends[name], table[port][number])

    def _context(self, part: int) -> Context:
        """Return the tables of a part: its own connections, and what is in every part."""
        whole = self._whole
        chosen = (self._part_of == part) | self._everywhere
        hops = {name: column[np.append(chosen, True)[whole.hops["connection"]]] for name, column in whole.hops.items()}
        rows, packets, connections = np.sort(hops["row"]), np.unique(hops["packet"]), np.flatnonzero(chosen)
        row, connection = _places(rows, len(whole.frames["frame"])), _places(connections, len(chosen) + 1)
        hops |= {
            "row": row[hops["row"]],
            "packet": np.searchsorted(packets, hops["packet"]),
            "connection": connection[hops["connection"]].astype(np.int32),
        }
        table = {name: column[chosen] for name, column in whole.connections.items()}
        for name in ("relayed_to", "relayed_from"):
            table[name] = connection[table[name]].astype(np.int32)
        quotes, neighbours, tunnels = (_with_rows(one, row) for one in (whole.quotes, whole.neighbours, whole.tunnels))
        return Context(
            {name: column[rows] for name, column in whole.frames.items()},
            quotes,
            neighbours,
            tunnels,
            hops,
            table,
            whole.points,
            whole.hosts,
            Doubts(*(_of(pairs, connection) for pairs in (whole.doubts.candidates, whole.doubts.maybe))),
            whole.apart,
            Share((self._told_in == part)[packets], packets, connections, rows, whole.end_ns),
        )


def _of(pairs: dict[int, set[int]], connection: Int64) -> dict[int, set[int]]:
    kept = {int(connection[one]): {int(connection[other]) for other in others if connection[other] >= 0}
            for one, others in pairs.items() if connection[one] >= 0}  # fmt: skip
    return {one: others for one, others in kept.items() if others}


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
