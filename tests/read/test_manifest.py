"""A bundle's manifest: what is written, what is read again, and what is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import InputError
from analyzer.model import Role
from analyzer.read import manifest as module
from analyzer.read.manifest import Manifest, RecordedPoint, read_manifest, write_manifest

POINT = {"name": "docker0", "file": "docker0.pcap", "interface": "docker0", "role": "bridge"}
SMALL = {"started_ns": 5, "stopped_ns": 9, "host": "h1", "snap_len": 256}


def _write(folder: Path, **changed: Any) -> None:
    (folder / "manifest.json").write_text(json.dumps({**SMALL, **changed}))


def test_absent_values_are_left_out(tmp_path: Path) -> None:
    """Of the recording and of its points; the format has its number, and values that are empty stay."""
    point = RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE, dropped=0)
    write_manifest(tmp_path, Manifest(5, 9, "h1", 256, points=(point,)))
    text = (tmp_path / "manifest.json").read_text()

    assert json.loads(text) == {
        "manifest": 1,
        **SMALL,
        "filter": "",
        "command": [],
        "versions": {},
        "points": [{**POINT, "dropped": 0}],
        "problems": [],
    }
    assert text.startswith('{\n "manifest": 1,\n')
    assert text.endswith("\n}\n")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """Every value that a recording can have."""
    point = RecordedPoint(
        "web", "web.pcap", "eth0", Role.CONTAINER, "web", "mynet", "vanished", 8, 3, "what a bridge forwards"
    )
    plain = RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE)
    manifest = Manifest(
        5, 9, "h1", 256, "port 53", ("ping", "-c", "1"), 2, {"docker": "29"}, (point, plain), ("no conntrack",)
    )
    write_manifest(tmp_path, manifest)

    assert read_manifest(tmp_path) == manifest


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    """It has none, and neither has one where that name is a folder's."""
    (tmp_path / "other" / "manifest.json").mkdir(parents=True)

    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "other") is None


def test_what_a_manifest_must_have(tmp_path: Path) -> None:
    """Four values; the rest has defaults, and what nobody knows is passed over."""
    _write(tmp_path, manifest=2, colour="red", points=[{**POINT, "colour": "red"}])

    assert read_manifest(tmp_path) == Manifest(
        5, 9, "h1", 256, points=(RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE),)
    )


def test_the_words_of_a_command_are_texts(tmp_path: Path) -> None:
    """Whatever JSON makes of them; so are problems."""
    _write(tmp_path, command=["sleep", 5], problems=[None])
    found = read_manifest(tmp_path)

    assert found is not None
    assert (found.command, found.problems) == (("sleep", "5"), ("None",))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """They do not make a manifest unreadable."""
    (tmp_path / "manifest.json").write_bytes(json.dumps({**SMALL, "host": "h?"}).encode().replace(b"?", b"\xff"))
    found = read_manifest(tmp_path)

    assert found is not None
    assert found.host == "h�"


@pytest.mark.parametrize("value", [(1 << 63) - 1, 1 - (1 << 63)])
def test_the_largest_times_and_counts(tmp_path: Path, value: int) -> None:
    """What 64 bits can hold."""
    _write(tmp_path, started_ns=value, stopped_ns=value, points=[{**POINT, "dropped": value}])
    found = read_manifest(tmp_path)

    assert found is not None
    assert (found.started_ns, found.stopped_ns, found.points[0].dropped) == (value, value, value)


NUMBERS, NAMES = "times and counts must be integers", "names must be text, files without a folder"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"started_ns": 1 << 63}, NUMBERS),
        ({"stopped_ns": -(1 << 63)}, NUMBERS),
        ({"stopped_ns": 1.5}, NUMBERS),
        ({"started_ns": "5"}, NUMBERS),
        ({"points": [{**POINT, "dropped": "3"}]}, NUMBERS),
        ({"points": [{**POINT, "dropped": 1 << 63}]}, NUMBERS),
        ({"points": [{**POINT, "role": "king"}]}, "'king' is not a valid Role"),
        ({"points": [{name: POINT[name] for name in ("name", "file", "interface")}]}, "'role'"),
        ({"points": [{**POINT, "file": "../docker0.pcap"}]}, NAMES),
        *[
            ({"points": [{**POINT, name: 7}]}, NAMES)
            for name in ("name", "file", "interface", "container", "network", "ended", "unseen")
        ],
    ],
)
def test_senseless_values(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    """They make it no manifest, and it is told why."""
    _write(tmp_path, **changed)

    with pytest.raises(InputError) as error:
        read_manifest(tmp_path)
    assert str(error.value) == f"{tmp_path}/manifest.json: not a manifest: {reason}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        json.dumps({**SMALL, "points": None}),
        json.dumps({**SMALL, "points": ["x"]}),
        "[" * 9999,
    ],
    ids=["empty", "cut", "list", "number", "nothing in it", "no points", "a point that is text", "deep"],
)
def test_other_texts(tmp_path: Path, text: str) -> None:
    """Whatever JSON gives, it is an error of the input."""
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(InputError, match=r"manifest\.json: not a manifest: "):
        read_manifest(tmp_path)


def test_a_long_reason_is_cut(tmp_path: Path) -> None:
    """It is one line for a person."""
    _write(tmp_path, points=[{**POINT, "role": "k" * 500}])

    with pytest.raises(InputError) as error:
        read_manifest(tmp_path)
    assert str(error.value) == f"{tmp_path}/manifest.json: not a manifest: '{'k' * 119}"


@pytest.mark.parametrize("room", [0, -1])
def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """It is not even read."""
    _write(tmp_path)
    monkeypatch.setattr(module, "LARGEST", (tmp_path / "manifest.json").stat().st_size + room)

    if room == 0:
        assert read_manifest(tmp_path) == Manifest(5, 9, "h1", 256)
    else:
        with pytest.raises(InputError, match="not a manifest: too large"):
            read_manifest(tmp_path)
