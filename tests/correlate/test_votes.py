"""Votes for translations: how long a packet may take where its numbers are no proof."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.pipeline import Trace
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, echo, ether, ipv4, tcp, udp, write_pcap

MS, S = 1_000_000, 1_000_000_000


def _translated(tmp_path: Path, proto: int, payload: bytes, outside: bytes, *, ident: int, gap_ns: int) -> Trace:
    """One packet at docker0, and translated at wlan0 after *gap_ns*."""
    before = ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", proto, payload, ident=ident))
    after = ether(UPLINK, GATEWAY, ipv4("192.168.1.100", "8.8.8.8", proto, outside, ident=ident, ttl=63))
    paths = (
        write_pcap(tmp_path / "docker0.pcap", [(T0, before)]),
        write_pcap(tmp_path / "wlan0.pcap", [(T0 + gap_ns, after)]),
    )
    return analyze(paths)


@pytest.mark.parametrize(("gap_ns", "connections"), [(10 * MS, 1), (10 * MS + 1, 2), (S, 2)])
@pytest.mark.parametrize(
    ("proto", "payload", "outside"),
    [(17, udp(40_000, 53, b"ask"), udp(50_001, 53, b"ask")), (1, echo(8, 7, 1, b"ask"), echo(8, 9, 1, b"ask"))],
    ids=["udp", "ping"],
)
def test_without_an_ip_id_a_translation_takes_10_ms_at_most(
    tmp_path: Path, proto: int, payload: bytes, outside: bytes, gap_ns: int, connections: int
) -> None:
    """Equal payloads that are further apart are two packets of two connections."""
    trace = _translated(tmp_path, proto, payload, outside, ident=0, gap_ns=gap_ns)

    assert len(trace.connections) == connections
    assert trace.packets == connections


@pytest.mark.parametrize(("gap_ns", "connections"), [(3_500 * MS, 1), (3_500 * MS + 1, 2)])
def test_with_an_ip_id_it_may_wait_for_arp(tmp_path: Path, gap_ns: int, connections: int) -> None:
    """An IP id that all packets have proves enough for a wait of 3.5 s, but for no longer one."""
    trace = _translated(tmp_path, 17, udp(40_000, 53, b"ask"), udp(50_001, 53, b"ask"), ident=77, gap_ns=gap_ns)

    assert len(trace.connections) == connections


@pytest.mark.parametrize(("gap_ns", "connections"), [(3_500 * MS, 1), (3_500 * MS + 1, 2)])
def test_numbers_of_tcp_need_no_haste(tmp_path: Path, gap_ns: int, connections: int) -> None:
    """Sequence numbers do not repeat by chance, even without an IP id."""
    before, after = (tcp(sport, 80, 1_000, 0, 2, b"", (5, 0)) for sport in (40_000, 50_001))
    trace = _translated(tmp_path, 6, before, after, ident=0, gap_ns=gap_ns)

    assert len(trace.connections) == connections
