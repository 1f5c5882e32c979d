"""Spans sent to a collector by OTLP over HTTP (opentelemetry-proto): a trace a connection."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain, islice
from typing import TYPE_CHECKING

from analyzer.errors import InputError, OutputError
from analyzer.report.spans import Span, flows, packets

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from analyzer.run.trace import Trace

AT_A_TIME = 512
NAME = "hoptrace"


def send(trace: "Trace", url: str, selection: str | None = None) -> int:
    """
    Send what a selection picks, or all, to a collector's *url*, as ``http://localhost:4318/v1/traces``.

    Returns:
        How many spans it took.

    Raises:
        InputError: what sends is missing.
        OutputError: the collector did not take them.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415
    except ImportError:
        raise InputError("--otlp needs OpenTelemetry: pip install 'hoptrace[otlp]'") from None
    exporter = OTLPSpanExporter(endpoint=url)
    sent, found = 0, _readable(trace, selection)
    while some := list(islice(found, AT_A_TIME)):
        if exporter.export(some) is not SpanExportResult.SUCCESS:
            raise OutputError(f"{url}: the collector does not take spans")
        sent += len(some)
    exporter.shutdown()  # type: ignore[no-untyped-call]
    return sent


def _readable(trace: "Trace", selection: str | None) -> "Iterator[ReadableSpan]":
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415

    resource = Resource({"service.name": NAME, "hoptrace.inputs": ", ".join(trace.named)})
    inputs = resource.attributes["hoptrace.inputs"]

    def context(root: str, called: str) -> SpanContext:
        whole, own = (int.from_bytes(_digest(str(inputs), one)) for one in (root, called))
        return SpanContext(whole, own >> 64, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    def made(span: Span) -> ReadableSpan:
        status = Status(StatusCode.ERROR, span.failed) if span.failed else Status(StatusCode.UNSET)
        parent = context(span.root, span.parent) if span.parent is not None else None
        return ReadableSpan(
            name=span.name, context=context(span.root, span.called), resource=resource, attributes=span.facts,
            parent=parent, kind=SpanKind.INTERNAL, status=status,
            start_time=span.begin_ns, end_time=span.end_ns, instrumentation_scope=InstrumentationScope(NAME),
        )  # fmt: skip

    content = trace.content(selection=selection)
    yield from map(made, chain(flows(content), packets(content)))


def _digest(*texts: str) -> bytes:
    return blake2b("\0".join(texts).encode(), digest_size=16).digest()
