"""Conntrack entries beside the frames: mappings that the host states, and where frames contradict them."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analyzer.decode.offsets import PROTO_ICMP, PROTO_ICMP6
from analyzer.link.identity import has
from analyzer.schema import Columns, Layer

SLACK_NS = 1_000_000_000
"""conntrack's events and the frames have two writers; their times may differ a little."""

End = tuple[int, int, int]
"""Upper and lower half of an address, and port or echo id."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One conntrack entry as integers; sides as they are in each tuple."""

    version: int
    proto: int
    original: tuple[End, End]
    """Source and destination."""
    reply: tuple[End, End]
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Frames and a conntrack entry disagree about a connection."""

    connection: int
    entry: int


Key = tuple[int, int, tuple[End, ...]]


class StatedSides:
    """Which conversations are one side of a conntrack entry: before its translation, in between, or after."""

    def __init__(self, talks: Columns, stated: list[Stated]) -> None:
        pairs: dict[tuple[Key, Key], bool] = {}
        for entry in stated:
            # What is translated twice has a third tuple in between, which bridges with br_netfilter show: PREROUTING
            # has changed the destination, POSTROUTING not yet the source.
            source, target = entry.original[0], entry.reply[0]
            sides = (entry.original, (source, target), (entry.reply[1], target))
            keys = [_key(entry.version, entry.proto, *side) for side in sides]
            for (before, turned_before), (after, turned_after) in combinations(keys, 2):
                if before != after:
                    pairs[before, after] = turned_before != turned_after
        self._pairs = pairs
        self._keys = _keys(talks) if pairs else []

    def join(self, first: int, second: int, crossed: bool) -> bool:
        """Tell whether an entry joins two conversations, *crossed* if their first endpoints are on different sides."""
        if not self._pairs:
            return False
        (one, one_turned), (two, two_turned) = self._keys[first], self._keys[second]
        turned = self._pairs.get((one, two), self._pairs.get((two, one)))
        return turned is not None and crossed == (turned ^ one_turned ^ two_turned)


def _key(version: int, proto: int, src: End, dst: End) -> tuple[Key, bool]:
    """Return a key that is the same for both directions, and whether they were swapped for it."""
    turned = src > dst
    return (version, proto, (dst, src) if turned else (src, dst)), turned


def _keys(talks: Columns) -> list[tuple[Key, bool]]:
    echo = has(talks["layers"], Layer.ECHO)
    version = np.where(has(talks["layers"], Layer.IPV6), 6, 4)
    sport, dport = (np.where(echo, talks["icmp_id"], talks[name]) for name in ("sport", "dport"))
    columns = (version, talks["proto"], talks["src_hi"], talks["src"], sport)
    rest = (talks["dst_hi"], talks["dst"], dport, talks["backward"])
    found: list[tuple[Key, bool]] = []
    for v, p, sh, sl, sp, dh, dl, dp, backward in zip(*(c.tolist() for c in (*columns, *rest)), strict=True):
        src, dst = (sh, sl, sp), (dh, dl, dp)
        # The key's order is relative to the conversation's first endpoint, not to this row's source.
        key, turned = _key(v, p, dst, src) if backward else _key(v, p, src, dst)
        found.append((key, turned))
    return found


def apply_stated(connections: Columns, stated: list[Stated]) -> list[Contradiction]:
    """
    Note in ``stated`` which entry tells of each connection.

    Where the frames show no translation, or half of it, because the point behind it was not captured, the entry's
    reply tuple is taken over. Where they show another one than the entry, that is a contradiction, and the frames
    stand.
    """
    by_original: dict[tuple[int, int, tuple[End, End]], list[int]] = {}
    for number, entry in enumerate(stated):
        by_original.setdefault((entry.version, entry.proto, entry.original), []).append(number)
    found: list[Contradiction] = []
    if not by_original:
        return found
    version, proto = connections["version"].tolist(), connections["proto"].tolist()
    ends = {way: _ends(connections, way) for way in ("orig", "reply")}
    for number, pairs in enumerate(zip(ends["orig"], ends["reply"], strict=True)):
        original, reply = (_without_type(proto[number], pair) for pair in pairs)
        candidates = by_original.get((version[number], proto[number], original), [])
        candidates = [c for c in candidates if _at_the_time(stated[c], connections, number)]
        agreeing = [c for c in candidates if stated[c].reply == reply]
        translated = (reply[1], reply[0]) != original
        # Between DNAT and SNAT, as a bridge with br_netfilter shows it: the target is translated, the source not yet.
        halves = [c for c in candidates if stated[c].reply[0] == reply[0] and reply[1] == original[0]]
        if agreeing:
            connections["stated"][number] = agreeing[0]
        elif candidates and (halves or not translated):
            chosen = (halves or candidates)[0]
            connections["stated"][number] = chosen
            _take_over(connections, number, stated[chosen].reply, proto[number])
        elif candidates:
            found.append(Contradiction(number, candidates[0]))
    return found


def _ends(connections: Columns, way: str) -> list[tuple[End, End]]:
    names = ("src_hi", "src", "sport", "dst_hi", "dst", "dport")
    columns = zip(*(connections[f"{way}_{name}"].tolist() for name in names), strict=True)
    return [((a, b, c), (d, e, f)) for a, b, c, d, e, f in columns]


def _without_type(proto: int, pair: tuple[End, End]) -> tuple[End, End]:
    """Give both ends of a ping its identifier, as conntrack entries are compared here."""
    if proto not in (PROTO_ICMP, PROTO_ICMP6):
        return pair
    (a, b, identifier), (d, e, _) = pair
    return (a, b, identifier), (d, e, identifier)


def _at_the_time(entry: Stated, connections: Columns, number: int) -> bool:
    if entry.first_ns is None or entry.last_ns is None:
        return True
    begins, ends = int(connections["first_ns"][number]), int(connections["last_ns"][number])
    return entry.first_ns <= ends + SLACK_NS and entry.last_ns >= begins - SLACK_NS


def _take_over(connections: Columns, number: int, reply: tuple[End, End], proto: int) -> None:
    (src_hi, src, sport), (dst_hi, dst, dport) = reply
    values = {"src_hi": src_hi, "src": src, "dst_hi": dst_hi, "dst": dst, "sport": sport}
    if proto not in (PROTO_ICMP, PROTO_ICMP6):
        values["dport"] = dport
    for name, value in values.items():
        connections[f"reply_{name}"][number] = value
