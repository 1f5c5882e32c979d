"""Rotated captures: pieces that follow each other are one point, whatever tool made them."""

from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.capture.pieces import without_rotation
from analyzer.capture.points import PointSpec
from tests.build import T0, enhanced, interface, option, section

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
    """Two captures of one bridge that overlap are not pieces of one."""
    for name in ("docker0.pcap", "docker0.pcap1"):
        (tmp_path / name).write_bytes((SEED / "docker0.pcap").read_bytes())

    trace = analyze([tmp_path])

    assert [point.frames for point in trace.points] == [20, 20]
    assert [point.pieces for point in trace.points] == [None, None]


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
