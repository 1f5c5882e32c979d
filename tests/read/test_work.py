"""Where tables lie between two stages: all of it is there, and gone afterwards."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import OutputError
from analyzer.read import work as module
from analyzer.read.work import Work, usual_place, work_directory
from tests.read.columns import filled, same


def test_several_tables_in_one_file(tmp_path: Path) -> None:
    """Each by itself; the file goes when it is not needed."""
    work, tables = Work(tmp_path), [filled(3, 1), {"x": np.arange(5, dtype=np.int8)}, filled(2, 2)]
    kept = work.keep_all(tables)

    assert len(list(tmp_path.iterdir())) == 1
    assert all(same(one.open(), table) for one, table in zip(kept, tables, strict=True))
    work.forget(kept[:1])
    assert list(tmp_path.iterdir()) == []


def test_nothing_can_be_written(tmp_path: Path) -> None:
    """A folder that went away."""
    with pytest.raises(OutputError, match="work directory cannot be used"):
        Work(tmp_path / "gone").keep(filled(1))


def test_a_work_directory_is_gone_afterwards(tmp_path: Path) -> None:
    """In the place that was named, or where temporary files are."""
    with work_directory(str(tmp_path), 1000) as work, work_directory(None, 0) as usual:
        work.keep(filled(10))

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
