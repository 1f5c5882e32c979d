"""Reports are the same, byte by byte, into however many parts the work is cut, in memory or in files."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.run import Means, analyze_whole, budget, prepare
from tests.bench.generate import write_captures
from tests.build import C1, C2, ether, write_pcap
from tests.lab.faults.cases import CASES
from tests.run.every import Tiny

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
INPUTS = (
    *(SAMPLES / name for name in ("seed", "overlay", "fragments", "hairpin", "docker-proxy")),
    *(case.path for case in CASES[::40]),
)
PEAK = (
    "import atexit, sys\n"
    "def told():\n"
    "    peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')][0]\n"
    "    print(peak.split()[1], file=sys.stderr)\n"
    "atexit.register(told)\n"
)
"""Prints the most memory that a process had, in KiB."""
FILES = ("report.json", "report.html", "report.ndjson", "report.parquet", "report.connections.parquet")


def _name(path: Path) -> str:
    return path.name.removesuffix(".tar.zst")


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Nearly nothing fits into memory; gives where the rest goes, of which nothing is left then."""
    (work := tmp_path / "work").mkdir()
    monkeypatch.setattr(budget, "chosen", lambda *_: Tiny(1 << 40))
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    yield work
    assert list(work.iterdir()) == []


def _reports(path: Path, folder: Path, *options: str) -> dict[str, bytes]:
    """Run the command; return what it printed, and what it wrote."""
    folder.mkdir()
    outputs = [text for name in FILES[:-1] for text in ("-o", str(folder / name))]
    done = CliRunner().invoke(main, ["analyze", str(path), *outputs, *options])
    assert done.exit_code == 0, done.output
    return {"printed": done.stdout_bytes} | {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("path", INPUTS, ids=_name)
def test_reports_of_parts(path: Path, tmp_path: Path) -> None:
    """Terminal, JSON, HTML, NDJSON, Parquet."""
    whole = _reports(path, tmp_path / "whole")

    for parts in ("1", "2", "7", "64"):
        assert _reports(path, tmp_path / parts, "--parts", parts) == whole


@pytest.mark.parametrize("path", INPUTS, ids=_name)
def test_reports_of_what_does_not_fit_into_memory(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Likewise."""
    whole = _reports(path, tmp_path / "whole")
    request.getfixturevalue("in_files")

    assert _reports(path, tmp_path / "files") == whole


@pytest.mark.parametrize("engine", [("--jobs", "2"), ("--jobs", "2", "--scheduler", "local")], ids=["jobs", "dask"])
@pytest.mark.parametrize("path", INPUTS[::4], ids=_name)
def test_reports_of_several_workers(path: Path, engine: tuple[str, ...], tmp_path: Path) -> None:
    """Likewise."""
    whole = _reports(path, tmp_path / "whole")

    assert _reports(path, tmp_path / "several", *engine) == whole


def test_generated_captures(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Many connections, whose parts are many: selected ones, too."""
    (tmp_path / "in").mkdir()
    write_captures(tmp_path / "in", 3_000)
    chosen = "-Y", "udp || verdict == lost"
    whole, some = _reports(tmp_path / "in", tmp_path / "whole"), _reports(tmp_path / "in", tmp_path / "some", *chosen)

    assert _reports(tmp_path / "in", tmp_path / "parts", "--parts", "7") == whole
    assert _reports(tmp_path / "in", tmp_path / "chosen", "--parts", "7", *chosen) == some
    request.getfixturevalue("in_files")
    assert _reports(tmp_path / "in", tmp_path / "files") == whole
    assert _reports(tmp_path / "in", tmp_path / "chosen files", *chosen) == some


def test_the_work_directory_that_was_named(tmp_path: Path, in_files: Path) -> None:
    """All files are there, and gone then."""
    (tmp_path / "elsewhere").mkdir()
    path = str(SAMPLES / "seed")
    with prepare([path]) as prepared:
        trace = analyze_whole(prepared, means=Means(Tiny(1 << 40), work_dir=str(tmp_path / "elsewhere")))

        assert [one.name[:9] for one in (tmp_path / "elsewhere").iterdir()] == ["hoptrace-"]
        assert list(in_files.iterdir()) == []
        assert trace.packets == 23
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_memory_is_a_bound(tmp_path: Path) -> None:
    """Of captures that would take three times as much."""
    write_captures(tmp_path, 250_000)
    program = "import sys; from analyzer.cli import main; main()"
    peaks = []
    for size in ("2GiB", "192MiB"):
        command = [sys.executable, "-c", PEAK + program, "analyze", str(tmp_path), "-n", "0", "--memory", size]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append((int(done.stderr.split()[-1]), done.stdout))

    assert peaks[0][1] == peaks[1][1]
    assert peaks[1][0] < 192 << 10 < peaks[0][0]


def test_parts_have_about_as_much(tmp_path: Path) -> None:
    """Nothing is in several parts but what all need."""
    write_captures(tmp_path, 30_000)
    trace = analyze(tmp_path, parts=4)
    packets = [part.context.packets for part in trace.parts]
    shared = np.bincount(np.concatenate([part.context.numbers for part in trace.parts]))
    everywhere = int((shared > 1).sum())

    assert len(packets) == 4
    assert set(shared.tolist()) == {1, 4}
    assert sum(packets) - 3 * everywhere == trace.packets
    assert max(packets) - everywhere < trace.packets * 0.3


def test_frames_without_a_connection(tmp_path: Path) -> None:
    """They are spread as well, though there is no connection that belongs to a part."""
    unknown = [(number, ether(C1, C2, number.to_bytes(4, "big") * 12, kind=0x88B5)) for number in range(4_000)]
    trace = analyze(write_pcap(tmp_path / "veth-c1.pcap", unknown), parts=4)
    packets = [part.context.packets for part in trace.parts]

    assert sum(packets) == trace.packets == 4_000
    assert max(packets) < 1_300
