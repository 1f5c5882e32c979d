"""Conversations: a silence that ends the kernel's conntrack entry ends them, too."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.build import BRIDGE, C1, T0, Record, echo, ether, ipv4, udp, write_pcap

S = 1_000_000_000


def _asked(time_ns: int, number: int) -> Record:
    return time_ns, ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, udp(40_000, 53, b"ask %d" % number)))


def _answered(time_ns: int, number: int) -> Record:
    return time_ns, ether(BRIDGE, C1, ipv4("8.8.8.8", "172.17.0.2", 17, udp(53, 40_000, b"answer %d" % number)))


def _connections(tmp_path: Path, records: list[Record]) -> list[int]:
    """Analyse; return each packet's connection."""
    journeys = analyze([write_pcap(tmp_path / "veth-c1.pcap", records)]).journeys()
    return [journey.connection for journey in journeys if journey.connection is not None]


@pytest.mark.parametrize(("silence_ns", "connections"), [(30 * S, [0, 0]), (30 * S + 1, [0, 1]), (120 * S, [0, 1])])
def test_datagrams_without_an_answer_are_one_connection_for_30_s(
    tmp_path: Path, silence_ns: int, connections: list[int]
) -> None:
    """nf_conntrack_udp_timeout: after it, the next datagram makes a new entry."""
    assert _connections(tmp_path, [_asked(T0, 1), _asked(T0 + silence_ns, 2)]) == connections


@pytest.mark.parametrize(
    ("silence_ns", "connections"), [(30 * S + 1, [0, 0, 0]), (120 * S, [0, 0, 0]), (120 * S + 1, [0, 0, 1])]
)
def test_datagrams_with_an_answer_are_one_connection_for_120_s(
    tmp_path: Path, silence_ns: int, connections: list[int]
) -> None:
    """nf_conntrack_udp_timeout_stream, where both directions were seen."""
    records = [_asked(T0, 1), _answered(T0 + 1_000, 1), _asked(T0 + 1_000 + silence_ns, 2)]

    assert _connections(tmp_path, records) == connections


@pytest.mark.parametrize(("silence_ns", "connections"), [(30 * S, [0, 0, 0]), (30 * S + 1, [0, 0, 1])])
def test_pings_are_one_connection_for_30_s(tmp_path: Path, silence_ns: int, connections: list[int]) -> None:
    """nf_conntrack_icmp_timeout, answered or not."""
    ping, again = (
        ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 1, echo(8, 7, number, b"ping"))) for number in (1, 2)
    )
    pong = ether(BRIDGE, C1, ipv4("8.8.8.8", "172.17.0.2", 1, echo(0, 7, 1, b"ping")))
    records = [(T0, ping), (T0 + 1_000, pong), (T0 + 1_000 + silence_ns, again)]

    assert _connections(tmp_path, records) == connections
