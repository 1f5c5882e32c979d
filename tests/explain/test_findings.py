"""Findings of captures and dumps: each on a sample made to have one, and not on the healthy one."""

import shutil
from pathlib import Path
from random import Random

import pytest

from analyzer import analyze
from analyzer.model import Basis, Severity
from analyzer.run import Trace
from tests.build import T0, block, enhanced, interface, option, pcap, section
from tests.simulate import Simulator

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def _checks(trace: Trace) -> list[str]:
    return [finding.check for finding in trace.findings]


TROUBLED = {
    "icmp-errors": {"connection-refused"},  # nobody listens there, as its README says
    "lossy": {"loss-beyond-host"},
}
"""What else than infos there is to tell, by sample."""


@pytest.mark.parametrize("folder", sorted(p for p in SAMPLES.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_samples_have_nothing_else_to_act_on(folder: Path) -> None:
    """With the dumps beside the captures."""
    loud = {finding.check for finding in analyze([folder]).findings if finding.severity is not Severity.INFO}

    assert loud == TROUBLED.get(folder.name, set())


def test_a_conntrack_entry_that_contradicts_the_frames(tmp_path: Path) -> None:
    """The frames stand, the connection stays inferred from them, and the contradiction is shown."""
    bundle = tmp_path / "bundle"
    shutil.copytree(SAMPLES / "seed", bundle)
    for file in ("conntrack-events.txt", "host/conntrack.txt"):
        path = bundle / file
        path.write_text(path.read_text().replace("dst=192.168.1.100", "dst=192.168.1.99"))
    trace = analyze([bundle])
    findings = [finding for finding in trace.findings if finding.check == "conntrack-contradiction"]

    assert len(findings) == len(trace.connections) == 2
    assert findings[0].severity is Severity.WARNING
    assert "192.168.1.99" in findings[0].explanation
    assert findings[0].evidence
    assert {str(trace.connection(n).reply.dst) for n in range(2)} == {"192.168.1.100"}
    assert trace.connection(0).basis is not Basis.STATED


def test_conntrack_knows_a_translation_that_was_not_captured(tmp_path: Path) -> None:
    """With the veth alone, the reply tuple is the entry's, and stated."""
    bundle = tmp_path / "bundle"
    shutil.copytree(SAMPLES / "seed", bundle)
    for file in ("wlan0.pcap", "docker0.pcap"):
        (bundle / file).unlink()
    trace = analyze([bundle])

    assert {(str(c.reply.dst), c.basis) for c in map(trace.connection, range(2))} == {("192.168.1.100", Basis.STATED)}
    assert _checks(trace) == []


def test_a_damaged_capture(tmp_path: Path) -> None:
    """Named, with the place and the frames that were kept."""
    (tmp_path / "docker0.pcap").write_bytes(pcap([(T0, b"x" * 60)] * 3)[:-10])
    (finding,) = analyze([tmp_path / "docker0.pcap"]).findings

    assert finding.check == "capture-loss"
    assert "after 2 frames" in finding.detail


def test_drops_that_a_capture_tells(tmp_path: Path) -> None:
    """pcapng's interface statistics."""
    statistics = block(5, bytes(12) + option(7, (9).to_bytes(8, "little")))
    path = tmp_path / "a.pcapng"
    path.write_bytes(section() + interface(1, options=option(2, b"docker0")) + enhanced(0, 1, b"x" * 60) + statistics)
    (finding,) = analyze([path]).findings

    assert "9 frames were dropped at docker0" in finding.detail


@pytest.mark.parametrize(("sample", "told"), [("hairpin", 1), ("self-hairpin", 1), ("quiet-hairpin", 0), ("seed", 0)])
def test_packets_that_the_capture_doubled(sample: str, told: int) -> None:
    """A promiscuous bridge routes what it forwards once more: said, and no fault of the host."""
    found = [f for f in analyze([SAMPLES / sample]).findings if f.check == "capture-doubles-packets"]

    assert len(found) == told
    assert all(finding.severity is Severity.INFO and "container web twice" in finding.detail for finding in found)


def test_what_cannot_be_told_apart_is_said(tmp_path: Path) -> None:
    """Two equal datagrams under way at once, of which only one arrives: marked, not guessed."""
    simulator = Simulator(1, zero_ident=True)
    flow = simulator.flow("udp", 2, "8.8.8.8", 40_000, 53, b"ask")
    for _ in range(2):
        simulator.send(flow, reply=False)
        simulator.now -= 3_000_000
    simulator.records["wlan0"].pop()
    trace = analyze(simulator.write(tmp_path))

    doubtful = {journey.id: journey.candidates for journey in trace.journeys() if journey.ambiguous}

    assert _checks(trace) == ["ambiguous-packets"]
    assert doubtful == {0: (1,), 1: (0,)}


def test_mappings_that_could_be_swapped_name_each_other(tmp_path: Path) -> None:
    """Equal datagrams of two containers at the very same time, both ports rewritten: either could be either's."""
    simulator = Simulator(3, zero_ident=True)
    flows = [simulator.flow("udp", container, "8.8.8.8", 40_000, 53, b"ask") for container in (2, 3)]
    for flow, port in zip(flows, (50_001, 50_002), strict=True):
        flow.translated = port
    start = simulator.now
    for flow in flows:
        simulator.now, simulator.random = start, Random(7)
        simulator.send(flow, reply=False)
    trace = analyze(simulator.write(tmp_path))
    connections = [trace.connection(number) for number in range(2)]

    assert [connection.ambiguous for connection in connections] == [True, True]
    assert [connection.candidates for connection in connections] == [(1,), (0,)]
    assert {journey.id: journey.candidates for journey in trace.journeys()} == {0: (1,), 1: (0,)}
