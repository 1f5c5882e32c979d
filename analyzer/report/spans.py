"""Journeys as spans of time, for viewers of traces: a connection, the packets in it, their legs from point to point."""

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.model import Connection, FlowTuple, Journey, NatStep
from analyzer.model.journey import BAD
from analyzer.report.answer import WORDS
from analyzer.report.content import Content
from analyzer.report.safe import safe
from analyzer.report.story import explain

Fact = str | int
SHORTEST_NS = 1
"""Of a packet that was seen once: viewers leave out what takes no time."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time; times in ns since the epoch."""

    called: str
    """``C0``, ``J3``, ``J3.1``: unique."""
    parent: str | None
    """What it is within."""
    root: str
    """What all of it is within: a connection, or a packet that is of none."""
    name: str
    begin_ns: int
    end_ns: int
    facts: dict[str, Fact]
    failed: str = ""
    """Why it did not get through; empty if it did."""


def flows(content: Content) -> Iterator[Span]:
    """Give connections."""
    return map(_connection, content.connections)


def packets(content: Content) -> Iterator[Span]:
    """Give journeys in order of time, each followed by its legs."""
    for journey in content.journeys:
        yield _journey(journey)
        yield from _legs(journey)


def _connection(connection: Connection) -> Span:
    facts = {"hoptrace.connection": f"C{connection.id}", **_ends(connection.original, connection.protocol)}
    if connection.nat:
        facts["hoptrace.nat"] = "; ".join(f"{one.kind} {one.before} -> {one.after}" for one in connection.nat)
    name = safe(f"{connection.protocol.upper()} {connection.original}")
    end = max(connection.last_ns, connection.first_ns + SHORTEST_NS)
    return Span(f"C{connection.id}", None, f"C{connection.id}", name, connection.first_ns, end, facts)


def _journey(journey: Journey) -> Span:
    first, last = journey.hops[0], journey.hops[-1]
    facts: dict[str, Fact] = {
        "hoptrace.journey": f"J{journey.id}",
        "hoptrace.verdict": journey.disposition.value,
        "hoptrace.reason": safe(journey.reason),
        "hoptrace.points": " -> ".join(hop.point for hop in journey.hops),
        "hoptrace.bytes": first.length,
    }
    if journey.direction is not None:
        facts["hoptrace.direction"] = journey.direction.value
    parent = _root(journey) if journey.connection is not None else None
    failed = f"{WORDS[journey.disposition]}: {safe(journey.reason)}" if journey.disposition in BAD else ""
    end = max(last.time_ns, first.time_ns + SHORTEST_NS)
    return Span(
        f"J{journey.id}",
        parent,
        _root(journey),
        safe(f"J{journey.id} {journey.called}"),
        first.time_ns,
        end,
        facts,
        failed,
    )


def _root(journey: Journey) -> str:
    return f"C{journey.connection}" if journey.connection is not None else f"J{journey.id}"


def _legs(journey: Journey) -> Iterator[Span]:
    for number, (one, other) in enumerate(zip(journey.hops, journey.hops[1:], strict=False), 1):
        nat = [explain(step) for step in journey.steps if isinstance(step, NatStep) and step.at_hop == number]
        facts: dict[str, Fact] = {"hoptrace.nat": safe("; ".join(nat))} if nat else {}
        name = f"{one.point} -> {other.point}"
        begin, end = sorted((one.time_ns, other.time_ns))
        called = f"J{journey.id}.{number}"
        yield Span(called, f"J{journey.id}", _root(journey), safe(name), begin, max(end, begin + SHORTEST_NS), facts)


def _ends(flow: FlowTuple, protocol: str) -> dict[str, Fact]:
    """Name both ends as OpenTelemetry's semantic conventions do."""
    facts: dict[str, Fact] = {"network.transport": protocol}
    for end, ip, port in (("source", flow.src, flow.sport), ("destination", flow.dst, flow.dport)):
        facts[f"{end}.address"] = str(ip)
        if port is not None:
            facts[f"{end}.port"] = port
    return facts
