"""Files of a work directory, on a disk and in an object store: what was written is there, and can be read in ranges."""

from pathlib import Path

import pytest

from analyzer.read.written import is_there, new_path, read_into, remove, remove_below, replace_at, writing
from tests.read.objects import BUCKET


@pytest.fixture(params=["disk", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where files are."""
    if request.param == "disk":
        return str(tmp_path)
    request.getfixturevalue("store")
    return f"{BUCKET}/written/one"


def _written(folder: str, *pieces: bytes) -> str:
    path = new_path(folder)
    with writing(path) as file:
        for piece in pieces:
            file.write(piece)
    return path


def _read(path: str, at: int, count: int) -> bytes:
    data = bytearray(count)
    read_into(path, memoryview(data), at)
    return bytes(data)


def test_what_is_written_is_there(folder: str) -> None:
    """In any range; under a name of its own."""
    path, other = _written(folder, b"abc", b"", memoryview(b"defgh")), _written(folder)  # type: ignore[arg-type]

    assert path != other
    assert [_read(path, at, count) for at, count in ((0, 8), (2, 3), (7, 1), (3, 0))] == [
        b"abcdefgh",
        b"cde",
        b"h",
        b"",
    ]
    assert is_there(path)
    assert is_there(other)


def test_a_part_is_replaced(folder: str) -> None:
    """All around it stays."""
    path = _written(folder, b"abcdefgh")
    replace_at(path, memoryview(b"XY"), 3)

    assert _read(path, 0, 8) == b"abcXYfgh"


def test_what_is_removed_is_gone(folder: str) -> None:
    """One file, or all of a store's folder; what lies beside it stays."""
    path, other = _written(folder, b"a"), _written(folder, b"b")
    remove(path)
    with pytest.raises(OSError, match=r"no such object|No such file"):
        _read(path, 0, 1)
    assert (is_there(path), is_there(other)) == (False, True)
    if folder.startswith(BUCKET):
        beside = _written(f"{BUCKET}/written/two", b"c")
        remove_below(folder)
        assert (is_there(other), is_there(beside)) == (False, True)


def test_a_file_that_is_shorter_is_an_error(folder: str) -> None:
    """Nothing is made up."""
    path = _written(folder, b"abc")
    with pytest.raises(OSError, match=r"shorter|range"):
        _read(path, 1, 5)


def test_what_fails_leaves_nothing_that_seems_whole(store: object) -> None:
    """An object is there when all of it is written."""
    path = new_path(f"{BUCKET}/written/three")
    with pytest.raises(ValueError, match="enough"), writing(path) as file:
        file.write(b"abc")
        raise ValueError("enough")

    assert not is_there(path)
