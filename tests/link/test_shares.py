"""Frames in shares: with their conversations, by time, and by identity."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.link.dealing import ByIdentity, Dealt, collect, deal
from analyzer.link.shares import Pile, Share
from analyzer.read.work import Work
from analyzer.schema import FRAMES
from tests.link.ranges import FILES, IDENTITY, dealt_rows, ranged


@pytest.fixture(params=["memory", "file"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Where tables are."""
    return Work(tmp_path if request.param == "file" else None)


def test_rows_of_a_range_are_told_by_their_conversation() -> None:
    """By its number among all, in the order of rows; what has none stays without, whatever the numbers are."""
    here = ranged(100)
    numbers = np.arange(here.conversations.count) + 50
    found = here.table(here.by_row(), numbers)
    ports = here.frames["sport"]

    assert found["row"].tolist() == list(range(100, 140))
    assert {(int(port), int(of)) for port, of in zip(ports, found["of"], strict=True) if port == 0} == {(0, -1)}
    assert len({(int(port), int(of)) for port, of in zip(ports, found["of"], strict=True)}) == 6
    assert found["of"].max() == 54


def _in_time(share: Share) -> list[tuple[int, int, bool]]:
    here = share.time_order
    return list(zip(share.rows(here).tolist(), share.of.tolist(), share.backward.tolist(), strict=True))


def test_a_pile_is_a_share_by_time(work: Work) -> None:
    """Rows, conversations and directions stay together, though the rows came the other way round."""
    whole = dealt_rows()
    told = {
        int(row): (int(of), bool(back))
        for row, of, back in zip(whole["row"], whole["of"], whole["backward"], strict=True)
    }
    for part in collect([deal(whole, {}, ByIdentity(4), work)], ()):
        share = Pile(part, FILES).open()
        assert share.frames["time_ns"][share.time_order].tolist() == sorted(share.frames["time_ns"].tolist())
        assert all(told[row] == (of, back) for row, of, back in _in_time(share))
        frames, _, rows = Pile(part, FILES).tables()
        assert (list(frames), rows.tolist()) == (list(FRAMES.dtypes), share.frames["row"].tolist())


def test_what_is_sorted_by_identity_is_sorted_whole(work: Work) -> None:
    """A share is sorted once, its conversations with it; afterwards it can let go of them."""
    whole = dealt_rows()
    share = Pile(Dealt([[work.keep(whole)]], ()), FILES).open()
    runs = share.runs

    assert share.runs is runs
    assert share.of.tolist() == whole["of"][runs.rows.order].tolist()
    assert runs.count == len(set(IDENTITY.tolist()))
    share.forget()
    assert (len(share.identity), len(share.of), len(share.backward)) == (0, 0, 0)
