"""Data that was sent, and never came to this host: what later segments count on."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.packet.never_came import never_came
from tests.build import GATEWAY, T0, UPLINK, ether, ipv4, tcp, write_pcap

HOST, SERVER = "192.168.1.100", "8.8.8.8"
SYN, SYN_ACK, ACK, FIN_ACK = 0x02, 0x12, 0x10, 0x11
Segment = tuple[int, int, int]
"""Sequence number, bytes, flags; of the server."""


def _trace(folder: Path, *segments: Segment) -> "tuple[list[int], list[int]]":
    records = [(T0, ether(UPLINK, GATEWAY, ipv4(HOST, SERVER, 6, tcp(40_000, 80, 99, 0, SYN), ident=1)))]
    for number, (seq, size, flags) in enumerate(segments):
        data = ipv4(SERVER, HOST, 6, tcp(80, 40_000, seq, 100, flags, bytes(size)), ident=10 + number, ttl=54)
        records.append((T0 + (number + 1) * 1_000_000, ether(GATEWAY, UPLINK, data)))
    write_pcap(folder / "wlan0.pcap", records)
    context = analyze([folder / "wlan0.pcap"]).context
    packets, holes = never_came(context)
    return packets.tolist(), holes.tolist()


@pytest.mark.parametrize(
    ("segments", "hole"),
    [
        ([(1, 0, SYN_ACK), (2, 100, ACK), (102, 0, ACK)], 0),
        ([(1, 0, SYN_ACK), (2, 100, ACK), (3002, 0, ACK)], 2900),
        ([(1, 0, SYN_ACK), (5002, 0, ACK)], 5000),
        ([(1, 0, SYN_ACK), (2, 100, ACK), (102, 0, FIN_ACK), (103, 0, ACK)], 0),
        ([(1, 0, SYN_ACK), (2, 100, ACK), (3002, 0, ACK), (102, 2900, ACK)], 0),
        ([(1, 0, SYN_ACK), (2, 100, ACK), (101, 1, ACK)], 0),
        ([(1, 0, SYN_ACK)], 0),
        ([((1 << 32) - 50, 0, SYN_ACK), ((1 << 32) - 49, 30, ACK), (2000, 0, ACK)], 2019),
    ],
    ids=["whole", "hole", "nothing-came", "ends", "filled", "keepalive", "handshake", "around-zero"],
)  # fmt: skip
def test_the_last_segment_counts_on_what_came(tmp_path: Path, segments: list[Segment], hole: int) -> None:
    """By RFC 9293 its number is that of the next byte; SYN and FIN count as one."""
    packets, holes = _trace(tmp_path, *segments)

    assert holes == [hole] * bool(hole)
    assert packets == [len(segments)] * bool(hole)
