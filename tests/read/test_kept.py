"""Tables that somebody will ask for again: what is kept in files is what was kept, whole or in part."""

import os
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import OutputError
from analyzer.read.work import Work
from tests.read.columns import filled, same


@pytest.fixture(params=["memory", "files"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Both ways to keep tables."""
    return Work(tmp_path if request.param == "files" else None)


@pytest.mark.parametrize("rows", [0, 1, 7, 1000])
def test_what_is_kept(work: Work, rows: int) -> None:
    """All columns in their order, some of them, or some rows."""
    table = filled(rows)
    kept = work.keep(table)

    assert kept.rows == rows
    assert same(kept.open(), table)
    assert same(kept.open("time_ns", "point"), {name: table[name] for name in kept.open("time_ns", "point")})
    assert set(kept.open("time_ns", "point")) == {"time_ns", "point"}
    assert same(
        kept.between(1, max(rows - 2, 1)), {name: column[1 : max(rows - 2, 1)] for name, column in table.items()}
    )


def test_a_column_is_replaced(work: Work) -> None:
    """The others are as they were."""
    table = filled(9)
    kept = work.keep(dict(table))
    kept.put("point", table["point"] + np.uint16(5))

    assert same(kept.open(), table | {"point": table["point"] + np.uint16(5)})


def test_a_file_that_is_not_what_it_was(tmp_path: Path) -> None:
    """It is told, with what to do about it; nothing is made up."""
    kept = Work(tmp_path).keep(filled(100))
    os.truncate(kept.path, 50)
    with pytest.raises(OutputError, match="work directory cannot be used: it is shorter than it was"):
        kept.open().values()
    Path(kept.path).unlink()
    for use in (kept.open().values, lambda: kept.between(0, 1), lambda: kept.put("point", np.zeros(100, np.uint16))):
        with pytest.raises(OutputError, match="work directory cannot be used: No such file"):
            use()
