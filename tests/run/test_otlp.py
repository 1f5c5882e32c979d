"""Spans by OTLP, taken by a server that reads them as a collector does."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from analyzer.cli import main
from analyzer.cli.base import EXIT_UNWRITABLE

ROOT = Path(__file__).parents[2]


class _Collector(HTTPServer):
    """Keeps what it gets."""

    def __init__(self, answer: int) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.answer, self.spans = answer, list[Span]()
        self.url = f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Taking(BaseHTTPRequestHandler):
    server: _Collector

    def do_POST(self) -> None:
        """Take a request of protobuf, as opentelemetry-proto has it."""
        import gzip

        data = self.rfile.read(int(self.headers["Content-Length"]))
        data = gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data
        request = ExportTraceServiceRequest.FromString(data)
        for of in request.resource_spans:
            for scope in of.scope_spans:
                self.server.spans += scope.spans
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _collector(answer: int) -> Iterator[_Collector]:
    server = _Collector(answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def collector() -> Iterator[_Collector]:
    yield from _collector(200)


@pytest.fixture
def refusing() -> Iterator[_Collector]:
    yield from _collector(400)


def _facts(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes}


def test_a_trace_a_connection(collector: _Collector) -> None:
    """Packets are within it, legs within packets; what was dropped is an error."""
    fault = ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst"
    done = CliRunner().invoke(main, ["analyze", str(fault), "--otlp", collector.url, "-n", "0"])

    assert done.exit_code == 0, done.output
    assert f"hoptrace: {collector.url}: {len(collector.spans)} spans" in done.stderr
    by_id = {one.span_id: one for one in collector.spans}
    assert len(by_id) == len(collector.spans)
    connection = next(one for one in collector.spans if _facts(one).get("hoptrace.connection") == "C0")
    packets = [one for one in collector.spans if one.parent_span_id == connection.span_id]
    assert len(packets) == 3
    assert {one.trace_id for one in packets} == {connection.trace_id}
    assert all(one.status.code == Status.StatusCode.STATUS_CODE_ERROR for one in packets)
    assert all("DOCKER-USER" in one.status.message for one in packets)
    legs = [one for one in collector.spans if one.parent_span_id == packets[0].span_id]
    assert [one.name for one in legs] == ["veth-c1 -> docker0"]
    assert len({one.trace_id for one in collector.spans if not one.parent_span_id}) > 1


def test_the_same_ids_each_time(collector: _Collector) -> None:
    """So that what is sent twice is there once."""
    for _ in range(2):
        CliRunner().invoke(main, ["analyze", str(ROOT / "sample_pcaps" / "seed"), "--otlp", collector.url, "-n", "0"])

    half = len(collector.spans) // 2
    assert [one.span_id for one in collector.spans[:half]] == [one.span_id for one in collector.spans[half:]]


def test_a_selection(collector: _Collector) -> None:
    """Only its packets are sent."""
    seed = str(ROOT / "sample_pcaps" / "seed")
    CliRunner().invoke(main, ["analyze", seed, "--otlp", collector.url, "-Y", "icmp", "-n", "0"])

    assert len([one for one in collector.spans if "hoptrace.journey" in _facts(one)]) == 6


def test_a_collector_that_does_not_take_them(refusing: _Collector) -> None:
    """Is told in a line."""
    done = CliRunner().invoke(main, ["analyze", str(ROOT / "sample_pcaps" / "seed"), "--otlp", refusing.url, "-n", "0"])

    assert done.exit_code == EXIT_UNWRITABLE
    assert f"{refusing.url}: the collector does not take spans" in done.stderr
