"""Which first fragment later ones belong to: the nearest in time, within the reassembly time."""

import numpy as np
import pytest

from analyzer.link.fragments import nearest_first

Fragment = tuple[int, int, bool]
"""Datagram, time, whether it is the first one."""


def _found(*fragments: Fragment, limit: int | list[int] = 100) -> list[int]:
    group, time_ns, first = (np.array(column) for column in zip(*fragments, strict=True))
    return nearest_first(
        group, time_ns, first.astype(bool), limit if isinstance(limit, int) else np.array(limit)
    ).tolist()


@pytest.mark.parametrize(
    ("fragments", "found"),
    [
        ([(0, 5, True), (0, 6, False), (0, 9, False)], [0, 0, 0]),
        ([(0, 5, False), (0, 6, True)], [1, 1]),
        ([(0, 5, True), (0, 60, False), (0, 90, True)], [0, 2, 2]),
        ([(0, 5, True), (0, 40, False), (0, 90, True)], [0, 0, 2]),
        ([(0, 5, True), (0, 45, False), (0, 85, True)], [0, 0, 2]),
        ([(0, 85, True), (0, 45, False), (0, 5, True)], [0, 2, 2]),
        ([(0, 5, True), (1, 6, False)], [0, -1]),
        ([(1, 5, True), (0, 6, False), (2, 7, False)], [0, -1, -1]),
        ([(0, 5, True), (1, 6, True), (0, 7, False), (1, 8, False)], [0, 1, 0, 1]),
        ([(0, 5, False), (1, 6, False)], [-1, -1]),
        ([(0, 5, True), (0, 5, True), (0, 5, False)], [0, 1, 1]),
    ],
)
def test_each_fragment_has_the_nearest_first_one(fragments: list[Fragment], found: list[int]) -> None:
    """Of its datagram; of two that are equally near the earlier one."""
    assert _found(*fragments) == found


@pytest.mark.parametrize(("apart", "found"), [(100, 0), (101, -1)])
def test_a_receiver_does_not_wait_longer(apart: int, found: int) -> None:
    """The time itself is within it, before and after."""
    assert _found((0, 0, True), (0, apart, False)) == [0, found]
    assert _found((0, apart, True), (0, 0, False)) == [0, found]


def test_each_fragment_has_its_own_limit() -> None:
    """In the order of the fragments, not of their times."""
    fragments = [(0, 50, False), (0, 0, True), (1, 30, False), (1, 0, True)]

    assert _found(*fragments, limit=[49, 9, 30, 9]) == [-1, 1, 3, 3]
    assert _found(*fragments, limit=[50, 9, 29, 9]) == [1, 1, -1, 3]
