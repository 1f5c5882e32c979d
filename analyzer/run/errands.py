"""Which connections belong together, so that whatever is asked of one finds the others in its part.

Together are what a client wants of one port of a server, and of that port of any server where it got no answer or was
refused, with what it turned to then; what anybody wants of a service that refused somebody; the addresses of a name;
the two connections of a relay; those that might be one or the other; a question to a name server and its answer;
answers that come from elsewhere; what a client wants of an FTP server; and what goes between two addresses of which an
ICMP error speaks, or to such a destination.
"""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from itertools import chain

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.explain.otherwise import SOON_NS
from analyzer.explain.refuser import AT_ONCE_NS
from analyzer.explain.spoken import FTP
from analyzer.link.connected import connected
from analyzer.link.sorting import group_rows, values_at
from analyzer.model.overview import NameQuery
from analyzer.run.names import Names
from analyzer.run.subset import Common
from analyzer.schema import Array, Columns, Int64

ENDS = {"orig_src": "orig_sport", "orig_dst": "orig_dport", "reply_src": "reply_sport", "reply_dst": "reply_dport"}
"""Addresses of CONNECTIONS, and their ports."""
CLIENTS = (("orig_src", "orig_sport", "orig_dport"), ("reply_dst", "reply_dport", "reply_sport"))
"""Who asks before and after translation: address, own port, and the server's."""
BETWEEN = (("orig_src", "orig_dst"), ("orig_src", "reply_src"), ("reply_dst", "orig_dst"), ("reply_dst", "reply_src"))
"""Between whom packets of a connection are seen."""
FEW = 3
"""What somebody turns to: one of the first is enough to show it."""
FRAMES = 200_000
"""Of a service, or of one client and one server, that are brought together for the sake of a few."""
Keys = tuple[Int64, Sequence[Array]]
"""Some connections, and what those have in common that belong together: columns."""


