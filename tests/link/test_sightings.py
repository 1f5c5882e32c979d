"""Two sightings of one packet at one point, or two packets."""

from typing import Any

import numpy as np
import pytest

from analyzer.link.sightings import (
    BROADCAST,
    MULTICAST,
    SENT,
    SLOWEST_NS,
    came_back,
    flooded,
    groups_with_repeats,
    passed_twice,
    point_bits,
    same_bytes,
    variants,
)
from analyzer.schema import FRAMES, Layer
from tests.packet.tables import UDP, table

GROUP = 0x0100_5E00_00FB


@pytest.mark.parametrize(
    ("name", "differs"),
    [("point", True), ("src_hi", True), ("src", True), ("dst_hi", True), ("dst", True), ("eth_src", True),
     ("eth_dst", True), ("ttl", True), ("direction", True), ("time_ns", False), ("ip_id", False), ("sport", False)],
)  # fmt: skip
def test_what_tells_two_sightings_of_one_packet_apart(name: str, differs: bool) -> None:
    """What a hairpin or a copy changes; and each row by its own number."""
    frames = table(FRAMES, [{"ttl": 9}, {}, {name: 7}])
    one, other = variants(frames, np.array([1, 2])).tolist()

    assert (one != other) == differs
    assert variants(frames, np.array([2])).tolist() == [other]


def test_no_two_columns_mean_the_same() -> None:
    """A value in one is another variant than in the next."""
    names = ("src_hi", "src", "dst_hi", "dst", "eth_src", "eth_dst", "ttl", "direction")

    assert len(set(variants(table(FRAMES, [{name: 7} for name in names]), np.arange(8)).tolist())) == 8


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        ({"eth_dst": GROUP, "layers": UDP}, True),
        ({"eth_dst": 0xFFFF_FFFF_FFFF, "layers": UDP}, True),
        ({"eth_dst": 0x0242_AC11_0002, "layers": UDP}, False),
        ({"eth_dst": GROUP, "layers": UDP | Layer.FRAGMENT}, False),
    ],
)
def test_which_frames_are_flooded(frame: dict[str, Any], found: bool) -> None:
    """Whole ones to groups."""
    assert flooded(table(FRAMES, [{}, frame]), np.array([1])).tolist() == [found]


@pytest.mark.parametrize(
    ("direction", "layers", "twice"),
    [
        (SENT, UDP | Layer.COOKED, True),
        (BROADCAST, UDP | Layer.COOKED, True),
        (MULTICAST, UDP | Layer.COOKED, True),
        (0, UDP | Layer.COOKED, False),
        (3, UDP | Layer.COOKED, False),
        (SENT, UDP, False),
        (SENT, UDP | Layer.COOKED | Layer.FRAGMENT, False),
    ],
)
def test_what_several_interfaces_show_alike(direction: int, layers: int, twice: bool) -> None:
    """What is sent, or is for all; what one receives, others receive as something else."""
    frames = table(FRAMES, [{}, {"direction": direction, "layers": layers}])
    assert passed_twice(frames, np.array([1])).tolist() == [twice]


@pytest.mark.parametrize(
    ("name", "same"), [("time_ns", True), ("ttl", True), ("ip_len", False), ("seq", False), ("payload_len", False)]
)
def test_parts_have_other_bytes_than_the_frame_once_more(name: str, same: bool) -> None:
    """Another place in the stream, another length."""
    frames = table(FRAMES, [{"src": 1}, {}, {name: 7}])
    assert same_bytes(frames, np.array([1]), np.array([2])).tolist() == [same]


Sighting = tuple[int, int, int]
"""Variant, time, group."""


def _back(*sightings: Sighting, hairpin: bool = False) -> list[int]:
    kinds, times, group = (np.array(column) for column in zip(*sightings, strict=True))
    return np.flatnonzero(came_back(kinds, times, group, np.full(len(kinds), hairpin))).tolist()


