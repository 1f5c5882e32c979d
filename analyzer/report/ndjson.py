"""NDJSON: the items of ``hoptrace/1``, one a line, written as soon as they are known.

First a header; then journeys, in order of time; at the end what is known only then: points, connections, address
resolution, findings and losses. ``type`` tells which an item is, the other fields are those of the JSON report.
"""

import json
from collections.abc import Iterable
from typing import Any, TextIO

from analyzer.report.content import Content
from analyzer.report.fields import to_json
from analyzer.report.json_report import SCHEMA
from analyzer.report.lines import Batch, lines


class NdjsonWriter:
    """Writes to a stream."""

    def __init__(self, out: TextIO) -> None:
        """Begin with the header."""
        self._out = out
        self._line("header", {"schema": SCHEMA})

    def add(self, batches: Iterable[Batch]) -> None:
        """Write journeys that are complete."""
        self._out.writelines(f'{{"type": "journey", {text[1:]}\n' for text in lines(batches))

    def close(self, content: Content) -> None:
        """Write what is known at the end."""
        exchanges = sorted(content.arp, key=lambda one: (one.request_ns, one.point, one.request_frame))
        sections: tuple[tuple[str, Iterable[Any]], ...] = (
            ("point", content.points),
            ("connection", content.connections),
            ("arp", exchanges),
            ("finding", content.findings),
            ("loss", content.losses),
        )
        for kind, items in sections:
            for item in items:
                self._line(kind, to_json(item))

    def _line(self, kind: str, fields: dict[str, Any]) -> None:
        self._out.write(json.dumps({"type": kind, **fields}, ensure_ascii=True) + "\n")
