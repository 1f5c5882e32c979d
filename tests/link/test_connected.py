"""What is connected by keys that it has in common."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.link.connected import connected

MEMBERS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 30)), max_size=60)


def _one_by_one(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """Do the same without arrays: whoever shares a key takes the least label, until nothing changes."""
    label = list(range(count))
    for _ in range(count):
        for key in {key for _, key in pairs}:
            those = [one for one, of in pairs if of == key]
            least = min(label[one] for one in those)
            for one in those:
                label[one] = least
    return label


@given(MEMBERS)
def test_the_same_as_one_by_one(pairs: list[tuple[int, int]]) -> None:
    """Whoever has no key is alone; a key may be had twice."""
    members, keys = np.array(pairs, np.int64).reshape(-1, 2).T

    assert connected(20, members, keys).tolist() == _one_by_one(20, pairs)


def test_a_long_chain() -> None:
    """Each is connected with the next one only, in any order."""
    chain = np.random.default_rng(1).permutation(100_000)
    links = np.arange(len(chain) - 1)

    assert not connected(len(chain), np.concatenate([chain[:-1], chain[1:]]), np.tile(links, 2)).any()
    assert connected(3, links[:0], links[:0]).tolist() == [0, 1, 2]
