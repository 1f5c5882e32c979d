"""What goes to which part: rules, rows that are dealt by them, and what each part was given.

Whatever is asked of a part depends on its own rows and on small tables of all, so their number does not matter.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from analyzer.decode.batch import SIDE_TABLES
from analyzer.decode.digest import mix_rows
from analyzer.decode.stretch import Sides
from analyzer.errors import LimitError
from analyzer.link.sorting import stable_order
from analyzer.read.kept import Kept, end_to_end
from analyzer.read.work import Work
from analyzer.schema import COMPARED, FRAMES, Array, Columns, Int64

VOTED = (
    "point", "frame", "time_ns", "cap_len", "orig_len", "layers", "eth_src", "eth_dst", "src_hi", "src", "proto",
    "sport", "icmp_id", "ttl", "ip_id", "ip_len", "payload_len",
)  # fmt: skip
"""Columns of FRAMES that votes hang on."""
BY_SIZE = 16
"""Things a part that are dealt by their sizes, one by one."""
SIDES = 3
"""Conversations of one connection at the most: before its translation, in between, and after."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """What a part was given of each of several tables, in their order."""

    pieces: list[list[Kept]]
    """Of each the table, and what lies aside of it."""
    sides: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many it was given."""
        return sum(piece[0].rows for piece in self.pieces)

    def tables(self) -> tuple[Columns, Sides]:
        """Return all that it was given, one piece after the other."""
        main, *sides = [end_to_end(tables) for tables in zip(*self.pieces, strict=True)]
        return main, dict(zip(self.sides, sides, strict=True))


def part_of(key: Int64, parts: int) -> Int64:
    """(n,) Which of *parts* each key goes to: by another hash than those that tables use, so that all fill alike."""
    mixed = mix_rows(key.view(np.uint64), np.zeros(len(key), np.uint64), 2) >> np.uint64(32)
    return (mixed * np.uint64(parts) >> np.uint64(32)).view(np.int64)


def fill(sizes: Int64, parts: int) -> Int64:
    """
    (n,) Deal n things of *sizes* to *parts*, so that these have about as much: it does not depend on any key.

    The largest go first, each to the part that has least. All the others, of which a part has many, fill parts up to
    one level.
    """
    order = np.argsort(-sizes, kind="stable")
    found = np.zeros(len(sizes), np.int64)
    large, small = order[: BY_SIZE * parts], order[BY_SIZE * parts :]
    loads = [(0, part) for part in range(parts)]
    for one in large.tolist():
        load, part = heapq.heappop(loads)
        found[one] = part
        heapq.heappush(loads, (load + int(sizes[one]), part))
    if len(small):
        load, part = np.array(sorted(loads), np.int64).T
        amount = np.cumsum(sizes[small])
        below = load * np.arange(1, parts + 1) - np.cumsum(load)  # what fills all parts before each up to it
        filled = int(np.searchsorted(below, amount[-1], side="right"))
        level = (amount[-1] + load[:filled].sum()) / filled
        found[small] = part[np.minimum(np.searchsorted(np.cumsum(level - load[:filled]), amount), filled - 1)]
    return found


class Rule(Protocol):
    """Tells which part rows go to."""

    @property
    def parts(self) -> int:
        """How many there are."""

    def __call__(self, table: Columns) -> Int64:
        """(n,) Tell it of the rows of a table."""


@dataclass(frozen=True, slots=True)
class ByIdentity:
    """All frames of an identity go to one part, with what votes hang on."""

    parts: int
    columns = VOTED
    compared = COMPARED
    sides = ()

    def __call__(self, table: Columns) -> Int64:
        """(n,) Tell it of the rows of a table."""
        return part_of(table["identity"], self.parts)


@dataclass(frozen=True, slots=True)
class ByConnection:
    """All frames of a connection go to one part; those without one by their identity."""

    parts: int
    columns = tuple(FRAMES.dtypes)
    compared = ()
    sides = tuple(SIDE_TABLES)
    of: Int64
    """(conversations,) Part of each."""

    @classmethod
    def of_sizes(cls, parts: int, connection: Int64, frames: Int64) -> "ByConnection":
        """Deal connections to *parts*, by the (conversations,) *connection* of each, and its *frames*."""
        return cls(parts, fill(np.bincount(connection, frames).astype(np.int64), parts)[connection])

    def __call__(self, table: Columns) -> Int64:
        """(n,) Tell it of the rows of a table."""
        part = np.append(self.of, -1)[table["of"]]
        return np.where(part < 0, part_of(table["identity"], self.parts), part)


class Picked(Mapping[str, Array]):
    """Some rows of a table, whose columns are made one at a time, for whoever needs no more at once."""

    def __init__(self, table: Columns, rows: Int64) -> None:
        self._table, self._rows = table, rows

    def __getitem__(self, name: str) -> Array:
        """Return a column."""
        return self._table[name][self._rows]

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter(self._table)

    def __len__(self) -> int:
        """Return how many columns there are."""
        return len(self._table)


Hand = dict[int, list[Kept]]
"""What a table gives to parts: to each its rows, and what lies aside of them."""


def deal(table: Columns, sides: Sides, rule: Rule, work: Work) -> Hand:
    """
    Deal the rows of a table.

    Args:
        table: with a column ``row``, ascending.
        sides: what lies aside of some of them, with that in ``row``.
        rule: tells of each row where it goes.
        work: where what is dealt is kept.
    """
    goes_to = rule(table)
    order = stable_order(goes_to)
    bounds = np.searchsorted(goes_to[order], np.arange(rule.parts + 1)).tolist()
    of_sides = [goes_to[np.searchsorted(table["row"], side["row"])] for side in sides.values()]
    nothing = [{name: column[:0] for name, column in side.items()} for side in sides.values()]  # as most parts have

    def given() -> Iterator[Mapping[str, Array]]:
        for number, (begin, end) in enumerate(pairwise(bounds)):
            yield Picked(table, order[begin:end])
            for side, to, none in zip(sides.values(), of_sides, nothing, strict=True):
                rows = np.flatnonzero(to == number)
                yield Picked(side, rows) if len(rows) else none

    kept, each = work.keep_all(given()), 1 + len(sides)
    return {number: kept[number * each : (number + 1) * each] for number in range(rule.parts)}


def collect(hands: Iterable[Hand], sides: tuple[str, ...]) -> "list[Dealt]":
    """Return what each part was given by all tables, in their order."""
    pieces: dict[int, list[list[Kept]]] = {}
    for hand in hands:
        for number, piece in hand.items():
            pieces.setdefault(number, []).append(piece)
    return [Dealt([one for one in of if one[0].rows] or of[:1], sides) for _, of in sorted(pieces.items())]


@dataclass(frozen=True, slots=True)
class Most:
    """What fits into memory."""

    in_part: int
    """Frames that one part may have."""
    connections: int
    """Of all."""


def check_parts(dealt: Iterable[Dealt], most: int | None) -> None:
    """
    Make sure that no part has more than *most* rows.

    Raises:
        LimitError: one has: what cannot be parted is too much.
    """
    rows = max((one.rows for one in dealt), default=0)
    if most is not None and rows > most:
        why = "as of one connection, or of one client to one port of a server"
        raise LimitError(f"{rows:,} frames that belong together, {why}, do not fit: more than {most:,}")
