"""Journeys as spans."""

from pathlib import Path

from analyzer import analyze
from analyzer.report.spans import flows, packets

ROOT = Path(__file__).parents[2]


def test_a_connection_its_packets_and_their_legs() -> None:
    """Each within the other; a translation is told where it happened."""
    trace = analyze(ROOT / "sample_pcaps" / "seed")
    content = trace.content()

    connections = {one.called: one for one in flows(content)}
    found = {one.called: one for one in packets(trace.content())}

    assert connections["C0"].facts["hoptrace.nat"] == "SNAT 172.17.0.4 -> 192.168.1.100"
    assert connections["C1"].facts["destination.port"] == 80
    journey, leg = found["J3"], found["J3.2"]
    assert (journey.parent, leg.parent, leg.name) == ("C0", "J3", "docker0 -> wlan0")
    assert leg.end_ns - leg.begin_ns == 102_953
    assert "172.17.0.4 → 192.168.1.100" in str(leg.facts["hoptrace.nat"])
    assert all(one.end_ns > one.begin_ns for one in (*connections.values(), *found.values()))
    assert not any(one.failed for one in found.values())


def test_what_did_not_get_through_says_why() -> None:
    """By the rule that dropped it."""
    trace = analyze(ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst")

    failed = [one for one in packets(trace.content(selection="verdict == dropped")) if one.failed]

    assert len(failed) == 3
    assert all(one.failed.startswith("dropped: ") and "DOCKER-USER" in one.failed for one in failed)
