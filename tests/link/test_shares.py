"""Frames in shares: what goes together, that nothing is lost on the way, and what is too much for one part."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import LimitError
from analyzer.link.cuts import find_cuts
from analyzer.link.shares import (
    ByConnection,
    ByIdentity,
    Dealt,
    Pile,
    Range,
    Share,
    check_parts,
    collect,
    deal,
    part_of,
)
from analyzer.link.tuples import flows
from analyzer.read.work import Work
from analyzer.schema import FRAMES, Columns
from tests.packet.tables import ARP, UDP, Frame, table

FILES = np.arange(3)
PARTS = 4
IDENTITY = np.arange(40, dtype=np.int64) * 7 % 20 * 7919


@pytest.fixture(params=["memory", "file"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Where tables are."""
    return Work(tmp_path if request.param == "file" else None)


def _frames(count: int = 40) -> Columns:
    """Make frames of conversations with ports of their own, and some that have none; the last ones first."""
    usual: Frame = {"layers": UDP, "proto": 17, "src": "10.0.0.1", "dst": "10.0.0.2", "dport": 53}
    rows = [
        {**usual, "sport": 1000 + number % 5, "time_ns": 1000 - number, "frame": number + 1}
        if number % 8 else {"layers": ARP, "time_ns": 1000 - number, "frame": number + 1}
        for number in range(count)
    ]  # fmt: skip
    return table(FRAMES, rows)


def _range(first_row: int = 0) -> Range:
    frames = _frames()
    found = Range(frames, flows(frames), IDENTITY, FILES, first_row)
    found.converse(find_cuts([found.flow_times()]))
    return found


def _table(first_row: int = 0) -> Columns:
    here = _range(first_row)
    return here.table(here.by_row(), np.arange(here.conversations.count))


def test_rows_of_a_range_are_told_by_their_conversation() -> None:
    """By its number among all, in the order of rows; what has none stays without, whatever the numbers are."""
    here = _range(100)
    numbers = np.arange(here.conversations.count) + 50
    found = here.table(here.by_row(), numbers)
    ports = here.frames["sport"]

    assert found["row"].tolist() == list(range(100, 140))
    assert {(int(port), int(of)) for port, of in zip(ports, found["of"], strict=True) if port == 0} == {(0, -1)}
    assert len({(int(port), int(of)) for port, of in zip(ports, found["of"], strict=True)}) == 6
    assert found["of"].max() == 54


def test_parts_are_about_alike_and_the_same_every_time() -> None:
    """Each key goes to one of them, whatever other keys there are."""
    keys = np.arange(10_000, dtype=np.int64)
    found = part_of(keys, PARTS)

    assert found.tolist() == np.concatenate([part_of(keys[:7], PARTS), part_of(keys[7:], PARTS)]).tolist()
    assert np.bincount(found, minlength=PARTS).min() > 10_000 / PARTS * 0.9
    assert set(part_of(keys, 1).tolist()) == {0}


def test_what_is_equal_goes_to_one_part() -> None:
    """Frames of an identity; or of a connection, and those that have none by their identity."""
    found = _table()
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
    tables = [_table(), _table(40)]
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
    few = {name: column[:1] for name, column in _table().items()}
    empty = [part for part in _dealt(work, few) if not part.rows]

    assert len(empty) == PARTS - 1
    assert list(empty[0].tables()[0]) == list(few)


def _in_time(share: Share) -> list[tuple[int, int, bool]]:
    here = share.time_order
    return list(zip(share.rows(here).tolist(), share.of.tolist(), share.backward.tolist(), strict=True))


def test_a_pile_is_a_share_by_time(work: Work) -> None:
    """Rows, conversations and directions stay together, though the rows came the other way round."""
    whole = _table()
    told = {
        int(row): (int(of), bool(back))
        for row, of, back in zip(whole["row"], whole["of"], whole["backward"], strict=True)
    }
    for part in _dealt(work, whole):
        share = Pile(part, FILES).open()
        assert share.frames["time_ns"][share.time_order].tolist() == sorted(share.frames["time_ns"].tolist())
        assert all(told[row] == (of, back) for row, of, back in _in_time(share))
        frames, _, rows = Pile(part, FILES).tables()
        assert (list(frames), rows.tolist()) == (list(FRAMES.dtypes), share.frames["row"].tolist())


def test_what_is_sorted_by_identity_is_sorted_whole(work: Work) -> None:
    """A share is sorted once, its conversations with it; afterwards it can let go of them."""
    whole = _table()
    share = Pile(Dealt([[work.keep(whole)]], ()), FILES).open()
    runs = share.runs

    assert share.runs is runs
    assert share.of.tolist() == whole["of"][runs.rows.order].tolist()
    assert runs.count == len(set(IDENTITY.tolist()))
    share.forget()
    assert (len(share.identity), len(share.of), len(share.backward)) == (0, 0, 0)


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
