"""Parquet: HOPS with the headers of each frame, and CONNECTIONS, as columns; for DuckDB, pandas, polars or Spark.

Columns, units and meanings are those of ``schema``; they go into the file as each field's metadata.
"""

from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.schema import CONNECTIONS, FRAMES, HOPS, Columns

SIGHTINGS = tuple(column for column in (*HOPS.columns, *FRAMES.columns) if column.name not in ("row", "digest"))


def load() -> Any:
    """
    Import pyarrow, which is large and so not installed unless it is wanted.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415

        return pyarrow
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install 'hoptrace[parquet]'") from None


class ParquetWriter:
    """Writes sightings to one file, and at the end connections to another."""

    def __init__(self, sightings: Path, connections: Path) -> None:
        """
        Open the files.

        Raises:
            InputError: pyarrow is missing.
        """
        self._arrow = load()
        self._connections = connections
        self._schema = self._fields(SIGHTINGS)
        self._out = self._arrow.parquet.ParquetWriter(sightings, self._schema, compression="zstd")

    def add(self, sightings: Columns) -> None:
        """Write rows of sightings."""
        if len(sightings["packet"]):
            arrays = [sightings[column.name] for column in SIGHTINGS]
            self._out.write_table(
                self._arrow.Table.from_arrays(list(map(self._arrow.array, arrays)), schema=self._schema)
            )

    def close(self, connections: Columns) -> None:
        """Write the connections, and end both files."""
        schema = self._fields(CONNECTIONS.columns)
        table = self._arrow.Table.from_arrays(
            [self._arrow.array(connections[name]) for name in schema.names], schema=schema
        )
        # write_table() removes what is there when it fails, which may be a device.
        with self._arrow.parquet.ParquetWriter(self._connections, schema, compression="zstd") as out:
            out.write_table(table)
        self._out.close()

    def _fields(self, columns: Any) -> Any:
        types = {"bool": self._arrow.bool_()}
        return self._arrow.schema(
            [
                self._arrow.field(
                    column.name,
                    types.get(column.dtype) or getattr(self._arrow, column.dtype)(),
                    nullable=False,
                    metadata={"unit": column.unit, "doc": column.doc},
                )
                for column in columns
            ]
        )
