"""Every sample and recording, however the work is cut and whoever does it: all reports are the same, byte by byte."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from click.testing import CliRunner

from analyzer.cli import main as command
from analyzer.run import budget
from tests.bench.generate import write_captures
from tests.lab.faults.cases import CASES

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FILES = ("report.json", "report.html", "report.ndjson", "report.parquet")
WAYS = {
    **{f"parts {count}": ("--parts", str(count)) for count in (1, 2, 7, 64)},
    "files": (),
    "jobs": ("--jobs", "2"),
    "dask": ("--jobs", "2", "--scheduler", "local"),
}
Reports = dict[str, bytes]


class Tiny(budget.Budget):
    """Memory for a few frames: all else lies in files."""

    frames = property(lambda _: 5)  # type: ignore[assignment]
    stretch = property(lambda _: 40)  # type: ignore[assignment]

    def parts(self, frames: int, workers: int = 1) -> int:
        """So many."""
        return 5


def reports(path: Path, *options: str) -> Reports:
    """Run the command; return what it printed, and what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = [text for name in FILES for text in ("-o", str(Path(folder) / name))]
        done = CliRunner().invoke(command, ["analyze", str(path), *outputs, *options])
        written = {one.name: one.read_bytes() for one in sorted(Path(folder).iterdir())}
        return {"printed": done.stdout_bytes, "exit": str(done.exit_code).encode()} | written


def differences(path: Path) -> list[str]:
    """Return the ways in which a capture is told otherwise."""
    whole = reports(path)
    found = []
    usual = budget.chosen
    for name, options in WAYS.items():
        budget.chosen = (lambda *_: Tiny(1 << 40)) if name == "files" else usual  # type: ignore[assignment]
        told = reports(path, *options)
        found += [f"{path.name}: {name}: {report}" for report in whole if told.get(report) != whole[report]]
    budget.chosen = usual
    return found


def _inputs(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in SAMPLES.iterdir() if path.is_dir())
    yield from (case.path for case in CASES)
    write_captures(folder, 20_000)
    yield folder


def main() -> int:
    """Compare all of them."""
    parser = argparse.ArgumentParser(prog="tests.run.every", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2) as pool:
        inputs = list(_inputs(Path(folder)))[:: arguments.every]
        bad = [one for found in pool.map(differences, inputs) for one in found]
    print(*bad, sep="\n")
    print(f"{len(inputs)} captures, {len(WAYS)} ways: {len(bad)} reports differ")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
