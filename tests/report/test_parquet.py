"""Parquet: which columns there are and what each of them says of itself, and where the second file goes."""

from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.errors import InputError, OutputError
from analyzer.report.parquet import SIGHTINGS, beside, load, write_tables
from analyzer.run import Trace
from analyzer.schema import CONNECTIONS, FRAMES, HOPS

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Return an analysis."""
    return analyze([SEED])


def _read(path: Path) -> Any:
    """Read a table back."""
    return load().parquet.read_table(path)


@pytest.mark.parametrize(
    ("path", "second"),
    [("x.parquet", "x.connections.parquet"), ("a/b.c.parquet", "a/b.c.connections.parquet")],
)
def test_connections_go_beside_the_sightings(path: str, second: str) -> None:
    """The same folder, the same name, one word more before its ending."""
    assert beside(Path(path)) == Path(second)


def test_a_sighting_has_all_that_is_known_of_its_frame_but_what_only_tables_need() -> None:
    """Neither rows of other tables nor digests of bytes say anything to a reader."""
    names = [column.name for column in SIGHTINGS]
    known = {column.name for column in (*HOPS.columns, *FRAMES.columns)}

    assert set(names) == known - {"row", "digest"}
    assert len(names) == len(set(names))


def test_every_part_of_the_sightings_is_written(tmp_path: Path, trace: Trace) -> None:
    """Many rows at a time, one part after the other, in order; numbers and truth values stay what they are."""
    parts = list(trace.sightings())
    write_tables(tmp_path / "x.parquet", [*parts, *parts], trace.correlated.connections)
    table, connections = _read(tmp_path / "x.parquet"), _read(tmp_path / "x.connections.parquet")
    times = [int(time) for part in parts for time in part["time_ns"]]

    assert table["time_ns"].to_pylist() == times + times
    assert table["reply"].to_pylist()[: len(times)] == [bool(one) for part in parts for one in part["reply"]]
    assert connections["orig_dport"].to_pylist() == trace.correlated.connections["orig_dport"].tolist()


def test_each_column_says_its_unit_and_its_meaning(tmp_path: Path, trace: Trace) -> None:
    """As the tables' own schema has them; no value is missing."""
    write_tables(tmp_path / "x.parquet", trace.sightings(), trace.correlated.connections)
    for path, columns in (
        (tmp_path / "x.parquet", SIGHTINGS),
        (tmp_path / "x.connections.parquet", CONNECTIONS.columns),
    ):
        schema = _read(path).schema
        for column in columns:
            field = schema.field(column.name)
            assert field.metadata == {b"unit": column.unit.encode(), b"doc": column.doc.encode()}
            assert not field.nullable
            assert str(field.type) == column.dtype


def test_if_one_file_cannot_be_written_neither_is_there(tmp_path: Path, trace: Trace) -> None:
    """A folder stands where the connections were to go."""
    beside(tmp_path / "x.parquet").mkdir()

    with pytest.raises(OutputError):
        write_tables(tmp_path / "x.parquet", trace.sightings(), trace.correlated.connections)
    assert [path.name for path in tmp_path.iterdir()] == ["x.connections.parquet"]


def test_without_pyarrow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra by its name."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)

    with pytest.raises(InputError, match=r"hoptrace\[parquet\]"):
        load()
