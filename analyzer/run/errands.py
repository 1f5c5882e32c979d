"""Which connections belong together, so that whatever is asked of one finds the others in its part.

Together are what a client wants of one port of a server, and of that port of any server where it got no answer or was
refused, with what it turned to then; the addresses of a name; the two connections of a relay; those that might be one
or the other; a question to a name server and its answer; answers that come from elsewhere; what a client wants of an
FTP server; and what goes between two addresses of which an ICMP error speaks, or to such a destination.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.explain.otherwise import SOON_NS
from analyzer.explain.refuser import AT_ONCE_NS
from analyzer.explain.spoken import FTP
from analyzer.model.overview import NameQuery
from analyzer.run.names import Names
from analyzer.run.subset import Common
from analyzer.schema import Columns, Int64

ENDS = {"orig_src": "orig_sport", "orig_dst": "orig_dport", "reply_src": "reply_sport", "reply_dst": "reply_dport"}
"""Addresses of CONNECTIONS, and their ports."""
CLIENTS = (("orig_src", "orig_sport", "orig_dport"), ("reply_dst", "reply_dport", "reply_sport"))
"""Who asks before and after translation: address, own port, and the server's."""
BETWEEN = (("orig_src", "orig_dst"), ("orig_src", "reply_src"), ("reply_dst", "orig_dst"), ("reply_dst", "reply_src"))
"""Between whom packets of a connection are seen."""
FEW = 3
"""What somebody turns to: one of the first is enough to show it."""


class Errands:
    """All connections of an analysis."""

    def __init__(self, common: Common, names: Names, quotes: Columns) -> None:
        """Take what parts have in common, all questions to name servers, and all QUOTES."""
        self._common, self._names, self._quotes = common, names, quotes
        self._table = common.correlated.connections
        self._troubled = ~self._table["seen_reply"] | self._table["reset"]
        owners: dict[int, Hashable] = {
            int(ip): (host.name, one.name)
            for host in common.hosts.states
            for one in host.containers
            for ip in one.addresses
        }
        ends = zip(self._table["orig_src_hi"].tolist(), self._table["orig_src"].tolist(), strict=True)
        self._clients = [owners.get(high << 64 | low, high << 64 | low) for high, low in ends]
        self.between: dict[frozenset[int], int] = {}
        """The first connection between two addresses of which ICMP errors speak."""

    def of_connections(self) -> Int64:
        """(connections,) Return the least number of those that have to be in one part with each."""
        parent = list(range(len(self._clients)))

        def root(number: int) -> int:
            while parent[number] != number:
                number = parent[number] = parent[parent[number]]
            return number

        for one, other in self._joins():
            if one >= 0 and other >= 0:
                low, high = sorted((root(one), root(other)))
                parent[high] = low
        return np.array([root(number) for number in range(len(parent))], np.int64)

    def _joins(self) -> Iterator[tuple[int, int]]:
        """Give pairs of connections that have to be in one part."""
        first: dict[Hashable, int] = {}
        for number, key in self._keys():
            yield first.setdefault(key, number), number
        yield from enumerate(self._table["relayed_to"].tolist())
        doubts = self._common.correlated.doubts
        for number, others in (*doubts.candidates.items(), *doubts.maybe.items()):
            yield from ((number, other) for other in others)
        yield from self._names.connections.tolist()
        yield from self._instead()

    def _keys(self) -> Iterator[tuple[int, Hashable]]:
        """Give connections, and what they have in common with those that belong to them."""
        table = {name: column.tolist() for name, column in self._table.items()}
        troubled, names = self._troubled.tolist(), _names_of(self._names.asked)
        spoken_of = (self._quotes[name].tolist() for name in ("dst_hi", "dst"))
        targets = {high << 64 | low for high, low in zip(*spoken_of, strict=True)}
        quoted, ftp = set(pairs(self._quotes)), self._of_ftp()
        for number, proto in enumerate(table["proto"]):
            ends = {name: table[f"{name}_hi"][number] << 64 | table[name][number] for name in ENDS}
            who, port = self._clients[number], table["orig_dport"][number]
            yield number, ("call", ends["orig_src"], proto, ends["orig_dst"], port)
            if troubled[number]:
                yield number, ("errand", who, proto, port)
            if (who, ends["orig_dst"]) in ftp:  # data connections have ports of their own
                yield number, ("ftp", who, ends["orig_dst"])
            for name in names.get(ends["orig_dst"], ()):
                yield number, ("name", who, name, port)
            for target in targets & {ends["orig_dst"], ends["reply_src"]}:
                yield number, ("target", target)
            for pair in quoted & {frozenset((ends[one], ends[other])) for one, other in BETWEEN}:
                self.between.setdefault(pair, number)
                yield number, ("quoted", pair)
            for client, own, server in CLIENTS:
                yield number, ("asker", proto, ends[client], table[own][number], table[server][number])
            for name, own in ENDS.items() if proto == PROTO_UDP else ():
                yield number, ("port", ends[name], table[own][number])

    def _of_ftp(self) -> set[tuple[Hashable, int]]:
        """Return the clients of FTP servers, each with the server as it knows it."""
        table = self._table
        control = (table["proto"] == PROTO_TCP) & ((table["orig_dport"] == FTP) | (table["reply_sport"] == FTP))
        return {
            (self._clients[number], int(table["orig_dst_hi"][number]) << 64 | int(table["orig_dst"][number]))
            for number in np.flatnonzero(control).tolist()
        }

    def _instead(self) -> Iterator[tuple[int, int]]:
        """Give connections that came to nothing, and those to the same port that their client turned to next."""
        ends = list(zip(self._clients, self._table["proto"].tolist(), self._table["orig_dport"].tolist(), strict=True))
        good: dict[Hashable, list[int]] = {}
        for number in np.flatnonzero(~self._troubled).tolist():  # in order of time
            good.setdefault(ends[number], []).append(number)
        first, last = self._table["first_ns"].tolist(), self._table["last_ns"].tolist()
        for number in np.flatnonzero(self._troubled).tolist():
            same = good.get(ends[number], [])
            for begin, patience in ((last[number], AT_ONCE_NS), (first[number], SOON_NS)):
                at = bisect_left(same, begin, key=first.__getitem__)
                yield from ((number, other) for other in same[at : at + FEW] if first[other] - begin <= patience)


def pairs(quotes: Columns) -> list[frozenset[int]]:
    """Return between whom the packets went that ICMP errors quote."""
    columns = [quotes[f"{end}{half}"].tolist() for end in ("src", "dst") for half in ("_hi", "")]
    return [frozenset((a << 64 | b, c << 64 | d)) for a, b, c, d in zip(*columns, strict=True)]


def _names_of(asked: Sequence[NameQuery]) -> dict[int, set[str]]:
    """Return the names of addresses that are not the only one of their name."""
    addresses: dict[str, set[int]] = {}
    for query in asked:
        for record in query.records if query.kind in ("A", "AAAA") else ():
            with suppress(ValueError):
                addresses.setdefault(query.name.rstrip(".").lower(), set()).add(int(ip_address(record)))
    found: dict[int, set[str]] = {}
    for name, of in addresses.items():
        for ip in of if len(of) > 1 else ():
            found.setdefault(ip, set()).add(name)
    return found
