"""Frames of equal identity side by side, each run by time, and runs by their first frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.link.runs import Rows, in_time, recorded_at, sort_runs
from analyzer.schema import FRAMES, Columns, Int64
from tests.packet.tables import Frame, table


def _frames(*rows: tuple[int, int, int]) -> Columns:
    """Make frames of points, numbers and times."""
    told: list[Frame] = [{"point": point, "frame": frame, "time_ns": time} for point, frame, time in rows]
    return table(FRAMES, told)


pytestmark = pytest.mark.usefixtures("either_way")
FILES = np.array([1, 0, 1])
"""The second point's file comes before that of the two others."""


def test_places_sort_by_file_and_then_by_number() -> None:
    """Not by point: two points may be of one file."""
    frames = _frames((0, 2, 0), (1, 9, 0), (2, 1, 0))
    places = recorded_at(frames, FILES, np.arange(3))

    assert np.argsort(places).tolist() == [1, 2, 0]
    assert recorded_at(frames, FILES, slice(1, 2)).tolist() == places[1:2].tolist()


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        (((1, 1, 30), (1, 2, 10), (0, 1, 20)), [1, 2, 0]),
        (((1, 1, 10), (0, 1, 10), (0, 2, 10)), [0, 1, 2]),
        (((0, 2, 10), (0, 1, 10), (1, 1, 10)), [2, 1, 0]),
        ((), []),
    ],
    ids=["by-time", "as-read", "equal-times", "nothing"],
)
def test_equal_times_are_in_order_of_their_files(rows: tuple[tuple[int, int, int], ...], order: list[int]) -> None:
    """Whatever order the rows came in."""
    assert in_time(_frames(*rows), FILES).tolist() == order


def _runs(identity: Int64, time_order: Int64) -> list[list[int]]:
    frames = table(FRAMES, [{} for _ in identity])
    runs, places = sort_runs(frames, identity, time_order)
    assert time_order[places].tolist() == runs.rows.order.tolist()
    assert runs.count == len(set(identity.tolist()))
    assert sorted(set(runs.run.tolist())) == list(range(runs.count))
    return [runs.rows.order[runs.run == number].tolist() for number in range(runs.count)]


def _slowly(identity: Int64, time_order: Int64) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for row in time_order.tolist():
        found.setdefault(int(identity[row]), []).append(row)
    return list(found.values())


@given(st.data())
def test_runs_are_what_going_through_them_one_by_one_finds(data: st.DataObject) -> None:
    """Whatever bits identities differ in."""
    values = st.sampled_from([0, 1, 2, 3, 1 << 40, (1 << 40) + 1, -1, -2, (1 << 62) + 5])
    identity = np.array(data.draw(st.lists(values, min_size=1, max_size=40)), np.int64)
    time_order = np.array(data.draw(st.permutations(range(len(identity)))), np.int64)

    assert _runs(identity, time_order) == _slowly(identity, time_order)


def test_rows_move_with_what_was_taken_of_them() -> None:
    """A column that was asked for before stays in step; so do rows of some places."""
    frames = _frames((0, 1, 10), (0, 2, 20), (0, 3, 30))
    rows = Rows(frames, np.array([2, 0, 1]))
    before = rows.column("frame").tolist()
    rows.move(np.array([0, 1]), np.array([1, 0]))

    assert before == [3, 1, 2]
    assert rows.column("frame").tolist() == [1, 3, 2]
    assert rows.column("time_ns").tolist() == [10, 30, 20]
    assert rows.take(np.array([2])).column("frame").tolist() == [2]
