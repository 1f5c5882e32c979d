"""An analysis as a report: HTML, JSON, NDJSON, Parquet or pcapng, in pieces or in a file."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.schema import CONNECTIONS, FRAMES, HOPS

if TYPE_CHECKING:
    import pyarrow

    from analyzer.run.trace import Trace


def pieces(trace: "Trace", kind: str, selection: str | None = None, *, explain: bool = False) -> Iterator[str]:
    """Give a report's text, ``html``, ``json`` or ``ndjson``, piece by piece; *selection* narrows it."""
    from analyzer.report import html, json_report, ndjson  # noqa: PLC0415

    if kind == "html":
        content = trace.content(selection=selection, journeys=html.MOST_JOURNEYS, decisions=True)
        yield from html.page(content, trace.overview(), trace.named, explain=explain)
        return
    content = trace.content(selection=selection, decisions=kind == "json")
    yield from (json_report.json_lines if kind == "json" else ndjson.ndjson_lines)(content)


def put(
    trace: "Trace",
    kind: str,
    path: str | PathLike[str] | None,
    selection: str | None = None,
    *,
    explain: bool = False,
) -> str | None:
    """
    Write a report to *path*, whole or not at all; without one, return its text.

    Raises:
        InputError: what Parquet needs is missing.
        OutputError: it cannot be written.
    """
    from analyzer.report import parquet  # noqa: PLC0415
    from analyzer.report.write import write_blocks, write_lines  # noqa: PLC0415

    if path is None:
        return "".join(pieces(trace, kind, selection, explain=explain))
    if kind == "pcapng":
        from analyzer.run.annotated import annotated  # noqa: PLC0415

        write_blocks(Path(path), annotated(trace, selection))
    elif kind == "parquet":
        chosen = None if selection is None else trace.select(selection)
        parquet.write_tables(Path(path), trace.sightings(chosen), trace.correlated.connections)
    else:
        write_lines(Path(path), pieces(trace, kind, selection, explain=explain))
    return None


def arrow(trace: "Trace", table: str) -> "pyarrow.Table":
    """
    Return a table as Arrow's; HOPS are those of the trace's journeys, and what they refer to by row is whole.

    Raises:
        InputError: pyarrow is missing.
    """
    from analyzer.report.parquet import arrow_table  # noqa: PLC0415

    if table == "hops":
        return arrow_table(HOPS.columns, {str(name): column.to_numpy() for name, column in trace.hops.items()})
    whole = {"frames": (FRAMES, trace.tables.frames), "connections": (CONNECTIONS, trace.correlated.connections)}
    spec, columns = whole[table]
    return arrow_table(spec.columns, columns)
