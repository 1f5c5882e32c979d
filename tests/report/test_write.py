"""Reports are there whole or not at all, and what dead runs left of them goes."""

import fcntl
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.report.write import whole_file, write_lines


def test_a_file_has_its_name_when_it_is_complete(tmp_path: Path) -> None:
    """Until then, another one that only its owner reads."""
    with whole_file(tmp_path / "x.json") as temporary:
        temporary.write_text("whole")
        there = [path.name for path in tmp_path.iterdir()]
        mode = temporary.stat().st_mode & 0o777

    assert (there, mode) == ([temporary.name], 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_text() == "whole"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_a_file_that_fails(tmp_path: Path, error: type[BaseException]) -> None:
    """And what was there stays."""
    (tmp_path / "x.json").write_text("before")
    with pytest.raises(error), whole_file(tmp_path / "x.json") as temporary:
        temporary.write_text("half")
        raise error

    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """By the next one that writes the same report; not what somebody still writes, nor what has another name."""
    for name in (".x.json.0123abcd", ".x.json.4567abcd", ".x.json.4567abcde", ".y.json.0123abcd", "x.json.0123abcd"):
        (tmp_path / name).touch()
    with (tmp_path / ".x.json.4567abcd").open() as used:
        fcntl.flock(used, fcntl.LOCK_EX)
        write_lines(tmp_path / "x.json", ["a"])

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".x.json.4567abcd", ".x.json.4567abcde", ".y.json.0123abcd", "x.json", "x.json.0123abcd"
    ]  # fmt: skip


def test_a_report_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    """Two runs may write the same one; the last one stays."""
    with whole_file(tmp_path / "x.json") as first:
        first.write_text("first")
        write_lines(tmp_path / "x.json", ["second"])
        there = first.exists()

    assert there
    assert (tmp_path / "x.json").read_text() == "first"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told with its reason."""
    (tmp_path / "file").touch()

    with pytest.raises(OutputError, match=r"cannot be written: File exists$"):
        write_lines(tmp_path / "file" / "x.json", ["a"])
