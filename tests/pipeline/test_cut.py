"""Reports are the same, byte by byte, into however many parts the work is cut."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.pipeline.cut import Cut
from tests.bench.generate import write_captures
from tests.lab.faults.cases import CASES

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
INPUTS = (
    *(SAMPLES / name for name in ("seed", "overlay", "fragments", "hairpin", "docker-proxy")),
    *(case.path for case in CASES[::40]),
)
FILES = ("report.json", "report.html", "report.ndjson", "report.parquet", "report.connections.parquet")


def _reports(path: Path, folder: Path, *options: str) -> dict[str, bytes]:
    """Run the command; return what it printed, and what it wrote."""
    folder.mkdir()
    outputs = [text for name in FILES[:-1] for text in ("-o", str(folder / name))]
    done = CliRunner().invoke(main, ["analyze", str(path), *outputs, *options])
    assert done.exit_code == 0, done.output
    return {"printed": done.stdout_bytes} | {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_reports_of_parts(path: Path, tmp_path: Path) -> None:
    """Terminal, JSON, HTML, NDJSON, Parquet."""
    whole = _reports(path, tmp_path / "whole")

    for parts in ("1", "2", "7", "64"):
        assert _reports(path, tmp_path / parts, "--parts", parts) == whole


def test_generated_captures(tmp_path: Path) -> None:
    """Many connections, whose parts are many: selected ones, too."""
    write_captures(tmp_path, 3_000)
    chosen = "-Y", "udp || verdict == lost"
    whole, some = _reports(tmp_path, tmp_path / "whole"), _reports(tmp_path, tmp_path / "some", *chosen)

    assert _reports(tmp_path, tmp_path / "parts", "--parts", "7") == whole
    assert _reports(tmp_path, tmp_path / "chosen", "--parts", "7", *chosen) == some


def test_parts_have_about_as_much(tmp_path: Path) -> None:
    """Nothing is in several parts but what all need."""
    write_captures(tmp_path, 30_000)
    trace = analyze(tmp_path)
    cut = Cut(trace.context, trace.names, trace.tracer.quoted_by_error, 4)
    packets = [one.packets for one in cut.contexts()]
    shared = int((trace.context.hops["connection"][trace.context.packet_start[:-1]] < 0).sum())

    assert len(packets) == 4
    assert sum(packets) - 3 * shared == trace.packets
    assert max(packets) < trace.packets * 0.6
