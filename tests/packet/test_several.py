"""All interfaces of a host in one capture that does not say which: LINUX_SLL of ``-i any``."""

from pathlib import Path

from analyzer import analyze
from tests.build import without_interfaces
from tests.oracle import Truth
from tests.packet.groups import packets_of

SAMPLE = Path(__file__).parents[2] / "sample_pcaps" / "any"


def test_frames_are_grouped_as_where_interfaces_are_told(tmp_path: Path) -> None:
    """A bridge and its port send the same, and it is one packet: nothing was sent again, and nothing is ambiguous."""
    trace = analyze([without_interfaces(SAMPLE / "any.pcap", tmp_path / "x.pcap")])

    assert {frozenset(number for _, number in packet) for packet in packets_of(trace)} == {
        frozenset(number for _, number in packet) for packet in Truth(SAMPLE).packets()
    }
    assert trace.findings == ()
    assert not any(journey.retransmission_of for journey in trace.journeys())


def test_each_interface_is_a_hop(tmp_path: Path) -> None:
    """The answer comes in by the uplink, and goes out by the bridge and by the container's veth."""
    trace = analyze([without_interfaces(SAMPLE / "any.pcap", tmp_path / "x.pcap")])
    answer = next(journey for journey in trace.journeys() if journey.summary.startswith("ICMP echo reply"))

    assert [(len(hop.frames), hop.ttl) for hop in answer.hops] == [(1, 63), (1, 62), (1, 62)]
