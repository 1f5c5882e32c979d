"""What must be known before a check says that nobody answered: the captures would have shown an answer."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.capture.manifest import Manifest, RecordedPoint, write_manifest
from analyzer.model import Role
from tests.build import T0
from tests.simulate import Simulator

S = 1_000_000_000


def _checks(folder: Path, words: str, silence_ns: int) -> list[str]:
    """
    Analyse a bundle in which a server answers one datagram, and then not the next one; name the findings.

    *words* is the filter, *silence_ns* how long captures went on after the last datagram.
    """
    simulator = Simulator(1)
    flow = simulator.flow("udp", 2, "203.0.113.5", 40_000, 7777, None)
    for reply in (False, True, False):
        simulator.send(flow, reply=reply)
    simulator.write(folder)
    stopped_ns = simulator.records["veth-c2"][-1][0] + silence_ns
    points = (
        RecordedPoint("veth-c2", "veth-c2.pcap", "veth1a2b3c4", Role.VETH, "c2"),
        RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE),
        RecordedPoint("wlan0", "wlan0.pcap", "wlan0", Role.UPLINK),
    )
    write_manifest(folder, Manifest(T0 - S, stopped_ns, "host", 0, words, points=points))
    return [finding.check for finding in analyze([folder]).findings]


@pytest.mark.parametrize("words", ["", "udp", "udp port 7777", "host 203.0.113.5 and port 7777"])
def test_a_filter_that_keeps_both_directions(tmp_path: Path, words: str) -> None:
    """An answer would have been recorded, so nobody answered."""
    assert _checks(tmp_path, words, 5 * S) == ["loss-beyond-host"]


@pytest.mark.parametrize(
    "words",
    [
        "src host 172.17.0.2",
        "udp dst port 7777",
        "inbound",
        "outbound and udp",
        "not host 8.8.8.8",
        "! port 22",
        "udp[8] == 2",
        "tcp-syn != 0 or udp",
    ],
)
def test_a_filter_that_may_leave_answers_out(tmp_path: Path, words: str) -> None:
    """Whoever asks for a direction, or for bytes, does not see whether somebody answered."""
    assert _checks(tmp_path, words, 5 * S) == []


@pytest.mark.parametrize(("silence_ns", "checks"), [(S, ["loss-beyond-host"]), (S - 1, [])])
def test_an_answer_may_take_a_second(tmp_path: Path, silence_ns: int, checks: list[str]) -> None:
    """Captures that end sooner after the question do not show that it had none."""
    assert _checks(tmp_path, "", silence_ns) == checks
