"""Tallies: however data is cut, the same comes out."""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.explain.tally import MOST_COUNTED, Among, Count, CountOf, First, Least, Median, Most, Span, Texts

NUMBERS = st.lists(st.integers(0, 50), min_size=1, max_size=30)
OF: dict[str, Callable[[Sequence[int]], Any]] = {
    "count": lambda some: Count(len(some)),
    "among": lambda some: Among(sum(one > 9 for one in some), sum(one <= 9 for one in some)),
    "count-of": lambda some: CountOf.each(some, beyond=3),
    "most": lambda some: Most(max(some)),
    "least": lambda some: Least(min(some)),
    "first": lambda some: First(f"of {min(some)}", min(some)),
    "texts": lambda some: Texts.of(((str(one % 7), one) for one in some), most=3),
    "span": lambda some: Span(min(some), max(some)),
    "median": lambda some: Median.of(np.array([one for one in some if one > 20], np.int64), sum(n <= 20 for n in some)),
}


@pytest.mark.parametrize("name", OF)
@given(numbers=NUMBERS, cuts=st.lists(st.integers(0, 30), max_size=4), seed=st.randoms())
def test_parts_in_any_order(name: str, numbers: list[int], cuts: list[int], seed: Any) -> None:
    """All of them together say what the whole says."""
    bounds = [0, *sorted(min(cut, len(numbers)) for cut in cuts), len(numbers)]
    parts = [numbers[begin:end] for begin, end in pairwise(bounds) if end > begin]
    seed.shuffle(parts)
    made = [OF[name](part) for part in parts]
    whole = OF[name](numbers)

    assert reduce(lambda one, other: one.merged(other), made).settled() == whole.settled()


def test_what_is_beside_nothing_is_not_told() -> None:
    """It is told with what it is beside, whatever part that is in."""
    assert Among(0, 3).settled() is None
    assert Among(0, 3).merged(Among(2, 0)).settled() == 5


def test_what_parts_have_in_common_counts_once() -> None:
    """As long as it is known what they are."""
    few = CountOf.each(range(5)).merged(CountOf.each(range(3, 8)))
    many = CountOf.each(range(MOST_COUNTED)).merged(CountOf.each([1]))

    assert few.settled() == 8
    assert many.settled() == MOST_COUNTED + 1


@pytest.mark.parametrize(
    ("long", "shorter", "median"),
    [([16], 0, 16), ([16], 1, 16), ([16], 2, 0), ([8, 16, 32], 0, 16), ([8, 16, 32], 3, 8), ([], 4, 0)],
)
def test_what_half_of_all_take(long: list[int], shorter: int, median: float) -> None:
    """Or longer; 0 if it is not among the long ones."""
    assert Median.of(np.array(long, np.int64), shorter).settled() == pytest.approx(median / 1e6)


def test_a_service_is_named_once_all_of_it_is_there() -> None:
    """Its containers may come from several parts."""
    services = {"web": frozenset({"w1", "w2"})}
    parts = [Texts.of([(name, number)], services=services) for name, number in (("w2", 5), ("db", 1), ("w1", 3))]

    assert parts[0].merged(parts[1]).settled() == ["db", "w2"]
    assert parts[0].merged(parts[1]).merged(parts[2]).settled() == ["db", "service web, 2 containers"]
