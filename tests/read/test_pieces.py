"""Rotated captures: pieces that follow each other are one point, whatever tool made them."""

import gzip
import shutil
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.read.pieces import without_rotation
from analyzer.read.spec import PointSpec
from tests.build import BRIDGE, C1, T0, enhanced, ether, interface, option, section, write_pcap

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("d/docker0.pcap", "d/docker0.pcap"),
        ("d/docker0.pcap3", "d/docker0.pcap"),
        ("docker0.pcap07", "docker0.pcap"),
        ("docker0.pcap12.gz", "docker0.pcap.gz"),
        ("up_00003_20260131235959.pcapng", "up.pcapng"),
        ("up-20260131-235959.pcap", "up.pcap"),
        ("up_2026-01-31T23:59:59.pcap", "up.pcap"),
        ("veth0123456.pcap", "veth0123456.pcap"),
    ],
)
def test_names(name: str, expected: str) -> None:
    """tcpdump -C, -W and -G, and dumpcap -b."""
    assert without_rotation(name) == expected


def _split(folder: Path, names: list[str], per_piece: int, source: str = "docker0") -> None:
    """Write the frames of a sample's capture to several files."""
    data = (SEED / f"{source}.pcap").read_bytes()
    with (SEED / f"{source}.pcap").open("rb") as stream:
        sizes = [16 + len(frame) for _, frame in dpkt.pcap.Reader(stream)]
    place = 24
    for number, name in enumerate(names):
        mine = sizes[number * per_piece : (number + 1) * per_piece if number + 1 < len(names) else None]
        (folder / name).write_bytes(data[:24] + data[place : place + sum(mine)])
        place += sum(mine)


@pytest.mark.parametrize(
    "names",
    [
        ["docker0.pcap", "docker0.pcap1", "docker0.pcap2"],
        ["docker0.pcap2", "docker0.pcap0", "docker0.pcap1"],
        ["docker0_00001_20260131235959.pcap", "docker0_00002_20260131235959.pcap"],
    ],
    ids=["one after the other", "a ring that wrapped", "dumpcap"],
)
def test_pieces_are_one_point(tmp_path: Path, names: list[str]) -> None:
    """Journeys, points' names and frame numbers are those of the capture before it was cut."""
    _split(tmp_path, names, 6)
    for other in ("veth-c3", "wlan0"):
        (tmp_path / f"{other}.pcap").write_bytes((SEED / f"{other}.pcap").read_bytes())

    whole, rotated = analyze([SEED], SEED / "host"), analyze([tmp_path], SEED / "host")

    assert list(rotated.journeys()) == list(whole.journeys())
    (point,) = [point for point in rotated.points if point.name == "docker0"]
    assert [piece.file for piece in point.pieces or ()] == names
    assert sum(piece.frames for piece in point.pieces or ()) == point.frames == 20


def test_the_user_may_say_what_belongs_together(tmp_path: Path) -> None:
    """One ``--point`` name for several files."""
    _split(tmp_path, ["late.pcap", "early.pcap"], 6)
    files = [str(tmp_path / name) for name in ("late.pcap", "early.pcap")]

    trace = analyze([], points=[PointSpec(file, "docker0") for file in files[::-1]])

    assert [(point.name, point.frames) for point in trace.points] == [("docker0", 20)]
    assert [piece.file for piece in trace.points[0].pieces or ()] == ["late.pcap", "early.pcap"]


def test_captures_at_the_same_time_are_two_points(tmp_path: Path) -> None:
    """Files that overlap are not pieces of one, unless somebody calls them so."""
    records = [(T0 + n * 1_000_000, ether(C1, BRIDGE, bytes([n] * 60))) for n in range(20)]
    for name, kept in (("docker0.pcap", records[:12]), ("docker0.pcap1", records[8:])):
        write_pcap(tmp_path / name, kept)

    trace = analyze([tmp_path])

    assert [point.frames for point in trace.points] == [12, 12]
    assert [point.pieces for point in trace.points] == [None, None]


def test_pieces_that_overlap_are_counted_once(tmp_path: Path) -> None:
    """One name for two files makes one point of them; the frames that both have are there once, and that is told."""
    records = [(T0 + n * 1_000_000, ether(C1, BRIDGE, bytes([n] * 60))) for n in range(20)]
    specs = [
        PointSpec(write_pcap(tmp_path / name, kept), "x")
        for name, kept in (("a.pcap", records[:12]), ("b.pcap", records[8:]))
    ]

    trace = analyze([], points=specs)

    assert [(point.name, point.frames) for point in trace.points] == [("x", 20)]
    assert trace.doubled == ["a.pcap and b.pcap overlap: 4 frames of them counted once, not twice"]
    assert trace.frames["frame"].tolist() == [*range(1, 13), *range(17, 25)]


@pytest.mark.parametrize("way", ["path", "symlink", "copy", "compressed"])
def test_a_capture_that_is_given_twice_is_counted_once(tmp_path: Path, way: str) -> None:
    """By whatever path or name; packets have one hop, and the report says so."""
    original, other = tmp_path / "docker0.pcap", tmp_path / "docker0-again.pcap"
    shutil.copy(SEED / "docker0.pcap", original)
    if way == "path":
        (tmp_path / "folder").mkdir()
        other = tmp_path / "folder" / ".." / "docker0.pcap"
    elif way == "symlink":
        other.symlink_to(original)
    elif way == "compressed":
        other.write_bytes(gzip.compress(original.read_bytes()))
    else:
        shutil.copy(original, other)

    trace = analyze([original, other])

    assert [(point.name, point.frames) for point in trace.points] == [("docker0", 20)]
    assert {len(journey.hops) for journey in trace.journeys()} == {1}
    assert len(trace.doubled) == len(trace.content().left_out) == 1


def test_a_bridge_and_its_port_may_show_the_same(tmp_path: Path) -> None:
    """One after the other at the same nanosecond: two points, one packet."""
    for name in ("docker0.pcap", "veth-c3.pcap"):
        shutil.copy(SEED / "docker0.pcap", tmp_path / name)

    trace = analyze([tmp_path])

    assert [point.frames for point in trace.points] == [20, 20]
    assert trace.doubled == []


def test_an_interface_that_was_silent_for_a_while(tmp_path: Path) -> None:
    """Pieces of a pcapng with two interfaces: the second one has frames in the middle piece only."""
    for piece, numbers in enumerate([(0, 0), (0, 1), (0, 0)]):
        interfaces = interface(options=option(2, b"docker0")) + interface(options=option(2, b"wlan0"))
        frames = [enhanced(n, T0 // 1000 + piece * 10 + i, bytes(60)) for i, n in enumerate(numbers)]
        (tmp_path / f"both_0000{piece}_2026013123595{piece}.pcapng").write_bytes(
            section() + interfaces + b"".join(frames)
        )

    trace = analyze([tmp_path])

    assert [(p.name, p.frames, len(p.pieces or ())) for p in trace.points] == [
        ("docker0", 5, 3), ("wlan0", 1, 3)
    ]  # fmt: skip
    assert trace.frames["frame"].tolist() == [1, 2, 3, 4, 5, 6]
