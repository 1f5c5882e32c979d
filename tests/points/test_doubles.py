"""What was given twice is counted once, and told."""

import shutil
from pathlib import Path

from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.read.spec import PointSpec
from tests.build import write_pcap
from tests.rewrite import records_of

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def test_the_same_capture_under_two_names(tmp_path: Path) -> None:
    """One point, with its own frames."""
    for name in ("veth-c3.pcap", "docker0.pcap", "wlan0.pcap"):
        shutil.copy(SEED / name, tmp_path / name)
    shutil.copy(SEED / "docker0.pcap", tmp_path / "twice.docker0.pcap")
    once, twice = analyze(sorted(SEED.glob("*.pcap"))), analyze([tmp_path])

    assert [(point.name, point.frames) for point in twice.points] == [
        (point.name, point.frames) for point in once.points
    ]
    assert twice.dispositions() == once.dispositions()
    assert len(twice.doubled) == 1
    assert "docker0.pcap" in twice.doubled[0]
    assert "twice.docker0.pcap" in twice.doubled[0]
    assert "counted once" in CliRunner().invoke(main, ["analyze", str(tmp_path)]).output


def test_captures_of_one_point_that_overlap(tmp_path: Path) -> None:
    """The frames of both, each once; the point has one name."""
    records = records_of(SEED / "docker0.pcap")
    first = write_pcap(tmp_path / "first.pcap", records[:15])
    second = write_pcap(tmp_path / "second.pcap", records[9:])
    trace = analyze([], points=[PointSpec(first, "docker0"), PointSpec(second, "docker0")])

    assert [(point.name, point.frames) for point in trace.points] == [("docker0", len(records))]
    assert trace.doubled == ["first.pcap and second.pcap overlap: 6 frames of them counted once, not twice"]


def test_a_bridge_and_its_port_are_no_copies(tmp_path: Path) -> None:
    """They show the same frames at the same time, and are two points."""
    for name in ("veth-c3.pcap", "docker0.pcap"):
        write_pcap(tmp_path / name, records_of(SEED / "docker0.pcap"))
    trace = analyze([tmp_path])

    assert len(trace.points) == 2
    assert not trace.doubled
