"""Sorting and grouping rows by keys, several times as fast as NumPy's own: on one integer per row."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from analyzer.decode.digest import KEYS as OF_RUN
from analyzer.decode.digest import mix_rows
from analyzer.kernel import compiled
from analyzer.schema import Array, Int64

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PIECE = 1 << 16
DENSE = 2
"""Keys with no more than so many possible values a row are numbered by a table of all of them."""


def pieces(count: int) -> Iterator[slice]:
    """Cut *count* rows into pieces; what is made of one stays in the processor's cache, and needs no new memory."""
    return (slice(begin, min(begin + PIECE, count)) for begin in range(0, count, PIECE))


T = TypeVar("T", bound="DataclassInstance")


def end_to_end(tables: Sequence[T]) -> T:
    """Return the rows of *tables*, dataclasses whose fields are columns, one table after the other."""
    first = tables[0]
    if len(tables) == 1:
        return first
    return type(first)(*(np.concatenate([getattr(one, each.name) for one in tables]) for each in fields(first)))


def rows_of(table: T, places: Array | slice) -> T:
    """Return some rows of a table, a dataclass whose fields are columns."""
    return type(table)(*(getattr(table, each.name)[places] for each in fields(table)))


def stable_order(key: Array) -> Int64:
    """
    Return the places that sort *key*, equal ones in their order.

    *key* is (n,) integers from 0 on. Small ones are counted; where large ones fit into 63 bits together with their
    places, that is what is sorted; else argsort does it.
    """
    most, bits = int(key.max(initial=0)), max(len(key) - 1, 1).bit_length()
    if compiled is not None and most <= DENSE * len(key):
        small, places = np.ascontiguousarray(key, np.int64), np.empty(len(key), np.int64)
        counts = np.bincount(small)
        compiled.settle(small, np.cumsum(counts) - counts, places)
        return places
    if not len(key) or most >> (63 - bits):
        return np.argsort(key, kind="stable")
    packed = key.astype(np.int64) << bits | np.arange(len(key))
    packed.sort()
    return packed & ((1 << bits) - 1)


def changes(*columns: Array) -> Array:
    """Tell the rows that differ from the one before in any of *columns*; the first row does."""
    changed = np.ones(len(columns[0]), bool)
    if len(changed):
        changed[1:] = columns[0][1:] != columns[0][:-1]
        for column in columns[1:]:
            changed[1:] |= column[1:] != column[:-1]
    return changed


def lengths(start: Int64, total: int) -> Int64:
    """Return how many rows each stretch has, of *total* rows, from where the stretches begin."""
    return np.diff(start, append=total)


def expand(start: Int64, length: Int64) -> Int64:
    """Return the places of all stretches, one stretch after the other."""
    behind = np.cumsum(length)
    return np.repeat(start - behind + length, length) + np.arange(int(behind[-1]) if len(behind) else 0)


def first_places(group: Int64, count: int) -> Int64:
    """Return where each of *count* groups comes first in *group*; places of negative groups are passed over."""
    first = np.full(count, -1, np.int64)
    if group.min(initial=0) < 0:
        places = np.flatnonzero(group >= 0)[::-1]
        first[group[places]] = places
    else:
        first[group[::-1]] = np.arange(len(group) - 1, -1, -1)  # of several writes to one place, the last one stays
    return first


def number_again(group: Int64) -> tuple[Int64, Int64]:
    """Do as :func:`number_groups` where the keys are small numbers from 0 on."""
    count = int(group.max(initial=-1)) + 1
    first = first_places(group, count)
    first = np.sort(first[first >= 0])
    number = np.empty(count, np.int64)
    number[group[first]] = np.arange(len(first))
    return number[group], first


def number_groups(key: Int64) -> tuple[Int64, Int64]:
    """
    Number equal keys.

    Args:
        key: (n,) int64, well mixed or not.

    Returns:
        (n,) group of each row, from 0 in order of appearance, and the first row of each group.
    """
    if compiled is None:
        _, first, of = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(first)
        number = np.empty(len(first), np.int64)
        number[order] = np.arange(len(first))
        return number[of], first[order]
    group, first = np.empty(len(key), np.int64), np.empty(len(key), np.int64)
    count = compiled.number(np.ascontiguousarray(key), OF_RUN.get()[0], group, first)
    return group, first[:count].copy()


def count_keys(key: Int64) -> tuple[Int64, Int64]:
    """Return the different keys, which are 0 and more, sorted, and how often each is there."""
    if int(key.max(initial=0)) > DENSE * len(key):
        return np.unique(key, return_counts=True)
    counts = np.bincount(key)
    keys = np.flatnonzero(counts)
    return keys, counts[keys]


def group_rows(*columns: Array) -> tuple[Int64, Int64]:
    """
    Group rows that are equal in all *columns*, integers, by themselves if 64 bits hold them, else by a hash of them.

    Returns:
        (n,) group of each row, from 0 in order of appearance, and the first row of each group.
    """
    (key, values), *rest = _packed(columns)
    if not rest and values <= DENSE * len(key):
        return number_again(key.view(np.int64))
    if rest:
        key = mix_rows(key, np.zeros_like(key))
    for lane, (word, _) in enumerate(rest, 1):
        key = mix_rows(key, word, lane % 4)
    return number_groups(key.view(np.int64))


def distinct_rows(*columns: Array) -> Iterator[tuple[int, ...]]:
    """Give each combination of values once, in order of appearance."""
    _, first = group_rows(*columns)
    return values_at(columns, first)


def values_at(columns: Sequence[Array], places: Int64) -> Iterator[tuple[int, ...]]:
    """Give the values that *columns* have at each place."""
    return zip(*(column[places].tolist() for column in columns), strict=True)


def group_mostly(main: Sequence[Array], rest: Sequence[Array]) -> tuple[Int64, Int64]:
    """
    Group rows that are equal in all columns, where those that are equal in *main* mostly are in *rest*, too.

    Returns:
        (n,) group of each row, from 0, and a row of each group; groups are in no order.
    """
    group, first = group_rows(*main)
    differs = np.zeros(len(group), bool)
    for column in rest:
        differs |= column != column[first][group]
    others = np.flatnonzero(differs)
    if len(others):
        further, example = group_rows(group[others], *(column[others] for column in rest))
        group[others] = len(first) + further
        first = np.concatenate([first, others[example]])
    return group, first


def _packed(columns: Sequence[Array]) -> Iterator[tuple[Array, int]]:
    """Put columns side by side into as few (n,) uint64 as possible; give each with how many values it can have."""
    word, values = np.zeros(len(columns[0]), np.uint64), 1
    for column in columns:
        low = int(column.min(initial=0))
        room = int(column.max(initial=0)) - low + 1
        if values * room > 1 << 64:
            yield word, values
            word, values = np.zeros(len(column), np.uint64), 1
        if room > 1:
            word *= np.uint64(room % (1 << 64))
            word += column.astype(np.uint64)
            word -= np.uint64(low % (1 << 64))  # right for negative values, too: all is modulo 2^64
            values *= room
    yield word, values
