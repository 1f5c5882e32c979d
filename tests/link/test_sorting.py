"""Grouping and counting in columns: the same groups as NumPy finds row by row, whatever the columns hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.link.sorting import (
    count_keys,
    distinct_rows,
    group_mostly,
    group_rows,
    number_again,
    number_groups,
    stable_order,
)
from analyzer.schema import Array, Int64

pytestmark = pytest.mark.usefixtures("either_way")

EXTREMES = {
    np.int64: (-(1 << 63), -1, 0, 1, (1 << 63) - 1),
    np.uint64: (0, 1, (1 << 63), (1 << 64) - 1),
    np.int32: (-(1 << 31), -1, 0, 7),
    np.uint16: (0, 3, 65_535),
    np.bool_: (0, 1),
}


@st.composite
def tables(draw: st.DrawFn) -> list[Array]:
    """Columns of one length, of few values, so that there are groups; some with those that are hard to pack."""
    rows = draw(st.integers(0, 60))
    columns = []
    for dtype in draw(st.lists(st.sampled_from(list(EXTREMES)), min_size=1, max_size=5)):
        values = draw(st.lists(st.sampled_from(EXTREMES[dtype]), min_size=rows, max_size=rows))
        columns.append(np.array(values, dtype))
    return columns


def _expected(columns: list[Array]) -> list[int]:
    """Number rows by what they hold, in order of appearance."""
    numbers: dict[tuple[int, ...], int] = {}
    return [numbers.setdefault(row, len(numbers)) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _same(group: Int64, first: Int64, columns: list[Array]) -> None:
    assert group.tolist() == _expected(columns)
    assert first.tolist() == [group.tolist().index(number) for number in range(len(first))]


@given(tables())
def test_rows_are_grouped_by_all_columns(columns: list[Array]) -> None:
    """Packed side by side, hashed where they do not fit, numbered by a table where few keys are possible."""
    _same(*group_rows(*columns), columns)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    assert list(distinct_rows(*columns)) == list(dict.fromkeys(rows))


@given(tables(), st.integers(0, 4))
def test_columns_that_mostly_agree_make_the_same_groups(columns: list[Array], main: int) -> None:
    """Which columns are looked at first changes the numbers of groups, not the groups."""
    main = max(main % len(columns), 1)
    group, first = group_mostly(columns[:main], columns[main:])

    pairs = set(zip(group.tolist(), _expected(columns), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(first)
    assert group[first].tolist() == list(range(len(first)))


@given(st.lists(st.integers(0, 1 << 62) | st.integers(0, 5), max_size=50))
def test_keys_are_counted(keys: list[int]) -> None:
    """Small ones in a table, others by sorting."""
    found, counts = count_keys(np.array(keys, np.int64))

    assert list(zip(found.tolist(), counts.tolist(), strict=True)) == [(k, keys.count(k)) for k in sorted(set(keys))]


@given(st.lists(st.integers(0, 6), max_size=50))
def test_small_keys_are_numbered_as_all_keys_are(keys: list[int]) -> None:
    """A table of all possible values, and a hash table."""
    column = np.array(keys, np.int64)

    _same(*number_again(column), [column])
    _same(*number_groups(column), [column])


def test_many_keys_are_numbered() -> None:
    """More than a table begins with; keys that differ only in their high or low bits; each of them twice."""
    few = np.arange(6_000, dtype=np.int64)
    keys = np.concatenate([few, few << 50, few])

    _same(*number_groups(keys), [keys])
    _same(*number_groups(keys[::2]), [keys[::2]])


@given(st.lists(st.integers(0, 9) | st.integers(0, (1 << 63) - 1), max_size=50), st.booleans())
def test_equal_keys_stay_in_their_order(keys: list[int], small: bool) -> None:
    """Whether they are counted, or packed with their places, or too large for that."""
    column = np.array([key % 40 for key in keys] if small else keys, np.int64)
    values = column.tolist()

    assert stable_order(column).tolist() == sorted(range(len(values)), key=values.__getitem__)
    assert stable_order(column[::2]).tolist() == sorted(range(len(values[::2])), key=values[::2].__getitem__)
