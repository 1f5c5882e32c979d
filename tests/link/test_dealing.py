"""What goes to which part: what goes together, that nothing is lost on the way, and what is too much for one."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import LimitError
from analyzer.link.dealing import ByConnection, ByIdentity, Dealt, check_parts, collect, deal, part_of
from analyzer.read.work import Work
from analyzer.schema import Columns
from tests.link.ranges import IDENTITY, dealt_rows

PARTS = 4


@pytest.fixture(params=["memory", "file"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Where tables are."""
    return Work(tmp_path if request.param == "file" else None)


def test_parts_are_about_alike_and_the_same_every_time() -> None:
    """Each key goes to one of them, whatever other keys there are."""
    keys = np.arange(10_000, dtype=np.int64)
    found = part_of(keys, PARTS)

    assert found.tolist() == np.concatenate([part_of(keys[:7], PARTS), part_of(keys[7:], PARTS)]).tolist()
    assert np.bincount(found, minlength=PARTS).min() > 10_000 / PARTS * 0.9
    assert set(part_of(keys, 1).tolist()) == {0}


def test_what_is_equal_goes_to_one_part() -> None:
    """Frames of an identity; or of a connection, and those that have none by their identity."""
    found = dealt_rows()
    by_identity = ByIdentity(PARTS)(found)
    connections = np.array([0, 0, 1, 2, 1])
    by_connection = ByConnection.of_sizes(PARTS, connections, np.ones(len(connections), np.int64))(found)
    of = np.append(connections, -1)[found["of"]]

    assert by_identity.tolist() == part_of(IDENTITY, PARTS).tolist()
    assert all(len(set(by_connection[of == number].tolist())) == 1 for number in range(3))
    assert by_connection[of < 0].tolist() == by_identity[of < 0].tolist()


def _dealt(work: Work, *tables: Columns) -> list[Dealt]:
    rule = ByIdentity(PARTS)
    hands = [deal(one, {"notes": {"row": one["row"][::3], "note": one["row"][::3] * 2}}, rule, work) for one in tables]
    return collect(hands, ("notes",))


def test_nothing_is_lost_where_rows_are_dealt(work: Work) -> None:
    """Each part has its rows in order, from one table after the other, and what lies aside of them."""
    tables = [dealt_rows(), dealt_rows(40)]
    dealt = _dealt(work, *tables)
    rows, notes = [], []
    for number, part in enumerate(dealt):
        table_, sides = part.tables()
        assert set(part_of(table_["identity"], PARTS).tolist()) <= {number}
        assert table_["row"].tolist() == sorted(table_["row"].tolist())
        assert set(sides["notes"]["row"].tolist()) <= set(table_["row"].tolist())
        assert sides["notes"]["note"].tolist() == (sides["notes"]["row"] * 2).tolist()
        rows += table_["row"].tolist()
        notes += sides["notes"]["row"].tolist()

    assert len(dealt) == PARTS
    assert sorted(rows) == list(range(80))
    assert sorted(notes) == sorted(int(row) for one in tables for row in one["row"][::3])
    assert sum(part.rows for part in dealt) == 80


def test_a_part_that_got_nothing_is_empty(work: Work) -> None:
    """It has all columns, and no rows."""
    few = {name: column[:1] for name, column in dealt_rows().items()}
    empty = [part for part in _dealt(work, few) if not part.rows]

    assert len(empty) == PARTS - 1
    assert list(empty[0].tables()[0]) == list(few)


@pytest.mark.parametrize(("most", "fits"), [(None, True), (40, True), (39, False)])
def test_what_belongs_together_and_does_not_fit_is_too_much(most: int | None, fits: bool) -> None:
    """The largest part counts; where there are none, nothing is."""
    dealt = [Dealt([[Work().keep({"row": np.arange(count)})]], ()) for count in (3, 40)]

    check_parts([], 0)
    if fits:
        check_parts(dealt, most)
    else:
        with pytest.raises(LimitError, match="40 frames that belong together"):
            check_parts(dealt, most)
