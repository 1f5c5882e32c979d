"""Parquet: HOPS with the headers of each frame, and CONNECTIONS, as columns; for DuckDB, pandas, polars or Spark.

Columns, units and meanings are those of ``schema``; they go into the file as each field's metadata.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.report.write import whole_file
from analyzer.schema import CONNECTIONS, FRAMES, HOPS, Column, Columns

SIGHTINGS = tuple(column for column in (*HOPS.columns, *FRAMES.columns) if column.name not in ("row", "digest"))


def load() -> Any:
    """
    Import pyarrow, which is large and so not installed unless it is wanted.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install 'hoptrace[parquet]'") from None
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # others keep what they had
    return pyarrow


def beside(path: Path) -> Path:
    """Return where the connections go: ``x.parquet`` has them in ``x.connections.parquet``."""
    return path.with_suffix(f".connections{path.suffix}")


def write_tables(path: Path, sightings: Iterable[Columns], connections: Columns) -> None:
    """
    Write sightings, many rows at a time, to *path*, and connections beside it.

    Raises:
        InputError: pyarrow is missing.
        OutputError: a file cannot be written.
    """
    arrow = load()
    with whole_file(path) as temporary, whole_file(beside(path)) as temporary_beside:
        _write(arrow, temporary, SIGHTINGS, sightings)
        _write(arrow, temporary_beside, CONNECTIONS.columns, [connections])


def arrow_table(columns: Sequence[Column], table: Columns) -> Any:
    """
    Return a table as Arrow's, with each column's unit and meaning as its metadata; numbers are not copied.

    Raises:
        InputError: pyarrow is missing.
    """
    schema = _schema(load(), columns)
    return _filled(load(), schema, table)


def _schema(arrow: Any, columns: Sequence[Column]) -> Any:
    return arrow.schema(
        [
            arrow.field(
                column.name,
                arrow.bool_() if column.dtype == "bool" else getattr(arrow, column.dtype)(),
                nullable=False,
                metadata={"unit": column.unit, "doc": column.doc},
            )
            for column in columns
        ]
    )


def _filled(arrow: Any, schema: Any, table: Columns) -> Any:
    return arrow.Table.from_arrays([arrow.array(table[name]) for name in schema.names], schema=schema)


def _write(arrow: Any, path: Path, columns: Sequence[Column], tables: Iterable[Columns]) -> None:
    schema = _schema(arrow, columns)
    # write_table() removes what is there when it fails, which may be a device.
    with arrow.parquet.ParquetWriter(path, schema, compression="zstd") as out:
        for table in tables:
            out.write_table(_filled(arrow, schema, table))
