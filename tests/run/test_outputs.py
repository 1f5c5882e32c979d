"""An analysis as a report, from Python: the same bytes as the command writes."""

import json
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.errors import OutputError
from analyzer.run import Trace
from analyzer.schema import FRAMES

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def seed() -> Trace:
    """ARP, pings, and a TCP connection."""
    return analyze(SEED)


@pytest.mark.parametrize("kind", ["html", "json"])
def test_text_or_a_file(seed: Trace, tmp_path: Path, kind: str) -> None:
    """Without a path it is returned."""
    write = getattr(seed, f"to_{kind}")
    path = tmp_path / f"x.{kind}"
    assert write(path) is None
    done = CliRunner().invoke(main, ["analyze", str(SEED), "-o", str(tmp_path / f"y.{kind}"), "-q"])

    assert done.exit_code == 0
    assert path.read_text() == write() == (tmp_path / f"y.{kind}").read_text()


def test_of_a_selection(seed: Trace) -> None:
    """What is narrowed writes what it has."""
    text = seed.filter("icmp && ip.addr == 8.8.8.8").to_json()

    assert text is not None
    assert [one["id"] for one in json.loads(text)["journeys"]] == [3, 6, 7, 8, 9, 10]


def test_parquet(seed: Trace, tmp_path: Path) -> None:
    """Two files, of which one refers to the other's rows, so that these are all there."""
    web = seed.filter("tcp")
    web.to_parquet(tmp_path / "x.parquet")
    sightings = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    connections = pyarrow.parquet.read_table(tmp_path / "x.connections.parquet")

    assert sightings.num_rows == len(web.hops)
    assert set(connections.take(sightings["connection"])["orig_dport"].to_pylist()) == {80}


def test_arrow_of_a_selection(seed: Trace) -> None:
    """HOPS is narrowed, and finds its frames and connections by row."""
    web = seed.filter("tcp")
    hops = web.to_arrow("hops")

    assert hops.num_rows == len(web.hops)
    assert set(web.to_arrow("connections").take(hops["connection"])["orig_dport"].to_pylist()) == {80}
    assert set(web.to_arrow("frames").take(hops["row"])["proto"].to_pylist()) == {6}


def test_arrow(seed: Trace) -> None:
    """Columns with what they mean, and the numbers that are there."""
    table = seed.to_arrow("frames")
    column = table.column("time_ns")

    assert table.column_names == [one.name for one in FRAMES.columns]
    assert table.schema.field("time_ns").metadata[b"unit"] == b"ns since 1970-01-01 UTC"
    assert column.chunk(0).buffers()[1].address == seed.tables.frames["time_ns"].ctypes.data


def test_where_nothing_can_be_written(seed: Trace, tmp_path: Path) -> None:
    """A folder is no file, and it says so."""
    with pytest.raises(OutputError):
        seed.to_json(tmp_path)
