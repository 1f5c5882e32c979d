"""An analysis cut into parts by its data: what is told of each part, put together, is what is told of the whole.

What belongs together stays together: everything that one client wants of one service (whoever tries several addresses
of a name, or asks again, does that to one port), the two connections of a relay, those that might be one or the other,
what an ICMP error is about, all that is for a destination of which such an error speaks, and answers that come from
elsewhere. What is small and asked for by all is in every part, and told in one: the messages of neighbours and of
name servers, and ICMP errors.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.correlate.assemble import Part
from analyzer.correlate.identity import has
from analyzer.correlate.shares import Hand, collect, deal, part_of
from analyzer.decode.offsets import PROTO_UDP
from analyzer.decode.vector import SIDE_TABLES
from analyzer.pipeline.engine import Engine
from analyzer.pipeline.subset import Common, context_of, rows_of, together
from analyzer.read.work import Work
from analyzer.schema import Array, Columns, Int64, Layer
from analyzer.trace.context import Context

ENDS = {"orig_src": "orig_sport", "orig_dst": "orig_dport", "reply_src": "reply_sport", "reply_dst": "reply_dport"}
"""Addresses of CONNECTIONS, and their ports."""
CLIENTS = (("orig_src", "orig_sport", "orig_dport"), ("reply_dst", "reply_dport", "reply_sport"))
"""Who asks before and after translation: address, own port, and the server's."""
BETWEEN = (("orig_src", "orig_dst"), ("orig_src", "reply_src"), ("reply_dst", "orig_dst"), ("reply_dst", "reply_src"))
"""Between whom packets of a connection are seen."""


SHARED = Layer.NEIGHBOUR | Layer.QUOTE | Layer.ICMP
"""Packets without a connection that are in every part."""


@dataclass(frozen=True, slots=True)
class ByErrand:
    """What belongs together goes to one part; what is in every part goes to one behind them."""

    count: int
    of_connection: Int64
    """(connections,) Part of each."""
    everywhere: Array
    """(connections,) bool: it is in every part."""

    @property
    def parts(self) -> int:
        """How many there are."""
        return self.count + 1

    def __call__(self, table: Columns) -> Int64:
        """(n,) Tell it of the rows of a table."""
        connection = table["connection"]
        found: Int64 = np.append(self.of_connection, 0)[connection]
        none = np.flatnonzero(connection < 0)
        found[none] = part_of(table["packet"][none], self.count)
        shared = np.append(self.everywhere, False)[connection]
        shared[none] = has(table["layers"][none], SHARED)
        found[shared] = self.count
        return found


def _deal(common: tuple[ByErrand, Work], part: Part) -> Hand:
    rule, work = common
    return deal(*rows_of(part), rule, work)


