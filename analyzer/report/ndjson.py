"""NDJSON: the items of ``hoptrace/1``, one a line.

First a header; then journeys, in order of time; then points, connections, address resolution, findings and losses.
``type`` tells which an item is, the other fields are those of the JSON report.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from analyzer.report.content import Content
from analyzer.report.fields import text_of
from analyzer.report.json_report import SCHEMA


def ndjson_lines(content: Content) -> Iterator[str]:
    """Give the document line by line; memory does not grow with the number of journeys."""
    exchanges = sorted(content.arp, key=lambda one: (one.request_ns, one.point, one.request_frame))
    sections: tuple[tuple[str, Iterable[Any]], ...] = (
        ("journey", content.journey_texts),
        ("point", content.points),
        ("connection", content.connection_texts),
        ("arp", exchanges),
        ("finding", content.findings),
        ("loss", content.losses),
    )
    yield f'{{"type": "header", "schema": "{SCHEMA}"}}\n'
    for kind, items in sections:
        for item in items:
            text = item if isinstance(item, str) else text_of(item)
            yield f'{{"type": "{kind}", {text[1:]}\n'
