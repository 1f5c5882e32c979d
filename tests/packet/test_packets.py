"""Equal frames to packets: the way for all groups at once finds what the one for a single group finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.packet.packets import _assign, _in_step

GROUPS = st.lists(
    st.lists(st.tuples(st.integers(0, 12_000_000), st.integers(0, 2)), min_size=1, max_size=12), min_size=1, max_size=5
)


@given(GROUPS)
def test_groups_at_once_are_numbered_as_one_by_one(groups: list[list[tuple[int, int]]]) -> None:
    """Where order alone decides, k-th sightings are packet k; the slow way says the same, and doubts nothing."""
    groups = [sorted(group) for group in groups]
    flat = [sighting for group in groups for sighting in group]
    times, kinds = (np.array(column, np.int64) for column in zip(*flat, strict=True))

    packet, plain = _in_step(times, kinds, np.array([len(group) for group in groups]))

    first = 0
    for group, simple in zip(groups, plain.tolist(), strict=True):
        expected, doubtful = _assign([t for t, _ in group], [k for _, k in group], [k for _, k in group])
        if simple:
            assert packet[first : first + len(group)].tolist() == expected.tolist()
            assert doubtful == []
        first += len(group)


def test_a_point_that_saw_one_less_is_decided_one_by_one() -> None:
    """Unequal counts leave open which packet was lost."""
    times, kinds = np.array([0, 10, 20]), np.array([0, 1, 0])

    _, plain = _in_step(times, kinds, np.array([3]))

    assert plain.tolist() == [False]