class Cut:
    """Packets in parts."""

    def __init__(self, common: Common, named: Array, quotes: Columns, count: int, work: Work, engine: Engine) -> None:
        """
        Cut into *count* parts, or as many as there is data for.

        Args:
            common: what all parts have in common.
            named: (n, 2) connections of questions to name servers and of their answers; -1 for none.
            quotes: all QUOTES.
            count: how many parts.
            work: where their tables are kept.
            engine: does the work.
        """
        self._common, self._named, self._quotes = common, named, quotes
        self._quoted = set(_pairs(quotes))
        self._of_pair: dict[frozenset[int], int] = {}
        """The first connection between two addresses that errors speak of."""
        _, errand = np.unique(self._joined(), return_inverse=True)
        self.count = max(min(count, int(errand.max(initial=0)) + 1), 1)
        self._part_of = errand % self.count
        self._everywhere = np.isin(np.arange(len(errand)), named)
        rule = ByErrand(self.count, self._part_of, self._everywhere)
        hands = engine.map(_deal, (rule, work), common.correlated.parts)
        *self._dealt, self._shared = collect(hands, tuple(SIDE_TABLES))
        self._told_in = self._tell_shared()

    def context(self, part: int) -> Context:
        """Return the tables of a part: its own connections, and what is in every part."""
        own, sides = self._dealt[part].tables()
        shared, of_shared = together([self._shared.tables()])
        own["mine"] = np.ones(len(own["row"]), bool)
        table, sides = together([(own, sides), (shared | {"mine": self._told_in == part}, of_shared)])
        connections = np.flatnonzero((self._part_of == part) | self._everywhere)
        return context_of(self._common, table, sides, connections, table["mine"])

    def _tell_shared(self) -> Int64:
        """(rows,) The part that tells each of those that are in every one: an error's is that of what it quotes."""
        table, sides = together([self._shared.tables()])
        found: Int64 = np.append(self._part_of, 0)[table["connection"]]
        first = [self._of_pair.get(pair, -1) for pair in _pairs(sides["quotes"])]
        parts = np.append(self._part_of, 0)[np.array(first, np.int64)]
        packet = table["packet"][np.searchsorted(table["row"], sides["quotes"]["row"])]
        order = np.argsort(packet, kind="stable")
        place = np.searchsorted(packet[order], table["packet"])
        known = np.append(packet[order], -1)[place] == table["packet"]
        known &= table["connection"] < 0
        found[known] = parts[order[place[known]]]
        return found

    def _joined(self) -> Int64:
        """(connections,) The least number of those that have to be in one part with each."""
        table = self._common.correlated.connections
        parent = list(range(len(table["proto"])))

        def root(number: int) -> int:
            while parent[number] != number:
                number = parent[number] = parent[parent[number]]
            return number

        for one, other in self._joins(table):
            if one >= 0 and other >= 0:
                low, high = sorted((root(one), root(other)))
                parent[high] = low
        return np.array([root(number) for number in range(len(parent))], np.int64)

    def _joins(self, table: Columns) -> Iterator[tuple[int, int]]:
        """Give pairs of connections that have to be in one part."""
        first: dict[Hashable, int] = {}
        for number, key in self._keys(table):
            yield first.setdefault(key, number), number
        yield from enumerate(table["relayed_to"].tolist())
        doubts = self._common.correlated.doubts
        for number, others in (*doubts.candidates.items(), *doubts.maybe.items()):
            yield from ((number, other) for other in others)
        yield from self._named.tolist()

    def _keys(self, table: Columns) -> Iterator[tuple[int, Hashable]]:
        """Give connections, and what they have in common with those that belong to them."""
        values = {name: column.tolist() for name, column in table.items()}
        states = self._common.hosts.states
        owners = {int(ip): (host.name, c.name) for host in states for c in host.containers for ip in c.addresses}
        targets = {
            high << 64 | low for high, low in zip(*(self._quotes[n].tolist() for n in ("dst_hi", "dst")), strict=True)
        }
        for number, proto in enumerate(values["proto"]):
            ends = {name: values[f"{name}_hi"][number] << 64 | values[name][number] for name in ENDS}
            who = ends["orig_src"]
            yield number, ("errand", owners.get(who, who), proto, values["orig_dport"][number])
            for target in targets & {ends["orig_dst"], ends["reply_src"]}:
                yield number, ("target", target)
            for pair in self._quoted & {frozenset((ends[one], ends[other])) for one, other in BETWEEN}:
                self._of_pair.setdefault(pair, number)
                yield number, ("quoted", pair)
            for client, own, server in CLIENTS:
                yield number, ("asker", proto, ends[client], values[own][number], values[server][number])
            for name, port in ENDS.items() if proto == PROTO_UDP else ():
                yield number, ("port", ends[name], values[port][number])


def _pairs(quotes: Columns) -> list[frozenset[int]]:
    """Return between whom the packets went that ICMP errors quote."""
    columns = [quotes[f"{end}{half}"].tolist() for end in ("src", "dst") for half in ("_hi", "")]
    return [frozenset((a << 64 | b, c << 64 | d)) for a, b, c, d in zip(*columns, strict=True)]
