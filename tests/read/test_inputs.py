"""What was named, opened up: folders, bundles and pipes; what is found twice, and what cannot be used."""

import gzip
import json
import os
import shutil
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import InputError
from analyzer.model import Role
from analyzer.read.inputs import Inputs, find_inputs, is_capture
from analyzer.read.manifest import RecordedPoint
from analyzer.read.spec import PointSpec
from analyzer.record.pack import pack
from tests.build import T0, pcap

POINT = {"name": "docker0", "file": "docker0.pcap", "interface": "docker0", "role": "bridge", "container": "web",
         "dropped": 0}  # fmt: skip
RECORDED = RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE, "web", dropped=0)
ONE = pcap([(T0, b"abc")])


def _find(*paths: Path, points: tuple[PointSpec, ...] = ()) -> Inputs:
    with ExitStack() as stack:
        return find_inputs([str(path) for path in paths], points, stack)


def _write(folder: Path, *names: str, **manifest: Any) -> Path:
    """Write a folder of captures; with a manifest where something of one is given."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(ONE)
    if manifest:
        values = {"started_ns": 5, "stopped_ns": 9, "host": "h1", "snap_len": 256, "points": [POINT], **manifest}
        (folder / "manifest.json").write_text(json.dumps(values))
    return folder


def _names(inputs: Inputs) -> list[str]:
    return [Path(file).name for file in inputs.files]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pcap", True), ("a.PCAP", True), ("a.pcapng", True), ("a.cap", True), ("a.dmp", True), ("a.snoop", True),
        ("a.pcap7", True), ("a.pcap07", True), ("a.pcap.gz", True), ("a.pcap12.ZST", True), ("a.pcap.xz.bz2", True),
        ("a.txt", False), ("a.gz", False), ("a", False), ("pcap", False), ("a.pcap.txt", False), ("a.7", False),
        ("a.pcap7a", False),
    ],
)  # fmt: skip
def test_captures_by_name(tmp_path: Path, name: str, expected: bool) -> None:
    """By their endings, without those of compression and the number of a rotated one; a folder is none."""
    (tmp_path / name).touch()
    (tmp_path / "folder" / name).mkdir(parents=True)

    assert is_capture(tmp_path / name) is expected
    assert not is_capture(tmp_path / "folder" / name)


def test_a_folder_of_captures(tmp_path: Path) -> None:
    """They come in order of their names, and what is none is left alone; there is one bundle, without a name."""
    folder = _write(tmp_path / "b", "z.pcap", "a.pcap", "notes.txt")
    inputs = _find(folder)

    assert _names(inputs) == ["a.pcap", "z.pcap"]
    assert (inputs.given, inputs.groups, inputs.unusable, inputs.doubled) == ([str(folder)], [], [], [])
    assert list(inputs.bundles) == [None]
    bundle = inputs.bundles[None]
    assert (bundle.path, bundle.host, bundle.events, bundle.manifest) == (folder, None, None, None)
    assert inputs.specs == [PointSpec(file) for file in inputs.files]
    assert inputs.local == {file: file for file in inputs.files}


def test_what_else_is_in_a_bundle(tmp_path: Path) -> None:
    """Dumps of the host, and conntrack's events; each only if it is what it should be."""
    whole, odd = _write(tmp_path / "whole", "a.pcap"), _write(tmp_path / "odd", "a.pcap")
    (whole / "host").mkdir()
    (whole / "conntrack-events.txt").touch()
    (odd / "host").touch()
    (odd / "conntrack-events.txt").mkdir()
    found = [_find(folder).bundles[None] for folder in (whole, odd)]

    assert [(b.host, b.events) for b in found] == [(whole / "host", whole / "conntrack-events.txt"), (None, None)]


def test_several_bundles_are_several_hosts(tmp_path: Path) -> None:
    """Each by its folder's name, also where one folder holds them all; what the user calls a host, stands."""
    for name in ("h2", "h1"):
        _write(tmp_path / "all" / name, f"{name}.pcap")
    (tmp_path / "all" / "empty").mkdir()
    (tmp_path / "all" / "file").touch()
    spec = PointSpec(str(tmp_path / "all" / "h2" / "h2.pcap"), "web", host="other")
    inputs = _find(tmp_path / "all", points=(spec,))

    assert _names(inputs) == ["h1.pcap", "h2.pcap"]
    assert [(spec.name, spec.host) for spec in inputs.specs] == [(None, "h1"), ("web", "other")]
    assert {name: bundle.path.name for name, bundle in inputs.bundles.items()} == {"h1": "h1", "h2": "h2"}


def test_captures_beside_bundles(tmp_path: Path) -> None:
    """A folder that has captures itself is one bundle, whatever is below it."""
    _write(tmp_path / "b", "a.pcap")
    _write(tmp_path / "b" / "below", "x.pcap")

    assert _names(_find(tmp_path / "b")) == ["a.pcap"]


