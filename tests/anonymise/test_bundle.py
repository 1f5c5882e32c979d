"""Bundles written anew: of all recordings the same is told, names aside, and no name, MAC or payload is left."""

import json
import re
import shutil
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.anonymise.bundle import anonymise
from analyzer.anonymise.words import known
from analyzer.errors import InputError, OutputError
from analyzer.read.bundle import unpack
from analyzer.run import Trace

ROOT = Path(__file__).parents[2]
SEED = ROOT / "sample_pcaps" / "seed"
RECORDED = [
    *sorted(ROOT.glob("tests/hosts/*.tar.zst")),
    *sorted(ROOT.glob("tests/faults/*.bridge.tar.zst")),
    *sorted(one for one in ROOT.glob("sample_pcaps/*") if one.is_dir()),
]
KEY = b"a key of 16 bytes and more"


def _told(trace: Trace) -> dict[str, object]:
    """What an analysis comes to, without a name."""
    connections = len(trace.connections)
    return {
        "findings": Counter(
            (one.severity, one.check, len(one.evidence), one.facts.get("packets")) for one in trace.findings
        ),
        "remedies": Counter(len(one.commands) for one in trace.findings),
        "dispositions": Counter(one.disposition for one in trace.journeys()),
        "translated": Counter(tuple(change.kind for change in trace.connection(one).nat) for one in range(connections)),
        "points": Counter((one.role, one.container is None) for one in trace.points),
    }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_of_every_recording_the_same_is_told(path: Path, tmp_path: Path) -> None:
    """Findings with as much evidence and as many commands, journeys that end alike, the same translations."""
    target = tmp_path / "new"
    anonymise([str(path)], target, KEY)

    assert _told(analyze([target])) == _told(analyze([path]))


NAMED = re.compile(r'"(?:Name|Hostname|com\.docker\.compose\.project)": "/?([^"]+)"')


@pytest.mark.parametrize("path", RECORDED[::6], ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_no_name_and_no_mac_is_left(path: Path, tmp_path: Path) -> None:
    """Of containers, networks and projects; in no file, nor in a file's name."""
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(path, old) if path.is_dir() else _copied(path, old)
    anonymise([str(path)], new, KEY)

    text = "".join(one.read_text(errors="replace") for one in old.rglob("*inspect.json"))
    words = {word.lower() for name in NAMED.findall(text) for word in re.findall("[A-Za-z]{5,}", name)} - known()
    words = {word for word in words if not re.fullmatch("[a-f]+", word)}
    macs = set(re.findall(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", text)) - {"ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}
    macs = {one for one in macs if not one.startswith("02:42")}  # those are made of addresses, which may be usual ones
    for one in new.rglob("*"):
        data = one.read_bytes().lower() if one.is_file() else b""
        assert not [word for word in words if word in one.name.lower() or word.encode() in data], one
        assert not [mac for mac in macs if mac.encode() in data or bytes.fromhex(mac.replace(":", "")) in data], one


def _copied(path: Path, folder: Path) -> None:
    with ExitStack() as stack:
        inner, _ = unpack(str(path), stack)
        shutil.copytree(inner, folder)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_one_key_gives_the_same_bytes_and_none_gives_others_each_time(tmp_path: Path) -> None:
    """Without a key nobody can make it once more and compare."""
    for name, key in (("a", KEY), ("b", KEY), ("c", None), ("d", None), ("e", b"another key of 16 bytes")):
        anonymise([str(SEED)], tmp_path / name, key)

    a, b, c, d, e = (_files(tmp_path / name) for name in "abcde")
    assert a == b
    assert len({json.dumps({name: data.hex() for name, data in one.items()}) for one in (a, c, d, e)}) == 4


def test_packed_it_is_one_file_and_names_it_inside(tmp_path: Path) -> None:
    """As capture writes bundles."""
    made = anonymise([str(SEED)], tmp_path / "public.tar.zst", KEY)

    assert (made.captures, made.problems) == (3, [])
    assert len(analyze([tmp_path / "public.tar.zst"]).points) == 3
    assert [one.name for one in tmp_path.iterdir()] == ["public.tar.zst"]


def test_captures_that_are_named_come_together(tmp_path: Path) -> None:
    """Without dumps, and whatever they are called."""
    shutil.copy(SEED / "wlan0.pcap", tmp_path / "payroll")
    anonymise([str(tmp_path / "payroll"), str(SEED / "docker0.pcap")], tmp_path / "new", KEY)

    names = sorted(one.name for one in (tmp_path / "new").iterdir())
    assert len(names) == 2
    assert "docker0.pcap" in names
    assert "payroll" not in names


def test_bundles_that_are_named_together_stay_apart(tmp_path: Path) -> None:
    """Those of two hosts have one name for each dump; what both know is replaced alike."""
    overlay = ROOT / "sample_pcaps" / "overlay"
    nodes = [str(overlay / name) for name in ("host1", "host2")]
    anonymise(nodes, tmp_path / "new", KEY)

    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == ["host1", "host2"]
    assert _told(analyze([tmp_path / "new"])) == _told(analyze([overlay]))
    anonymise([*nodes, nodes[0], str(SEED / "wlan0.pcap")], tmp_path / "more", KEY)
    assert sorted(one.name for one in (tmp_path / "more").iterdir()) == ["captures", "host1", "host1-2", "host2"]


def test_what_nobody_reads_is_left_out_and_links_are_not_followed(tmp_path: Path) -> None:
    """They might lead to anything."""
    old = tmp_path / "old"
    shutil.copytree(SEED, old)
    (old / "notes.txt").write_text("payroll")
    (old / "host" / "hosts.pcap").symlink_to("/etc/passwd")
    deep = old.joinpath("a", "b", "c", "d", "e", "f")
    deep.mkdir(parents=True)
    (old / "wlan0.pcap").write_bytes((old / "wlan0.pcap").read_bytes()[:-7])
    (old / "host" / "ip-addr.json").write_text("payroll")

    made = anonymise([str(old)], tmp_path / "new", KEY)

    assert {"notes.txt", "hosts.pcap", "e"} <= set(made.left_out)
    assert len(made.problems) == 2
    assert not [name for name, data in _files(tmp_path / "new").items() if b"payroll" in data or "passwd" in name]


def test_what_cannot_be(tmp_path: Path) -> None:
    """A target that is there, or within the source; a source that is not there, or has no captures."""
    (tmp_path / "there").mkdir()
    (tmp_path / "empty").mkdir()
    shutil.copytree(SEED, tmp_path / "seed")

    with pytest.raises(OutputError, match="there already"):
        anonymise([str(SEED)], tmp_path / "there")
    with pytest.raises(OutputError, match="inside what is to be written anew"):
        anonymise([str(tmp_path / "seed")], tmp_path / "seed" / "new")
    with pytest.raises(InputError, match="no such file or folder"):
        anonymise([str(tmp_path / "nowhere")], tmp_path / "new")
    with pytest.raises(InputError, match="no captures"):
        anonymise([str(tmp_path / "empty")], tmp_path / "new")
    assert {one.name for one in tmp_path.iterdir()} == {"there", "empty", "seed"}
