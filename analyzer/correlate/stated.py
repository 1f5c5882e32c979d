"""Conntrack entries beside the frames: mappings that the host states, and where frames contradict them."""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.tuples import Conversations
from analyzer.schema import Columns, Int64, Layer

Side = tuple[int, int, int, int]
"""Upper and lower half of an address, port or echo id, and 1 for the asker of a ping, else 0."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One conntrack entry as integers; sides as they are in each tuple."""

    version: int
    proto: int
    original: tuple[tuple[int, int, int], tuple[int, int, int]]
    """Source and destination: address halves and port, or echo id."""
    reply: tuple[tuple[int, int, int], tuple[int, int, int]]
    first_ns: int | None = None
    last_ns: int | None = None


Key = tuple[int, int, tuple[tuple[int, int, int], ...]]


def stated_pairs(
    frames: Columns, conversations: Conversations, stated: list[Stated]
) -> list[tuple[int, int, bool]]:
    """Return (conversation, conversation, crossed) for each entry whose two conversations were both captured."""
    if not stated or not conversations.count:
        return []
    index: dict[Key, list[tuple[int, bool]]] = {}
    for number, (key, turned) in enumerate(_keys(frames, conversations)):
        index.setdefault(key, []).append((number, turned))
    pairs: list[tuple[int, int, bool]] = []
    for entry in stated:
        before, turned_before = _key(entry.version, entry.proto, *entry.original)
        after, turned_after = _key(entry.version, entry.proto, *reversed(entry.reply))
        if before == after:
            continue
        for first, first_way in index.get(before, ()):
            for second, second_way in index.get(after, ()):
                crossed = (first_way ^ turned_before) != (second_way ^ turned_after)
                pairs.append((first, second, crossed))
    return pairs


def _key(version: int, proto: int, src: tuple[int, int, int], dst: tuple[int, int, int]) -> tuple[Key, bool]:
    """Return a key that is the same for both directions, and whether they were swapped for it."""
    turned = src > dst
    return (version, proto, (dst, src) if turned else (src, dst)), turned


def _keys(frames: Columns, conversations: Conversations) -> list[tuple[Key, bool]]:
    row: Int64 = conversations.example
    layers = frames["layers"][row]
    echo = has(layers, Layer.ECHO)
    version = np.where(has(layers, Layer.IPV6), 6, 4)
    sport = np.where(echo, frames["icmp_id"][row], frames["sport"][row])
    dport = np.where(echo, frames["icmp_id"][row], frames["dport"][row])
    columns = (version, frames["proto"][row], *(frames[n][row] for n in ("src_hi", "src")), sport)
    rest = (*(frames[n][row] for n in ("dst_hi", "dst")), dport, conversations.backward[row])
    found: list[tuple[Key, bool]] = []
    for v, p, sh, sl, sp, dh, dl, dp, backward in zip(
        *(c.tolist() for c in (*columns, *rest)), strict=True
    ):
        src, dst = (sh, sl, sp), (dh, dl, dp)
        # The key's order is relative to the conversation's first endpoint, not to this row's source.
        key, turned = _key(v, p, dst, src) if backward else _key(v, p, src, dst)
        found.append((key, turned))
    return found
