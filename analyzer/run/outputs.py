"""An analysis as a report: HTML, JSON, NDJSON, Parquet, pcapng or trace events, in pieces or in a file."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.schema import CONNECTIONS, FRAMES, HOPS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

    from analyzer.run.plots import Plots
    from analyzer.run.trace import Trace


def pieces(trace: "Trace", kind: str, selection: str | None = None, *, explain: bool = False) -> Iterator[str]:
    """Give a report's text, ``html``, ``json``, ``ndjson`` or ``trace``, piece by piece; *selection* narrows it."""
    from analyzer.report import html, json_report, ndjson, trace_events  # noqa: PLC0415

    if kind == "html":
        content = trace.content(selection=selection, journeys=html.MOST_JOURNEYS, decisions=True)
        yield from html.page(content, trace.overview(), trace.named, explain=explain)
        return
    content = trace.content(selection=selection, decisions=kind == "json")
    lines = {"json": json_report.json_lines, "ndjson": ndjson.ndjson_lines, "trace": trace_events.trace_events}[kind]
    yield from lines(content)


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


class Outputs:
    """What a trace can be made into."""

    @property
    def _trace(self) -> "Trace":
        return self  # type: ignore[return-value]

    @property
    def plot(self) -> "Plots":
        """Figures of matplotlib: ``trace.plot.throughput()``, ``.latency()``, ``.losses()``."""
        from analyzer.run.plots import Plots  # noqa: PLC0415

        return Plots(self._trace)

    def to_html(self, path: str | PathLike[str] | None = None, *, explain: bool = False) -> str | None:
        """Write the report to a file; without a *path*, return it. *explain* tells journeys in prose."""
        return put(self._trace, "html", path, explain=explain)

    def to_json(self, path: str | PathLike[str] | None = None) -> str | None:
        """Write JSON ``hoptrace/1`` to a file; without a *path*, return it."""
        return put(self._trace, "json", path)

    def to_parquet(self, path: str | PathLike[str]) -> None:
        """Write a row a frame to *path*, and connections beside it."""
        put(self._trace, "parquet", path)

    def to_pcapng(self, path: str | PathLike[str]) -> None:
        """Write all frames, in order of time, with what is known of each as its comment: for Wireshark."""
        put(self._trace, "pcapng", path)

    def to_arrow(self, table: str = "hops") -> "pyarrow.Table":
        """
        Return ``frames``, ``hops`` or ``connections`` as an Arrow table, with units and meanings as metadata.

        Numbers are not copied. HOPS refers to the others by row, so that those are whole also where it is narrowed.

        Raises:
            InputError: pyarrow is missing.
        """
        return arrow(self._trace, table)

    def frames_readable(self) -> "pd.DataFrame":
        """A row a frame, for people: times as timestamps, addresses as text, names of points, journeys, connections."""
        from analyzer.run.readable import frames  # noqa: PLC0415

        return frames(self._trace)

    def connections_readable(self) -> "pd.DataFrame":
        """A row a connection, likewise."""
        from analyzer.run.readable import connections  # noqa: PLC0415

        return connections(self._trace)
