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
    """Of the recording and of its points, and values that are empty stay; the format has its number."""
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


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """They do not make a manifest unreadable."""
    (tmp_path / "manifest.json").write_bytes(json.dumps({**SMALL, "host": "h?"}).encode().replace(b"?", b"\xff"))
    found = read_manifest(tmp_path)

    assert found is not None
    assert found.host == "h�"


def test_the_largest_times_and_counts(tmp_path: Path) -> None:
    """What 64 bits can hold."""
    value = (1 << 63) - 1
    _write(tmp_path, started_ns=value, stopped_ns=value, points=[{**POINT, "dropped": value}])
    found = read_manifest(tmp_path)

    assert found is not None
    assert (found.started_ns, found.stopped_ns, found.points[0].dropped) == (value, value, value)


def test_it_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """What stands there is never half a manifest; nothing else is left."""
    write_manifest(tmp_path, Manifest(5, None, "h1", 256))
    (tmp_path / "manifest.json").chmod(0o400)
    write_manifest(tmp_path, Manifest(5, 9, "h1", 256))

    assert read_manifest(tmp_path) == Manifest(5, 9, "h1", 256)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"started_ns": 1 << 63}, "Expected `int` <= 9223372036854775807 - at `$.started_ns`"),
        ({"stopped_ns": -1}, "Expected `int` >= 0 - at `$.stopped_ns`"),
        ({"stopped_ns": 1.5}, "Expected `int | null`, got `float` - at `$.stopped_ns`"),
        ({"started_ns": "5"}, "Expected `int`, got `str` - at `$.started_ns`"),
        ({"started_ns": True}, "Expected `int`, got `bool` - at `$.started_ns`"),
        ({"host": None}, "Expected `str`, got `null` - at `$.host`"),
        ({"command": ["sleep", 5]}, "Expected `str`, got `int` - at `$.command[1]`"),
        ({"problems": [None]}, "Expected `str`, got `null` - at `$.problems[0]`"),
        ({"versions": {"docker": 29}}, "Expected `str`, got `int` - at `$.versions[...]`"),
        ({"points": [{**POINT, "dropped": "3"}]}, "Expected `int | null`, got `str` - at `$.points[0].dropped`"),
        ({"points": [{**POINT, "role": "king"}]}, "Invalid enum value 'king' - at `$.points[0].role`"),
        ({"points": [{"name": "x"}]}, "Object missing required field `file` - at `$.points[0]`"),
        ({"points": ["x"]}, "Expected `object`, got `str` - at `$.points[0]`"),
        ({"points": None}, "Expected `array`, got `null` - at `$.points`"),
        *[
            ({"points": [{**POINT, name: 7}]}, f"Expected `{kind}`, got `int` - at `$.points[0].{name}`")
            for name, kind in (
                ("name", "str"), ("file", "str"), ("interface", "str"), ("container", "str | null"),
                ("network", "str | null"), ("ended", "str | null"), ("unseen", "str | null"),
            )
        ],
    ],
)  # fmt: skip
def test_senseless_values(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    """They make it no manifest, and it is told why and where."""
    _write(tmp_path, **changed)

    with pytest.raises(InputError) as error:
        read_manifest(tmp_path)
    assert str(error.value) == f"{tmp_path}/manifest.json: not a manifest: {reason}"


@pytest.mark.parametrize("name", ["../docker0.pcap", "a/b", "a\0b", "x" * 256, "a\n/b"])
def test_files_are_in_the_bundles_own_folder(tmp_path: Path, name: str) -> None:
    """A name that leads elsewhere, or can be none, makes it no manifest."""
    _write(tmp_path, points=[{**POINT, "file": name}])

    with pytest.raises(InputError, match=r"at `\$.points\[0\].file`$"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        "[" * 9999,
    ],
    ids=["empty", "cut", "list", "number", "nothing in it", "deep"],
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
    assert str(error.value) == f"{tmp_path}/manifest.json: not a manifest: Invalid enum value '{'k' * 100}"


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
