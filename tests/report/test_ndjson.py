"""NDJSON and Parquet: the same as the JSON report, in lines and in columns."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.report import parquet
from analyzer.run import Trace
from analyzer.schema import CONNECTIONS

SEED = str(Path(__file__).parents[2] / "sample_pcaps" / "seed")
LOSSY = str(Path(__file__).parents[1] / "faults" / "lossy-internet.bridge.tar.zst")
WHOLE_ONLY = ("decisions", "worked")
"""What NDJSON does not have."""
KINDS = {"journey": "journeys", "point": "points", "connection": "connections", "arp": "arp", "finding": "findings",
         "loss": "losses"}  # fmt: skip


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["analyze", SEED, *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("path", [SEED, LOSSY], ids=["seed", "lossy-internet"])
def test_ndjson_has_what_json_has(path: str, tmp_path: Path) -> None:
    """Every item of every section, with its type, journeys first."""
    outputs = [word for name in ("x.ndjson", "x.json") for word in ("-o", str(tmp_path / name))]
    assert CliRunner().invoke(main, ["analyze", path, *outputs]).exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]
    document = json.loads((tmp_path / "x.json").read_text())

    assert lines[0] == {"type": "header", "schema": "hoptrace/1"}
    for kind, section in KINDS.items():
        assert [{"type": kind, **item} for item in document[section]] == [x for x in lines if x["type"] == kind]
    assert {line["type"] for line in lines} <= {"header", *KINDS}
    assert {section for section, value in document.items() if isinstance(value, list)} <= {*KINDS.values(), *WHOLE_ONLY}
    if path == LOSSY:
        assert document["losses"]
        assert document["findings"]


def test_parquet_columns_are_the_documented_ones(tmp_path: Path) -> None:
    """One row a sighting; units and meanings are in the file; connections stand in a second one."""
    from pyarrow import parquet as pyarrow_parquet

    _run("-o", str(tmp_path / "x.parquet"))
    sightings = pyarrow_parquet.read_table(tmp_path / "x.parquet")
    connections = pyarrow_parquet.read_table(tmp_path / "x.connections.parquet")

    assert sightings.num_rows == 61
    assert sightings.column_names == [column.name for column in parquet.SIGHTINGS]
    assert sightings.schema.field("time_ns").metadata[b"unit"] == b"ns since 1970-01-01 UTC"
    assert len(set(sightings["packet"].to_pylist())) == 23
    assert connections.column_names == [column.name for column in CONNECTIONS.columns]
    assert connections.num_rows == 2


def test_a_selection_limits_what_is_written(tmp_path: Path) -> None:
    """-Y means journeys, in every format."""
    _run("-o", str(tmp_path / "x.ndjson"), "-Y", "tcp.port == 80")
    lines = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]

    assert {line["protocol"] for line in lines if line["type"] == "journey"} == {"tcp"}


@pytest.mark.parametrize("name", ["x.ndjson", "x.parquet"])
def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """If it fails, no file has the name, and no temporary one is left."""

    def fail(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Trace, "texts", fail)
    monkeypatch.setattr(Trace, "sightings", fail)
    result = CliRunner().invoke(main, ["analyze", SEED, "-o", str(tmp_path / name)])

    assert result.exit_code == 130
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 40 MB, so an extra."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    result = CliRunner().invoke(main, ["analyze", SEED, "-o", str(tmp_path / "x.parquet")])

    assert result.exit_code == 3
    assert "pip install 'hoptrace[parquet]'" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["folder.parquet"], "a folder, not a file"),
        (["x.parquet", "folder.connections.parquet", "folder.parquet"], "a folder, not a file"),
        (["x.parquet", "x.connections.parquet"], "the connections of another output go there"),
    ],
)
def test_outputs_that_cannot_be_are_refused_first(tmp_path: Path, outputs: list[str], said: str) -> None:
    """Nothing is read, nothing is written."""
    (tmp_path / "folder.parquet").mkdir()
    options = [word for output in outputs for word in ("-o", str(tmp_path / output))]
    result = CliRunner().invoke(main, ["analyze", SEED, *options])

    assert result.exit_code == 2
    assert said in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["folder.parquet"]


def test_a_long_name(tmp_path: Path) -> None:
    """As long as the file system takes."""
    _run("-o", str(tmp_path / f"{'a' * 240}.ndjson"))

    assert len(list(tmp_path.iterdir())) == 1
