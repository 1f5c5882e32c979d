"""What a cause comes to: the order of its parts, and counters beside the packets that are missing."""

import pytest

from analyzer.explain.told import Moved, in_order

KEYS = [("b", 2), ("a", 10), ("a", 9), (None, 1), (3, 0), (True, 0), ("", 5)]


def test_parts_of_a_key_are_sorted_as_what_they_are() -> None:
    """Nothing first, then numbers as numbers, then texts; 9 comes before 10."""
    assert sorted(KEYS, key=in_order) == [(None, 1), (True, 0), (3, 0), ("", 5), ("a", 9), ("a", 10), ("b", 2)]


@pytest.mark.parametrize(
    ("after", "missing", "said"),
    [
        (4, 3, "tells nothing"),
        (5, 0, "0, just the packets that are missing"),
        (7, 3, "2, but 3 packets are missing: others may have another cause"),
        (8, 3, "3, just the packets that are missing"),
        (9, 3, "4, and 3 packets are missing"),
    ],
    ids=["set-back", "neither", "fewer", "as-many", "more"],
)
def test_a_counter_is_compared_with_what_is_missing(after: int, missing: int, said: str) -> None:
    """One that went less far leaves room for another cause; one that was set back proves nothing."""
    told = Moved("counter", 5, after).compared(missing)

    assert told.startswith("counter went up by ")
    assert told.endswith(said)


@pytest.mark.parametrize(
    ("after", "said"),
    [(8, "5 before, 8 after: 3, just the packets that are missing"), (9, "5 before, 9 after: 4, 3 of them are in the")],
)
def test_a_counter_of_the_packets_alone_shows_both_values(after: int, said: str) -> None:
    """What it counted beyond these was not captured."""
    assert Moved("counter", 5, after, shows_both=True).compared(3).startswith(f"counter: {said}")
