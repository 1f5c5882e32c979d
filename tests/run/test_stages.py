"""The stages of correlation: the same of a range in memory and of one in a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.decode.frames import read_frames
from analyzer.decode.payloads import may_be_refined
from analyzer.link.cuts import find_cuts
from analyzer.link.dealing import ByIdentity, collect
from analyzer.link.keys import make_keys
from analyzer.link.nat import Mapping
from analyzer.read.work import Work
from analyzer.run.prepare import prepare
from analyzer.run.stages import Ranged, converse, deal_columns, deal_refined, inherit, notice, without_names

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FIRST = 1000


@pytest.fixture(params=["memory", "file"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Where tables are."""
    return Work(tmp_path if request.param == "file" else None)


@pytest.fixture
def ranged(work: Work) -> Ranged:
    """Frames whose datagrams look alike, which are not the first that were read."""
    with prepare([SAMPLES / "equal-datagrams"]) as prepared:
        tables = read_frames(prepared.captures(), make_keys)
    (stretch,) = tables.stretches
    kept = replace(
        stretch,
        table=work.keep(dict(stretch.table.open())),
        sides={name: work.keep(dict(side.open())) for name, side in stretch.sides.items()},
    )
    return Ranged(kept, FIRST, np.array([source.file for source in tables.sources], np.int64))


def test_what_is_in_memory_is_opened_once(ranged: Ranged, work: Work) -> None:
    """Until somebody lets go of it; what lies in a file is opened as often as it is needed."""
    first = ranged.open()
    again = ranged.open()
    ranged.forget()

    assert (again is first) is (work.folder is None)
    assert ranged.open() is not first
    assert first.first_row == FIRST


def test_what_lies_aside_is_called_by_rows_among_all(ranged: Ranged) -> None:
    """As many more as were read before; of the first rows as they are."""
    own, found = replace(ranged, first_row=0).sides(), ranged.sides()

    assert len(own["neighbours"]["row"])
    assert found["neighbours"]["row"].tolist() == [row + FIRST for row in own["neighbours"]["row"].tolist()]
    others = own["neighbours"].keys() - {"row"}
    assert all(np.array_equal(found["neighbours"][name], own["neighbours"][name]) for name in others)


def test_flows_of_later_fragments_stay(ranged: Ranged) -> None:
    """Whoever opens the range next finds them, and flows were busy at other times then."""
    _, before = notice(None, ranged)
    flow = ranged.open().flow.copy()
    rows = np.array([0, 2])
    after = inherit(None, (ranged, (rows, np.array([4, 6]))))
    ranged.forget()
    changed = ranged.open().flow

    assert changed[rows].tolist() == [4, 6]
    assert np.delete(changed, rows).tolist() == np.delete(flow, rows).tolist()
    assert type(after) is type(before)


def test_the_conversation_of_each_row_is_kept_where_it_would_be_forgotten(ranged: Ranged, work: Work) -> None:
    """In memory it is still known."""
    _, times = notice(None, ranged)
    talks, seen, by_row = converse((find_cuts([times]), work), ranged)

    assert (by_row is None) is (work.folder is None)
    assert by_row is None or by_row.rows == ranged.stretch.rows
    assert len(talks["key"]) == seen.count > 0


def test_all_rows_are_dealt_by_identity(ranged: Ranged, work: Work) -> None:
    """Each to one part, with the number that it has among all; frames of one identity stay together."""
    hand = deal_columns((("identity", "time_ns"), ByIdentity(3), work), ranged)
    tables = [pile.tables()[0] for pile in collect([hand], ())]
    identities = [set(table["identity"].tolist()) for table in tables]
    frames = ranged.open()

    rows = np.concatenate([table["row"] for table in tables])
    assert sorted(rows.tolist()) == list(range(FIRST, FIRST + ranged.stretch.rows))
    assert sum(map(len, identities)) == len(set().union(*identities)) == len(set(frames.identity.tolist()))
    assert all(np.array_equal(one["time_ns"], frames.frames["time_ns"][one["row"] - FIRST]) for one in tables)


def test_only_what_may_be_told_apart_is_dealt_for_that(ranged: Ranged, work: Work) -> None:
    """By its number among all."""
    hand = deal_refined((ByIdentity(2), work), ranged)
    rows = np.concatenate([pile.tables()[0]["row"] for pile in collect([hand], ())])
    wanted = np.flatnonzero(may_be_refined(dict(ranged.stretch.table.open())))

    assert sorted(rows.tolist()) == (wanted + FIRST).tolist()
    assert 0 < len(rows) < ranged.stretch.rows


def test_stages_are_given_what_they_need_of_the_mapping() -> None:
    """Connections; rivals and doubts are told by whoever has all of them."""
    ends = np.array([0, 0]), np.array([False, True]), np.array([True, False])
    mapping = Mapping(*ends, [(0, 1)], [(1, 0)])
    found = without_names(mapping)

    assert (found.rivals, found.doubts, mapping.rivals) == ([], [], [(0, 1)])
    assert (found.connection, found.flipped, found.ambiguous) == ends
