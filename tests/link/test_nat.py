"""Which conversations are joined to one connection, by the rules of NAT, and what stays in doubt."""

from typing import Any

import numpy as np
import pytest

from analyzer.link.nat import Mapping, map_conversations
from analyzer.link.tuples import Seen
from analyzer.link.votes import Candidates

Sight = tuple[int, int, bool]
"""Conversation, point, and whether it goes backward there."""


def _candidates(*rows: dict[str, Any]) -> Candidates:
    """Pairs of conversations; each row says what is not as usual."""
    usual = {"first": 0, "second": 1, "crossed": False, "votes": 5, "share": 1.0, "gap_ns": 1000.0, "certain": False,
             "numbered": False, "routed": True, "kept_ends": 1, "kept_ports": 2, "change": 0}  # fmt: skip
    types = {"crossed": bool, "certain": bool, "numbered": bool, "routed": bool, "share": float, "gap_ns": float}
    told = [{**usual, **row} for row in rows]
    return Candidates(**{name: np.array([row[name] for row in told], types.get(name, np.int64)) for name in usual})


def _map(count: int, *rows: dict[str, Any], seen: tuple[Sight, ...] = ()) -> Mapping:
    """Map conversations, of which each is seen at a point of its own number unless it is told."""
    sights = seen or tuple((number, number, False) for number in range(count))
    conversation, point, backward = (np.array(column) for column in zip(*sights, strict=True))
    where = Seen(conversation, backward.astype(bool), point, np.ones(len(sights), np.int64), count)
    return map_conversations(where, _candidates(*rows))


@pytest.mark.parametrize(
    ("row", "connection"),
    [
        ({}, [0, 0, 1]),
        ({"kept_ends": 0}, [0, 1, 2]),
        ({"routed": False}, [0, 1, 2]),
        ({"routed": False, "certain": True}, [0, 0, 1]),
        ({"first": 1, "second": 2}, [0, 1, 1]),
    ],
    ids=["plausible", "both-ends-moved", "not-routed", "certain", "others"],
)
def test_a_pair_that_may_stand_is_joined(row: dict[str, Any], connection: list[int]) -> None:
    """Connections are numbered in order of their first conversation."""
    assert _map(3, row).connection.tolist() == connection


SAME_POINT = ((0, 4, False), (1, 4, False))
BOTH_WAYS = ((0, 4, False), (1, 4, True))


@pytest.mark.parametrize(
    ("seen", "row", "joined"),
    [
        (SAME_POINT, {}, False),
        (SAME_POINT, {"certain": True}, True),
        (BOTH_WAYS, {}, True),
        (BOTH_WAYS, {"crossed": True}, False),
        (SAME_POINT, {"crossed": True}, True),
    ],
    ids=["same-way", "certain", "other-way", "crossed", "crossed-other-way"],
)
def test_a_connection_has_one_conversation_at_a_point(
    seen: tuple[Sight, ...], row: dict[str, Any], joined: bool
) -> None:
    """In each direction: where answers pass is no matter for questions."""
    assert (len(set(_map(2, row, seen=seen).connection.tolist())) == 1) is joined