def test_a_bundle_that_is_named_twice(tmp_path: Path) -> None:
    """It is one bundle, hence one host without a name."""
    folder = _write(tmp_path / "b", "a.pcap")
    inputs = _find(folder, folder)

    assert (_names(inputs), list(inputs.bundles), inputs.doubled) == (["a.pcap"], [None], [])


def test_a_file_by_several_paths(tmp_path: Path) -> None:
    """It is read once, by the path that came first, and that is told."""
    folder = _write(tmp_path / "b", "a.pcap")
    (tmp_path / "link.pcap").symlink_to(folder / "a.pcap")
    inputs = _find(tmp_path / "link.pcap", folder)

    assert inputs.files == [f"{tmp_path}/link.pcap"]
    assert inputs.doubled == [f"{folder}/a.pcap is the same file as {tmp_path}/link.pcap: counted once"]


def test_captures_that_only_a_point_names(tmp_path: Path) -> None:
    """They follow the others, and what was said of them is kept."""
    folder = _write(tmp_path / "b", "a.pcap", "b.pcap")
    specs = (PointSpec(f"{folder}/b.pcap", "web", Role.VETH), PointSpec(f"{folder}/a.pcap", container="c1"))
    inputs = _find(folder / "a.pcap", points=specs)

    assert _names(inputs) == ["a.pcap", "b.pcap"]
    assert inputs.specs == [specs[1], specs[0]]
    assert inputs.given == [f"{folder}/a.pcap", f"{folder}/b.pcap", f"{folder}/a.pcap"]
    assert inputs.bundles == {}


@pytest.mark.parametrize("ending", ["", ".gz", ".zst", ".xz", ".bz2"])
def test_what_a_manifest_says_of_a_capture(tmp_path: Path, ending: str) -> None:
    """Also where it was compressed afterwards; a capture that the manifest does not know, has nothing of it."""
    folder = _write(tmp_path / "b", f"docker0.pcap{ending}", "other.pcap", filter="port 53")
    inputs = _find(folder)
    spec = PointSpec(f"{folder}/docker0.pcap{ending}", None, Role.BRIDGE, None, "web", RECORDED, "port 53", (5, 9))

    assert inputs.specs == [spec, PointSpec(f"{folder}/other.pcap")]


def test_what_the_user_says_stands(tmp_path: Path) -> None:
    """Against the manifest."""
    folder = _write(tmp_path / "b", "docker0.pcap", filter="")
    said = PointSpec(f"{folder}/docker0.pcap", "x", Role.VETH, "h9", "c1")
    inputs = _find(folder, points=(said,))

    assert inputs.specs == [PointSpec(said.file, "x", Role.VETH, "h9", "c1", RECORDED, "", (5, 9))]


@pytest.mark.parametrize(
    ("changed", "until"),
    [({"ended_ns": 7}, 7), ({}, 9), ({"ended_ns": 99}, 9), ({"dropped": None}, None), ({"dropped": 3}, 9)],
)
def test_until_when_a_capture_was_recording(tmp_path: Path, changed: dict[str, Any], until: int | None) -> None:
    """Until it ended early, and never longer than the recording; without closing counts, nobody knows."""
    folder = _write(tmp_path / "b", "docker0.pcap", points=[{**POINT, **changed}])

    assert _find(folder).specs[0].recorded_ns == (5, until)


def test_a_manifest_that_is_none(tmp_path: Path) -> None:
    """It is told, and the captures are read without."""
    folder = _write(tmp_path / "b", "docker0.pcap", points=[{"role": "king"}])
    inputs = _find(folder)

    assert _names(inputs) == ["docker0.pcap"]
    assert inputs.specs == [PointSpec(f"{folder}/docker0.pcap")]
    assert [str(error) for error in inputs.unusable] == [
        f"{folder}/manifest.json: not a manifest: Invalid enum value 'king' - at `$.points[0].role`"
    ]
    assert inputs.named_unusable == []


def test_a_packed_bundle(tmp_path: Path) -> None:
    """It is read as its folder is, which keeps its name."""
    folder = _write(tmp_path / "b", "docker0.pcap", filter="port 53")
    pack(folder, "trouble", tmp_path / "x.tar.zst")
    with ExitStack() as stack:
        inputs = find_inputs([str(tmp_path / "x.tar.zst")], (), stack)
        there = Path(inputs.files[0]).is_file()

    assert (_names(inputs), there, Path(inputs.files[0]).exists()) == (["docker0.pcap"], True, False)
    assert inputs.bundles[None].path.name == "trouble"
    assert inputs.specs[0].filter == "port 53"


