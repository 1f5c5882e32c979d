"""JSON, schema ``hoptrace/1``: the whole analysis, one item a line, written as it is made."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from analyzer.model import ArpExchange, Connection, Finding, Journey, Point
from analyzer.model.decision import Decision
from analyzer.model.loss import Loss
from analyzer.model.worked import Worked
from analyzer.report.answer import answer
from analyzer.report.content import Content
from analyzer.report.fields import schema_of, text_of

SCHEMA = "hoptrace/1"
_SECTIONS: tuple[tuple[str, type], ...] = (
    ("points", Point),
    ("connections", Connection),
    ("journeys", Journey),
    ("arp", ArpExchange),
    ("findings", Finding),
    ("losses", Loss),
    ("decisions", Decision),
    ("worked", Worked),
)


def json_lines(content: Content) -> Iterator[str]:
    """Give the document piece by piece; memory does not grow with the number of journeys."""
    sections: tuple[Iterable[Any], ...] = (
        content.points,
        content.connection_texts,
        content.journey_texts,
        content.arp,
        content.findings,
        content.losses,
        content.decisions,
        content.worked,
    )
    yield f'{{"schema": "{SCHEMA}",\n"summary": {json.dumps(answer(content), ensure_ascii=True)}'
    for (name, _), items in zip(_SECTIONS, sections, strict=True):
        yield f',\n"{name}": ['
        separator = "\n"
        for item in items:
            yield separator + (item if isinstance(item, str) else text_of(item))
            separator = ",\n"
        yield "]"
    yield "}\n"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``hoptrace/1``, made from the model."""
    definitions: dict[str, Any] = {}
    summary = {"type": "string", "description": "Who cannot do what, and why; or how things are."}
    properties: dict[str, Any] = {"schema": {"const": SCHEMA}, "summary": summary}
    for name, kind in _SECTIONS:
        properties[name] = {"type": "array", "items": schema_of(kind, definitions)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": (
            "Journeys of packets through a Docker host. Times are integers, ns since 1970-01-01 UTC; absent values are "
            "left out. journeys[].hops[].point is points[].name; frames are numbers in that point's file, from 1."
        ),
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }
