"""Sorting and grouping rows by keys, several times as fast as NumPy's own: on one integer per row."""

import numpy as np
import pandas as pd

from analyzer.decode.digest import mix_rows
from analyzer.schema import Array, Int64


def stable_order(key: Array) -> Int64:
    """
    Return the places that sort *key*, equal ones in their order.

    *key* is (n,) integers from 0 on; where key and place do not fit into 63 bits together, argsort does it.
    """
    bits = max(len(key) - 1, 1).bit_length()
    if not len(key) or int(key.max()) >> (63 - bits):
        return np.argsort(key, kind="stable")
    packed = key.astype(np.int64) << bits | np.arange(len(key))
    packed.sort()
    return packed & ((1 << bits) - 1)


def first_places(group: Int64, count: int) -> Int64:
    """Return where each of *count* groups comes first in *group*; places of negative groups are passed over."""
    first = np.full(count, -1, np.int64)
    places = np.flatnonzero(group >= 0)[::-1]
    first[group[places]] = places  # of several writes to one place, the last one stays
    return first


def group_rows(*columns: Array) -> tuple[Int64, Int64]:
    """
    Group rows that are equal in all *columns*, by a 64-bit hash of them.

    Returns:
        (n,) group of each row, from 0 in order of appearance, and the first row of each group.
    """
    state = np.zeros(len(columns[0]), np.uint64)
    for lane, column in enumerate(columns):
        state = mix_rows(state, column.astype(np.uint64), lane % 4)
    group, _ = pd.factorize(state.view(np.int64))
    return group, first_places(group, int(group.max(initial=-1)) + 1)