def test_how_many_captures_a_folder_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones by name are read, which is told."""
    monkeypatch.setattr("analyzer.read.inputs.MOST_CAPTURES", 2)
    folder = _write(tmp_path / "b", "a.pcap", "b.pcap", "c.pcap")
    inputs = _find(folder)

    assert _names(inputs) == ["a.pcap", "b.pcap"]
    assert [str(error) for error in inputs.unusable] == [f"{folder}: only the first 2 of 3 captures are read"]


def test_what_is_named_and_in_a_folder_that_is_named(tmp_path: Path) -> None:
    """It was named, so that it cannot be used counts."""
    folder = _write(tmp_path / "good", "a.pcap")
    (folder / "b.pcap").write_bytes(b"no capture")

    assert _find(folder).named_unusable == []
    assert _find(folder, folder / "b.pcap").named_unusable == [f"{folder}/b.pcap"]


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    """Each with its reason and as it was named; the rest is read."""
    good = _write(tmp_path / "good", "a.pcap")
    (good / "b.pcap").write_bytes(b"no capture")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.tar.zst").write_bytes(b"")
    (tmp_path / "bad.pcap").write_bytes(b"")
    paths = [tmp_path / name for name in ("empty", "bad.tar.zst", "good", "missing.pcap", "bad.pcap")]
    inputs = _find(*paths)

    assert _names(inputs) == ["a.pcap"]
    assert [str(error) for error in inputs.unusable] == [
        f"{tmp_path}/empty: no captures in this folder",
        f"{tmp_path}/bad.tar.zst: cannot unpack: empty file",
        f"{tmp_path}/good/b.pcap: neither pcap nor pcapng: begins with 6e6f2063",
        f"{tmp_path}/missing.pcap: No such file or directory",
        f"{tmp_path}/bad.pcap: empty file",
    ]
    assert inputs.named_unusable == [
        f"{tmp_path}/{name}" for name in ("empty", "bad.tar.zst", "missing.pcap", "bad.pcap")
    ]


def test_a_path_that_is_too_long() -> None:
    """It is an error of the input like others."""
    with pytest.raises(InputError, match=r"x: File name too long$"):
        _find(Path("x" * 5000))


def test_nothing_can_be_used(tmp_path: Path) -> None:
    """The first reason is told, with the others."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as error:
        _find(tmp_path / "empty", tmp_path / "missing", tmp_path / "gone")

    assert str(error.value) == f"{tmp_path}/empty: no captures in this folder"
    assert error.value.others == (
        f"{tmp_path}/missing: No such file or directory",
        f"{tmp_path}/gone: No such file or directory",
    )


def test_nothing_was_named() -> None:
    """There is nothing to read."""
    with pytest.raises(InputError, match=r"^no captures given$") as error:
        _find()

    assert error.value.others == ()


def test_pieces_stand_together_in_order_of_time(tmp_path: Path) -> None:
    """Whatever the order of their names; their numbers tell which they are."""
    folder = _write(tmp_path / "b", "a.pcap", "x.pcap", "y.pcap")
    for name, time in (("x.pcap1", T0 - 5), ("x.pcap2", T0 + 5)):
        (folder / name).write_bytes(pcap([(time, b"abc")]))
    inputs = _find(folder)

    assert _names(inputs) == ["a.pcap", "x.pcap1", "x.pcap", "x.pcap2", "y.pcap"]
    assert inputs.groups == [[1, 2, 3]]
    assert [spec.file for spec in inputs.specs] == inputs.files
    assert inputs.called_alike() == []


def test_pieces_that_the_user_gave_one_name(tmp_path: Path) -> None:
    """They are told from those that only their names put together."""
    folder = _write(tmp_path / "b", "a.pcap", "a.pcap1", "b.pcap", "c.pcap")
    specs = tuple(PointSpec(f"{folder}/{name}", "web") for name in ("b.pcap", "c.pcap"))
    inputs = _find(folder, points=specs)

    assert [[Path(inputs.files[number]).name for number in group] for group in inputs.groups] == [
        ["a.pcap", "a.pcap1"],
        ["b.pcap", "c.pcap"],
    ]
    assert inputs.called_alike() == [1]


def test_a_pipe_is_read_from_a_copy(tmp_path: Path) -> None:
    """It can be read only once, and keeps its name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    packed = gzip.compress(ONE)  # once: it has the time in it
    writer = threading.Thread(target=pipe.write_bytes, args=(packed,))
    writer.start()
    with ExitStack() as stack:
        inputs = find_inputs([str(pipe)], (), stack)
        copy = Path(inputs.local[str(pipe)])
        data = copy.read_bytes()
    writer.join()

    assert inputs.files == [str(pipe)]
    assert data == packed
    assert not copy.exists()


def test_a_bundle_is_found_again_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one bundle that come through a link to it are those of the bundle itself."""
    folder = _write(tmp_path / "b", "a.pcap")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "a.pcap", tmp_path / "c.pcap")
    inputs = _find(Path("link"), Path("c.pcap"))

    assert inputs.files == ["link/a.pcap", "c.pcap"]
    assert [bundle.path for bundle in inputs.bundles.values()] == [Path("link")]
