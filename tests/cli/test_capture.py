"""What is refused before anything is recorded, and what is told afterwards."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from analyzer.errors import OutputError, SelectionError
from analyzer.model import Role
from analyzer.read.manifest import Manifest, RecordedPoint
from analyzer.record import pack

module = import_module("analyzer.cli.capture")
"""Of the package, the name is the command's."""


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, ["capture", *(str(word) for word in words)])


def test_something_must_be_captured(tmp_path: Path) -> None:
    """A container, a network, all, or an interface."""
    told = _run("-o", tmp_path / "x")

    assert told.exit_code == 2
    assert "give at least one container (-c), --network, --all, --netns, --pid or interface (-i)" in told.stderr


@pytest.mark.parametrize(
    ("texts", "stops"),
    [
        ((), (None, None)),
        (("duration:1.5",), (1.5, None)),
        (("packets:7", "duration:60"), (60.0, 7)),
        (("packets:7", "packets:9"), (None, 9)),
    ],
)
def test_a_recording_stops_by_time_or_number(texts: tuple[str, ...], stops: tuple[float | None, int | None]) -> None:
    """Or by whichever comes first; of two of a kind the last counts."""
    assert module._autostops(texts) == stops


@pytest.mark.parametrize(
    "text",
    ["duration:0", "duration:-1", "duration:inf", "duration:nan", "duration:x", "duration", "packets:0", "packets:1.5",
     "files:3", "", "packets:"],
)  # fmt: skip
def test_a_stop_that_never_comes_is_refused(text: str) -> None:
    """Also one that would come at once."""
    with pytest.raises(SelectionError, match="known are duration:SECONDS and packets:NUMBER"):
        module._autostops(("duration:5", text))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x", "x: is there already; a recording has a name of its own"),
        ("x.tar.zst", "x: is there already; the recording is kept there until x.tar.zst is complete"),
    ],
)
def test_a_recording_has_a_name_of_its_own(tmp_path: Path, name: str, why: str) -> None:
    """What is there is not written over, nor is the folder in which a packed one is kept meanwhile."""
    (tmp_path / "x").mkdir()
    told = _run("-i", "lo", "-o", tmp_path / name)

    assert told.exit_code == 3
    assert why in told.stderr
    assert list((tmp_path / "x").iterdir()) == []


def test_a_link_that_leads_nowhere_is_there_already(tmp_path: Path) -> None:
    """Nothing is written through it."""
    (tmp_path / "x").symlink_to("nowhere")

    assert "a recording has a name of its own" in _run("-i", "lo", "-o", tmp_path / "x").stderr


def test_what_is_not_whole_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A capture that ended early, frames that were dropped, and what could not be recorded; what is whole is not."""
    points = (
        RecordedPoint("a", "a.pcap", "a", Role.VETH, dropped=0),
        RecordedPoint("b", "b.pcap", "b", Role.VETH, ended="vanished"),
        RecordedPoint("c", "c.pcap", "c", Role.VETH, dropped=3),
        RecordedPoint("d", "d.pcap", "d", Role.VETH),
    )
    module._tell_of_losses(Manifest(1, 2, "host", 0, points=points, problems=("no docker",)))

    assert capsys.readouterr().err.splitlines() == [
        "hoptrace: b: ended: vanished", "hoptrace: c: the kernel dropped 3 frames", "hoptrace: not recorded: no docker",
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.json").write_text(json.dumps({}))
    return tmp_path / "x"


def test_a_packed_recording_takes_the_place_of_its_folder(folder: Path) -> None:
    """The folder is gone when the file is complete."""
    module._pack(folder, folder.with_name("x.tar.zst"))

    assert [path.name for path in folder.parent.iterdir()] == ["x.tar.zst"]


@pytest.mark.parametrize("error", [OutputError("x.tar.zst: full"), KeyboardInterrupt()])
def test_a_recording_that_cannot_be_packed_stays_as_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    """It is told where it is, and no half of a file stays."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(pack, "pack", fail)
    with pytest.raises(type(error)) as raised:
        module._pack(folder, folder.with_name("x.tar.zst"))

    assert f"what was recorded is in {folder}" in f"{raised.value}{capsys.readouterr().err}"
    assert [path.name for path in folder.parent.iterdir()] == ["x"]