@pytest.mark.parametrize(
    ("sightings", "hairpin", "back"),
    [
        ([(0, 0, 0), (0, 5, 0), (1, 2, 0)], False, [1]),
        ([(0, 5, 0), (0, 0, 0), (1, 2, 0)], False, [0]),
        ([(0, 0, 0), (0, 5, 0), (1, 2, 0), (1, 3, 0)], False, []),
        ([(0, 0, 0), (0, 5, 0), (0, 6, 0), (1, 2, 0)], False, []),
        ([(0, 0, 0), (0, 5, 0)], False, []),
        ([(0, 0, 0), (0, 5, 0)], True, [1]),
        ([(0, 0, 0), (0, 5, 0), (0, 6, 0)], True, []),
        ([(0, 0, 0), (0, 5, 0), (0, 20, 0), (0, 25, 0)], True, [1, 3]),
        ([(0, 0, 0), (0, 5, 0), (0, 20, 0), (0, 25, 0), (1, 2, 0), (1, 22, 0)], False, [1, 3]),
        ([(0, 0, 0), (0, SLOWEST_NS, 0), (1, 2, 0)], False, [1]),
        ([(0, 0, 0), (0, SLOWEST_NS + 1, 0), (1, 2, 0)], False, []),
        ([(0, 0, 0), (0, 5, 0), (0, 6 + SLOWEST_NS, 0), (0, 7 + SLOWEST_NS, 0), (1, 2, 0), (1, 9, 0)], False, [1, 3]),
        ([(0, 0, 0), (0, 5, 0), (0, 20, 0), (0, 21 + SLOWEST_NS, 0), (1, 2, 0), (1, 22, 0)], False, []),
        ([(0, 0, 0), (0, 5, 0), (1, 2, 1)], False, []),
        ([(0, 0, 0), (0, 5, 0), (1, 2, 0), (0, 0, 1), (1, 1, 1), (1, 2, 1)], False, [1, 5]),
        ([(0, 0, 0), (0, 5, 0), (1, 2, 0), (2, 3, 0), (2, 4, 0)], False, [1, 4]),
    ],
)
def test_what_a_hairpin_port_sends_back(sightings: list[Sighting], hairpin: bool, back: list[int]) -> None:
    """Each second one at the port that shows twice what others show once, within the time of a flood."""
    assert _back(*sightings, hairpin=hairpin) == back


def test_only_the_port_in_hairpin_mode_sends_back_alone() -> None:
    """Where no other point was captured, its recorded mode decides."""
    kinds, times, group = np.array([0, 0, 1, 1]), np.array([0, 5, 0, 5]), np.array([0, 0, 1, 1])

    assert came_back(kinds, times, group, np.array([0, 0, 1, 1], bool)).tolist() == [False, False, False, True]


def test_points_as_bits() -> None:
    """From the 64th on they share them."""
    assert point_bits(np.array([0, 1, 5, 62, 63, 64])).tolist() == [1, 2, 32, 1 << 62, 1, 2]
    assert point_bits(np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize("points", [2, 7, 9, 20])
def test_groups_in_which_a_point_occurs_twice(points: int) -> None:
    """Wherever in the group, and however many points there are."""
    once = list(range(points))
    near, far = [0, *once], [*once, 0]
    group = np.repeat(np.arange(5), [len(once), len(near), len(once), len(far), 1])
    point = np.array([*once, *near, *once, *far, points - 1])

    assert groups_with_repeats(group, point).tolist() == [1, 3]


@pytest.mark.parametrize("length", [2, 3, 8, 9, 10, 15])
def test_a_repetition_in_a_group_that_is_not_at_every_point(length: int) -> None:
    """First and last sighting at one point, of many."""
    point = np.array([*range(length - 1), 0, 19])
    group = np.array([*[0] * length, 1])

    assert groups_with_repeats(group, point).tolist() == [0]
    assert groups_with_repeats(group, np.array([*range(length), 19])).tolist() == []