def test_what_was_joined_keeps_its_points() -> None:
    """A third conversation at one of them is another connection; it may be seen there the other way."""
    later = {"second": 2, "change": 1, "gap_ns": 2000.0}
    sights = ((0, 4, False), (1, 5, False), (2, 5, False))
    found = [_map(3, {}, later, seen=(*sights[:2], (2, 5, back))).connection.tolist() for back in (False, True)]

    assert found == [[0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("change", "at", "connection"), [(0, 4, [0, 0, 0]), (1, 4, [0, 1, 0]), (0, 5, [0, 1, 0])],
    ids=["other-end", "same-end", "same-point"],
)  # fmt: skip
def test_a_connection_is_told_as_its_first_conversation_goes(change: int, at: int, connection: list[int]) -> None:
    """Ends and points of one that was joined the other way round are turned."""
    turned = {"first": 2, "second": 0, "crossed": True}
    sights = ((0, 5, False), (1, at, False), (2, 4, False))

    assert _map(3, turned, {"change": change, "gap_ns": 2000.0}, seen=sights).connection.tolist() == connection


@pytest.mark.parametrize(
    ("rows", "connection"),
    [
        (({}, {"second": 2, "gap_ns": 2000.0}), [0, 0, 1]),
        (({}, {"second": 2, "gap_ns": 2000.0, "change": 1}), [0, 0, 0]),
        (({}, {"first": 1, "second": 2, "gap_ns": 2000.0, "change": 0}), [0, 0, 1]),
        (({"change": 2}, {"second": 2, "gap_ns": 2000.0, "change": 1}), [0, 0, 1]),
        (({"crossed": True}, {"first": 1, "second": 2, "gap_ns": 2000.0, "change": 1}), [0, 0, 1]),
        (({"crossed": True}, {"first": 1, "second": 2, "gap_ns": 2000.0, "change": 0}), [0, 0, 0]),
    ],
    ids=["same-end", "other-end", "in-a-row", "both-at-once", "same-end-crossed", "other-end-crossed"],
)
def test_each_end_is_translated_once(rows: tuple[dict[str, Any], ...], connection: list[int]) -> None:
    """Else two senders would share one image; the better pair comes first."""
    assert _map(3, *rows).connection.tolist() == connection


def test_a_conversation_that_goes_the_other_way_round_is_flipped() -> None:
    """Seen from the connection's first conversation, over several joints."""
    rows = ({"crossed": True}, {"first": 1, "second": 2, "change": 0, "gap_ns": 2000.0},
            {"first": 3, "second": 4, "gap_ns": 3000.0})  # fmt: skip
    found = _map(5, *rows)

    assert found.connection.tolist() == [0, 0, 0, 1, 1]
    assert found.flipped.tolist() == [False, True, True, False, False]


def test_what_another_pair_would_explain_as_well_is_ambiguous() -> None:
    """Both that were joined, and the rival is named; not what is sure, nor what was not joined."""
    rival, apart = {"second": 2, "gap_ns": 1500.0}, {"first": 3, "second": 4}
    found = _map(5, {}, rival, apart)
    numbered = {"numbered": True, "share": 0.9}
    sure = _map(5, numbered, {**rival, "numbered": True, "share": 0.8}, apart)

    assert found.ambiguous.tolist() == [True, True, False, False, False]
    assert found.rivals == [(0, 2)]
    assert sure.ambiguous.tolist() == [False] * 5
    assert sure.rivals == []


@pytest.mark.parametrize(
    ("rows", "doubts"),
    [
        (({"routed": False},), [(0, 1)]),
        (({"routed": False, "share": 0.5},), [(0, 1)]),
        (({"routed": False, "share": 0.49},), []),
        (({"kept_ends": 0},), []),
        (({},), []),
        (({}, {"second": 2, "routed": False, "gap_ns": 5000.0}), []),
        (({"first": 1, "second": 2}, {"second": 1, "routed": False, "gap_ns": 5000.0}), []),
    ],
    ids=["not-routed", "half", "less", "both-ends-moved", "joined", "first-is-joined", "second-is-joined"],
)
def test_a_pair_that_may_be_the_same_stays_in_doubt(
    rows: tuple[dict[str, Any], ...], doubts: list[tuple[int, int]]
) -> None:
    """It explains most packets and leaves an end alone, and both conversations stand alone."""
    assert _map(3, *rows).doubts == doubts


def test_where_nothing_votes_each_is_a_connection() -> None:
    """Nothing is in doubt then."""
    found = _map(2)

    assert (found.connection.tolist(), found.flipped.tolist()) == ([0, 1], [False, False])
    assert found.doubts == []
