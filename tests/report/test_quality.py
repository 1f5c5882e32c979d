"""What the page says of the captures' quality."""

import struct
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.report.html.quality import Note, quality
from tests.build import T0, Record, block, enhanced, interface, option, section, write_pcap

S = 1_000_000_000
FRAME = bytes(60)


def _notes(paths: list[str], label: str) -> list[Note]:
    trace = analyze(paths)
    return [note for note in quality(trace.points, trace.overview().topology, ()) if note.label == label]


def _capture(folder: Path, name: str, dropped: int | None) -> str:
    """Write a capture of one frame; *dropped* is what its statistics say, None if it has none."""
    data = section() + interface(options=option(2, name.encode()) + option(0, b"")) + enhanced(0, T0 // 1000, FRAME)
    if dropped is not None:
        data += block(5, struct.pack("<III", 0, 0, 0) + option(7, struct.pack("<Q", dropped)) + option(0, b""))
    path = folder / f"{name}.pcapng"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    ("drops", "text", "good"),
    [
        ((0, 0), "none", True),
        ((0, None), "not told by the files of wlan0", True),
        ((None, None), "not told by the files of docker0, wlan0", True),
        ((1, 0), "frames were dropped before they were recorded: docker0 1", False),
        ((None, 1), "frames were dropped before they were recorded: wlan0 1", False),
        ((1234, 5), "frames were dropped before they were recorded: docker0 1,234, wlan0 5", False),
    ],
)
def test_drops_are_told_and_their_absence_only_where_it_is_known(
    tmp_path: Path, drops: tuple[int | None, int | None], text: str, good: bool
) -> None:
    """Files that count no drops differ from those that do not say."""
    paths = [_capture(tmp_path, name, dropped) for name, dropped in zip(("docker0", "wlan0"), drops, strict=True)]

    assert _notes(paths, "Kernel drops") == [Note("Kernel drops", text, good)]


@pytest.mark.parametrize(
    ("first", "second", "text", "good"),
    [
        ((0, 4), (1, 3), "4.00 s in all, 2.00 s at every point", True),
        ((0, 2), (2, 4), "4.00 s in all, 0 ns at every point", True),
        ((0, 1), (2, 4), "4.00 s in all; no time that all points cover", False),
    ],
)
def test_the_time_that_all_points_cover(
    tmp_path: Path, first: tuple[int, int], second: tuple[int, int], text: str, good: bool
) -> None:
    """From the last one's beginning to the first one's end."""
    paths = []
    for name, times in (("docker0", first), ("wlan0", second)):
        records: list[Record] = [(T0 + time * S, FRAME) for time in times]
        paths.append(write_pcap(tmp_path / f"{name}.pcap", records))

    assert _notes(paths, "Time") == [Note("Time", text, good)]
