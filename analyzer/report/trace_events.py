"""
Spans as the Trace Event Format has them, which ui.perfetto.dev and chrome://tracing show: a track a connection.

Packets overlap, so they are asynchronous events: a begin and an end of one id, in which legs nest.
"""

import json
from collections.abc import Iterator
from itertools import chain, islice

from analyzer.report.content import Content
from analyzer.report.spans import Span, flows, packets

NOBODY = 0
"""The process of packets without a connection."""


def trace_events(content: Content) -> Iterator[str]:
    """Give the document piece by piece; times are microseconds since the first connection or packet."""
    journeys = packets(content)
    head = list(islice(journeys, 1))
    connections = list(flows(content))
    start = min((one.begin_ns for one in (*connections, *head)), default=0)
    processes = {one.called: number for number, one in enumerate(connections, NOBODY + 1)}
    yield '{"displayTimeUnit": "ns", "traceEvents": [\n'
    yield _named(NOBODY, "no connection")
    for one in connections:
        yield ",\n" + _named(processes[one.called], f"{one.called} {one.name}")
    packet = ""
    for span in chain(head, journeys):
        packet = packet if span.parent == packet else span.called
        yield from _events(span, start, processes.get(span.root, NOBODY), packet)
    yield f'\n], "otherData": {{"start_ns": "{start}"}}}}\n'


def _named(process: int, name: str) -> str:
    return json.dumps({"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}})


def _events(span: Span, start: int, process: int, packet: str) -> Iterator[str]:
    facts = span.facts | ({"failed": span.failed} if span.failed else {})
    same = {"cat": "packet", "id": packet, "pid": process, "tid": process, "name": span.name}
    yield ",\n" + json.dumps({"ph": "b", **same, "ts": (span.begin_ns - start) / 1000, "args": facts})
    yield ",\n" + json.dumps({"ph": "e", **same, "ts": (span.end_ns - start) / 1000})
