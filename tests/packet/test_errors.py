"""ICMP errors: the packet an error quotes ends with it, through NAT too, and the error belongs to its connection."""

import struct
from pathlib import Path

from analyzer import analyze
from analyzer.model import Direction, Disposition, NatStep
from tests.build import BRIDGE, C1, T0, ether, ipv4, tcp, write_pcap

ERRORS = Path(__file__).parents[2] / "sample_pcaps" / "icmp-errors"


def test_errors_and_what_they_killed_point_at_each_other() -> None:
    """The quote is rewritten on the way back; both journeys of the pair are found at every point."""
    journeys = {journey.id: journey for journey in analyze([ERRORS]).journeys()}
    errors = [journey for journey in journeys.values() if journey.error_about is not None]

    assert len(errors) >= 4
    for error in errors:
        killed = journeys[error.error_about or 0]
        assert killed.disposition is Disposition.REJECTED
        assert killed.rejected_by == error.id
        assert (error.connection, error.direction) == (killed.connection, Direction.REPLY)
        assert [step.reverse for step in error.steps if isinstance(step, NatStep)] == [True]


def test_a_traceroute_reads_hop_by_hop() -> None:
    """Each probe is rejected by the router where its TTL ended."""
    probes = [j for j in analyze([ERRORS]).journeys() if j.summary.startswith("ICMP echo request")]

    assert probes
    assert {probe.reason.split(" (")[0] for probe in probes} == {
        "192.168.1.1 answered: time to live exceeded in transit"
    }


def test_fragmentation_needed_tells_its_mtu(tmp_path: Path) -> None:
    """RFC 1191: the next-hop MTU stands in the error's second word."""
    segment = ipv4("172.17.0.2", "8.8.8.8", 6, tcp(40000, 80, 1000, 7, 0x10, bytes(1448)))
    quote = struct.pack("!BBHHH", 3, 4, 0, 0, 1380) + segment[:48]
    error = ipv4("172.17.0.1", "172.17.0.2", 1, quote)
    path = write_pcap(
        tmp_path / "veth-c1.pcap", [(T0, ether(C1, BRIDGE, segment)), (T0 + 1000, ether(BRIDGE, C1, error))]
    )

    journey = analyze([path]).journey(0)

    assert journey.disposition is Disposition.REJECTED
    assert "fragmentation needed, at most 1380 bytes fit" in journey.reason
