"""Tables between two stages: what is kept in files is what was kept, whole or in part."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import OutputError
from analyzer.read import work as module
from analyzer.read.work import Work, usual_place, work_directory
from analyzer.schema import CONNECTIONS, FRAMES, Columns


def _filled(rows: int, seed: int = 0) -> Columns:
    """Columns of every dtype that tables have, of odd lengths."""
    random = np.random.default_rng(seed)
    return {
        name: random.integers(0, 2 if dtype == "bool" else 100, rows).astype(dtype)
        for name, dtype in (FRAMES.dtypes | CONNECTIONS.dtypes).items()
    }


def _same(one: Columns, other: Columns) -> bool:
    pairs = zip(one.items(), other.items(), strict=True)
    return all(a == b and mine.dtype == his.dtype and np.array_equal(mine, his) for (a, mine), (b, his) in pairs)


@pytest.fixture(params=["memory", "files"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    """Both ways to keep tables."""
    return Work(tmp_path if request.param == "files" else None)


@pytest.mark.parametrize("rows", [0, 1, 7, 1000])
def test_what_is_kept(work: Work, rows: int) -> None:
    """All columns in their order, some of them, or some rows."""
    table = _filled(rows)
    kept = work.keep(table)

    assert kept.rows == rows
    assert _same(kept.open(), table)
    assert _same(kept.open("time_ns", "point"), {name: table[name] for name in kept.open("time_ns", "point")})
    assert set(kept.open("time_ns", "point")) == {"time_ns", "point"}
    assert _same(
        kept.between(1, max(rows - 2, 1)), {name: column[1 : max(rows - 2, 1)] for name, column in table.items()}
    )


def test_several_tables_in_one_file(tmp_path: Path) -> None:
    """Each by itself; the file goes when it is not needed."""
    work, tables = Work(tmp_path), [_filled(3, 1), {"x": np.arange(5, dtype=np.int8)}, _filled(2, 2)]
    kept = work.keep_all(tables)

    assert len(list(tmp_path.iterdir())) == 1
    assert all(_same(one.open(), table) for one, table in zip(kept, tables, strict=True))
    work.forget(kept[:1])
    assert list(tmp_path.iterdir()) == []


def test_a_column_is_replaced(work: Work) -> None:
    """The others are as they were."""
    table = _filled(9)
    kept = work.keep(dict(table))
    kept.put("point", table["point"] + np.uint16(5))

    assert _same(kept.open(), table | {"point": table["point"] + np.uint16(5)})


def test_a_file_that_is_not_what_it_was(tmp_path: Path) -> None:
    """It is told, with what to do about it; nothing is made up."""
    kept = Work(tmp_path).keep(_filled(100))
    os.truncate(kept.path, 50)
    with pytest.raises(OutputError, match="work directory cannot be used: it is shorter than it was"):
        kept.open().values()
    Path(kept.path).unlink()
    for use in (kept.open().values, lambda: kept.between(0, 1), lambda: kept.put("point", np.zeros(100, np.uint16))):
        with pytest.raises(OutputError, match="work directory cannot be used: No such file"):
            use()


def test_nothing_can_be_written(tmp_path: Path) -> None:
    """A folder that went away."""
    with pytest.raises(OutputError, match="work directory cannot be used"):
        Work(tmp_path / "gone").keep(_filled(1))


def test_a_work_directory_is_gone_afterwards(tmp_path: Path) -> None:
    """In the place that was named, or where temporary files are."""
    with work_directory(str(tmp_path), 1000) as work, work_directory(None, 0) as usual:
        work.keep(_filled(10))

        folders = [Path(str(one.folder)) for one in (work, usual)]
        assert [folder.parent for folder in folders] == [tmp_path, Path(usual_place())]
    assert list(tmp_path.iterdir()) == []
    assert not folders[1].exists()


@pytest.mark.parametrize(
    ("mounts", "place"),
    [
        ("/dev/sda / ext4 rw\ntmpfs {tmp} tmpfs rw\n", "disk"),
        ("/dev/sda / ext4 rw\ntmpfs {tmp}/other tmpfs rw\n", "tmp"),
        ("tmpfs / tmpfs rw\n/dev/sda {tmp} ext4 rw\n", "tmp"),
        ("", "tmp"),
    ],
)
def test_where_temporary_files_are_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounts: str, place: str
) -> None:
    """There, nothing is gained; what is large goes to a disk."""
    for name in ("tmp", "disk"):
        (tmp_path / name).mkdir()
    (tmp_path / "mounts").write_text(mounts.format(tmp=tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(module, "ON_DISK", str(tmp_path / "disk"))
    monkeypatch.setattr(module, "MOUNTS", tmp_path / "mounts")

    assert usual_place() == str(tmp_path / place)


def test_a_place_without_room(tmp_path: Path) -> None:
    """What is needed and what is free is said before anything is written."""
    with (
        pytest.raises(OutputError, match=r"1,099,511,627,776 MiB are needed .* --work-dir"),
        work_directory(str(tmp_path), 1 << 60),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
