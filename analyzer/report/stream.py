"""Reports that grow while the analysis goes on: one sink a file, each given part after part."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from analyzer.report.content import Content
from analyzer.report.lines import Batch
from analyzer.report.ndjson import NdjsonWriter
from analyzer.report.parquet import ParquetWriter
from analyzer.report.write import whole_file
from analyzer.schema import Columns


class Part(Protocol):
    """What the analysis tells at a time."""

    def batches(self) -> Iterator[Batch]:
        """Give its journeys."""

    def sightings(self) -> Columns:
        """Give its rows of HOPS with their frames."""


class Sinks:
    """Open outputs."""

    def __init__(self, lines: list[NdjsonWriter], tables: list[ParquetWriter]) -> None:
        self._lines, self._tables = lines, tables

    def add(self, part: Part) -> None:
        """Write what a part tells to all of them."""
        for lines in self._lines:
            lines.add(part.batches())
        for tables in self._tables:
            tables.add(part.sightings())

    def close(self, content: Callable[[], Content], connections: Columns) -> None:
        """Write the ends; *content* is made for each of them, since it can be read once."""
        for lines in self._lines:
            lines.close(content())
        for tables in self._tables:
            tables.close(connections)


def beside(path: Path) -> Path:
    """Return where the connections go: ``x.parquet`` has them in ``x.connections.parquet``."""
    return path.with_suffix(f".connections{path.suffix}")


@contextmanager
def open_sinks(paths: Iterable[Path]) -> Iterator[Sinks]:
    """
    Open outputs by their endings; they take their names when all went well.

    Raises:
        OutputError: one cannot be written.
    """
    with ExitStack() as stack:
        lines: list[NdjsonWriter] = []
        tables: list[ParquetWriter] = []
        for path in paths:
            temporary = stack.enter_context(whole_file(path))
            if path.suffix == ".parquet":
                tables.append(ParquetWriter(temporary, stack.enter_context(whole_file(beside(path)))))
            else:
                out = stack.enter_context(temporary.open("w", encoding="utf-8", errors="replace"))
                lines.append(NdjsonWriter(out))
        yield Sinks(lines, tables)