class Errands:
    """All connections of an analysis."""

    def __init__(self, common: Common, names: Names, quotes: Columns) -> None:
        """Take what parts have in common, all questions to name servers, and all QUOTES."""
        self._common, self._names, self._quotes = common, names, quotes
        self._table = common.correlated.connections
        self._all = np.arange(len(self._table["proto"]))
        self._troubled = ~self._table["seen_reply"] | self._table["reset"]
        self._who = self._clients()

    def of_connections(self) -> Int64:
        """(connections,) Return the least number of those that have to be in one part with each."""
        members, keys, count = [], [], 0
        for some, columns in chain(self._keys(), self._pairs()):
            group, first = group_rows(*columns) if len(some) else (some, some)
            members.append(some)
            keys.append(group + count)
            count += len(first)
        return connected(len(self._all), np.concatenate(members), np.concatenate(keys))

    def between(self, quotes: Columns) -> Int64:
        """(quotes,) Return the first connection between the ends of the packets that *quotes* are of; -1 for none."""
        connections, pair, quoted = self._between(quotes)
        order = np.argsort(-connections, kind="stable")
        first = np.full(1 + int(max(pair.max(initial=-1), quoted.max(initial=-1))), -1)
        first[pair[order]] = connections[order]  # of several writes to one place, the last one stays
        return first[quoted]

    def _clients(self) -> Int64:
        """(connections,) Number clients: containers, or addresses."""
        owners: dict[int, Hashable] = {
            int(ip): (host.name, one.name)
            for host in self._common.hosts.states
            for one in host.containers
            for ip in one.addresses
        }
        columns = self._address("orig_src")
        group, first = group_rows(*columns) if len(self._all) else (self._all, self._all)
        numbers: dict[Hashable, int] = {}
        ends = (high << 64 | low for high, low in values_at(columns, first))
        of_group = [numbers.setdefault(owners.get(ip, ip), len(numbers)) for ip in ends]
        return np.array(of_group, np.int64)[group]

    def _address(self, name: str) -> list[Array]:
        return [self._table[f"{name}_hi"], self._table[name]]

    def _keys(self) -> Iterator[Keys]:
        """Give what connections have in common with those that belong to them."""
        table, every, who = self._table, self._all, self._who
        proto, port = table["proto"], table["orig_dport"]
        yield every, [*self._address("orig_src"), proto, *self._address("orig_dst"), port]
        troubled = np.flatnonzero(self._troubled)
        yield troubled, [column[troubled] for column in (who, proto, port)]
        yield from self._of_services()
        yield self._of_ftp()
        yield self._of_names()
        yield self._of_targets()
        connections, pair, quoted = self._between(self._quotes)
        spoken = np.isin(pair, quoted)
        yield connections[spoken], [pair[spoken]]
        askers = [[proto, *self._address(ip), table[own], table[server]] for ip, own, server in CLIENTS]
        yield _several(every, askers)
        udp = np.flatnonzero(proto == PROTO_UDP)
        yield _several(udp, [[one[udp] for one in (*self._address(ip), table[own])] for ip, own in ENDS.items()])

    def _of_services(self) -> Iterator[Keys]:
        """
        Give what anybody wants of a service that refused somebody, or reset what it had not answered yet.

        And what else the same client wants of such a server, or of one that says nothing: a few connections to each
        port tell whether it answers there. What has so many frames that it may not fit into memory stays apart.
        """
        table, who = self._table, [self._table["orig_src_hi"], self._table["orig_src"]]
        tcp = table["proto"] == PROTO_TCP
        refuses = tcp & table["reset"] & ~table["served"]
        for ip, port in (("orig_dst", "orig_dport"), ("reply_src", "reply_sport")):
            if refuses.any():
                service, _ = group_rows(table["proto"], *self._address(ip), table[port])
                some = np.flatnonzero(np.isin(service, service[refuses]))
                yield self._small(some, service[some])
        bad = np.flatnonzero(tcp & (refuses | ~table["seen_reply"]))
        if not len(bad):
            return
        good = np.flatnonzero(tcp & table["seen_reply"] & ~refuses)
        asked, _ = group_rows(*(column[good] for column in (*who, *self._address("orig_dst"), table["orig_dport"])))
        order = np.argsort(asked, kind="stable")
        nth = np.arange(len(order)) - np.searchsorted(asked[order], asked[order])
        good = good[order[nth < FEW]]
        some = np.concatenate([bad, good])
        server = [np.concatenate([before[bad], after[good]]) for before, after in
                  zip(self._address("reply_src"), self._address("orig_dst"), strict=True)]  # fmt: skip
        pair, _ = group_rows(*(column[some] for column in who), *server)
        chosen = np.isin(pair, pair[: len(bad)])
        yield self._small(some[chosen], pair[chosen])

    def _small(self, some: Int64, key: Int64) -> Keys:
        """Return those connections and their keys that have no more than FRAMES together."""
        frames = np.bincount(key, self._table["frames"][some]) if len(some) else key
        fits = frames[key] <= FRAMES
        return some[fits], [key[fits]]

    def _of_ftp(self) -> Keys:
        """Give what clients of FTP servers want of these: data connections have ports of their own."""
        table = self._table
        control = (table["proto"] == PROTO_TCP) & ((table["orig_dport"] == FTP) | (table["reply_sport"] == FTP))
        if not control.any():
            return self._all[:0], [self._all[:0]]
        pair, _ = group_rows(self._who, *self._address("orig_dst"))
        chosen = np.flatnonzero(np.isin(pair, pair[control]))
        return chosen, [pair[chosen]]

    def _of_names(self) -> Keys:
        """Give connections of one client to a port of the addresses of a name."""
        found: list[Keys] = [(self._all[:0], [self._all[:0]] * 3)]
        names = _names_of(self._names.asked)
        columns = self._address("orig_dst")
        group, first = group_rows(*columns) if names else (self._all, self._all[:0])
        order = np.argsort(group, kind="stable")
        begin, end = (np.searchsorted(group[order], np.arange(len(first)), side) for side in ("left", "right"))
        numbers: dict[str, int] = {}
        for address, (high, low) in enumerate(values_at(columns, first)):
            some = order[begin[address] : end[address]]
            for name in names.get(high << 64 | low, ()):
                number = np.full(len(some), numbers.setdefault(name, len(numbers)))
                found.append((some, [number, self._who[some], self._table["orig_dport"][some]]))
        members, keys = zip(*found, strict=True)
        return np.concatenate(members), [np.concatenate(columns) for columns in zip(*keys, strict=True)]

    def _of_targets(self) -> Keys:
        """Give connections to the destinations of packets that ICMP errors quote."""
        spoken = [self._quotes["dst_hi"], self._quotes["dst"]]
        sides = [self._address(name) for name in ("orig_dst", "reply_src")]
        group = _group([spoken, *sides])
        known, target = np.split(group, [len(spoken[0])])
        chosen = np.isin(target, known)
        return np.tile(self._all, 2)[chosen], [target[chosen]]

    def _between(self, quotes: Columns) -> tuple[Int64, Int64, Int64]:
        """Return connections that may be meant, the pairs of addresses that they are between, and *quotes*' pairs."""
        sides, connections = [], []
        for ends in BETWEEN:
            asked = (np.isin(self._table[end], np.concatenate([quotes["src"], quotes["dst"]])) for end in ends)
            some = np.flatnonzero(np.logical_and(*asked))
            one, other = ([column[some] for column in self._address(end)] for end in ends)
            sides.append(_unordered(one, other))
            connections.append(some)
        spoken = _unordered([quotes["src_hi"], quotes["src"]], [quotes["dst_hi"], quotes["dst"]])
        quoted, pair = np.split(_group([spoken, *sides]), [len(quotes["src"])])
        return np.concatenate(connections), pair, quoted

    def _pairs(self) -> Iterator[Keys]:
        """Give pairs of connections that have to be in one part."""
        relayed = self._table["relayed_to"].astype(np.int64)
        yield _paired(self._all, relayed)
        doubts = self._common.correlated.doubts
        pairs = [(number, other) for table in (doubts.candidates, doubts.maybe)
                 for number, others in table.items() for other in others]  # fmt: skip
        yield _paired(*np.array(pairs, np.int64).reshape(-1, 2).T)
        yield _paired(*self._names.connections.T)
        yield from self._instead()

    def _instead(self) -> Iterator[Keys]:
        """Give connections that came to nothing, and those to the same port that their client turned to next."""
        table, count = self._table, len(self._all) + 1
        if not len(self._all):
            return
        errand, _ = group_rows(self._who, table["proto"], table["orig_dport"])
        bad, good = np.flatnonzero(self._troubled), np.flatnonzero(~self._troubled)  # in order of time
        in_turn = np.sort(errand[good] * count + good)
        first = table["first_ns"]
        for begins, patience in ((table["last_ns"][bad], AT_ONCE_NS), (first[bad], SOON_NS)):
            place = np.searchsorted(in_turn, errand[bad] * count + np.searchsorted(first, begins))
            for nth in range(FEW):
                other = np.append(in_turn, -1)[np.minimum(place + nth, len(in_turn))]
                soon = (other // count == errand[bad]) & (first[other % count - (other < 0)] - begins <= patience)
                yield _paired(bad[soon], other[soon] % count)


def _several(some: Int64, sides: Sequence[Sequence[Array]]) -> Keys:
    """Give some connections as often as there are sides by which they may belong to others."""
    return np.tile(some, len(sides)), [np.concatenate(columns) for columns in zip(*sides, strict=True)]


def _group(sides: Sequence[Sequence[Array]]) -> Int64:
    """Number what is equal among all rows of tables with the same columns."""
    columns = [np.concatenate(column) for column in zip(*sides, strict=True)]
    return group_rows(*columns)[0] if len(columns[0]) else np.zeros(0, np.int64)


def _unordered(one: Sequence[Array], other: Sequence[Array]) -> list[Array]:
    """Return pairs of addresses, the lower one first."""
    (a, b), (c, d) = one, other
    turned = (a > c) | ((a == c) & (b > d))
    return [np.where(turned, *pair) for pair in ((c, a), (d, b), (a, c), (b, d))]


def _paired(one: Int64, other: Int64) -> Keys:
    """Give pairs of connections; a negative number is none."""
    both = np.flatnonzero((one >= 0) & (other >= 0))
    return np.concatenate([one[both], other[both]]), [np.tile(np.arange(len(both)), 2)]


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
