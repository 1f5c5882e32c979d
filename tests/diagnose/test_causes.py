"""How bad a finding is: an error, or a warning where the connections got through all the same."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Severity
from tests.build import write_pcap
from tests.simulate import ACK, PSH, SYN, Flow, Simulator

RST = 0x04
TALK = ACK | PSH


def _lose_one(simulator: Simulator, sport: int) -> Flow:
    """Open a connection; its first data do not get from the bridge to the uplink, and are sent again."""
    flow = simulator.flow("tcp", 2, "8.8.8.8", sport, 80, b"GET / HTTP/1.1")
    simulator.send(flow, reply=False, flags=SYN)
    simulator.send(flow, reply=True, flags=SYN | ACK)
    simulator.send(flow, reply=False, again=True)
    simulator.records["wlan0"].pop()
    simulator.send(flow, reply=False)
    return flow


def _severity(simulator: Simulator, folder: Path) -> Severity:
    """Analyse; frames are cut behind their headers, so that nothing is said of checksums."""
    paths = [
        write_pcap(folder / f"{point}.pcap", [(time, frame) for time, _, frame in records], snap=70)
        for point, records in simulator.records.items()
    ]
    (severity,) = (finding.severity for finding in analyze(paths).findings if finding.check == "loss-inside-host")
    return severity


@pytest.mark.parametrize(
    ("afterwards", "severity"),
    [
        ([], Severity.ERROR),
        ([(False, TALK)], Severity.ERROR),
        ([(True, RST)], Severity.ERROR),
        ([(True, RST | ACK)], Severity.ERROR),
        ([(True, TALK)], Severity.WARNING),
        ([(False, TALK), (True, TALK)], Severity.WARNING),
        ([(True, TALK), (True, RST)], Severity.WARNING),
    ],
    ids=["nothing", "asker-alone", "reset", "reset-ack", "answer", "more", "answer-then-reset"],
)
def test_a_loss_that_both_ends_talk_past(
    tmp_path: Path, afterwards: list[tuple[bool, int]], severity: Severity
) -> None:
    """It is a warning only if both ends went on after it; a reset is no talk."""
    simulator = Simulator(1)
    flow = _lose_one(simulator, 40_000)
    for reply, flags in afterwards:
        simulator.send(flow, reply=reply, flags=flags)

    assert _severity(simulator, tmp_path) is severity


@pytest.mark.parametrize(("second_too", "severity"), [(True, Severity.WARNING), (False, Severity.ERROR)])
def test_all_connections_must_have_got_through(tmp_path: Path, second_too: bool, severity: Severity) -> None:
    """One of two that did not makes the finding an error."""
    simulator = Simulator(2)
    flows = [_lose_one(simulator, sport) for sport in (40_000, 40_001)]
    for flow in flows[: 1 + second_too]:
        simulator.send(flow, reply=True)

    assert _severity(simulator, tmp_path) is severity
