"""What becomes of the folder of a recording that was made one file."""

import shutil
from pathlib import Path

import pytest

from analyzer.cli.capture import _pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording."""
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return folder


def test_the_folder_goes(folder: Path) -> None:
    """Once the file is there, whole."""
    path = folder.with_name("b.tar.zst")
    _pack(folder, path)

    assert [one.name for one in folder.parent.iterdir()] == ["b.tar.zst"]
    assert path.stat().st_size > 0


def test_killed_while_the_folder_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of it passes for no recording."""

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(SystemExit):
        _pack(folder, folder.with_name("b.tar.zst"))

    assert sorted(one.name for one in folder.parent.iterdir()) == [".b.packed", "b.tar.zst"]
