"""What does not fit is found out before it is worked; what can be parted fits."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import LimitError
from analyzer.run.budget import PROGRAM, Budget
from tests.build import C1, C2, Record, ether, ipv4, udp, write_pcap

MEMORY = PROGRAM + (5 << 20)
DAY_NS = 86_400 * 10**9


def _datagram(port: int, number: int) -> bytes:
    payload = udp(port, port, number.to_bytes(4, "big"))
    return ether(C1, C2, ipv4("10.0.0.1", "10.0.0.2", 17, payload, ident=number & 0xFFFF))


def _capture(path: Path, frames: int, ports: int, apart_ns: int = 1_000) -> str:
    records: list[Record] = [(number * apart_ns, _datagram(1_024 + number % ports, number)) for number in range(frames)]
    return write_pcap(path / "veth-c1.pcap", records)


def test_what_can_be_parted(tmp_path: Path) -> None:
    """More frames than may be held, of connections that have few each."""
    path = _capture(tmp_path, 20_000, 200)
    trace = analyze(path, memory=MEMORY)

    assert Budget(MEMORY).frames < 20_000
    assert (trace.packets, len(trace.connections)) == (20_000, 200)
    assert trace.tables.work.folder is not None
    assert trace.dispositions() == analyze(path).dispositions()


def test_one_connection(tmp_path: Path) -> None:
    """Its frames are in one part, where they do not fit."""
    with pytest.raises(LimitError, match="20,000 frames that belong together"):
        analyze(_capture(tmp_path, 20_000, 1), memory=MEMORY)


def test_too_many_tuples(tmp_path: Path) -> None:
    """A connection has three at the most, so there are a third as many connections at the least."""
    with pytest.raises(LimitError, match="6,000 frames with 2,000 connections"):
        analyze(_capture(tmp_path, 6_000, 6_000), memory=MEMORY)


def test_too_many_conversations_of_a_tuple(tmp_path: Path) -> None:
    """Where times jump, each is another one; that is known before packets are looked for."""
    with pytest.raises(LimitError, match="6,000 conversations do not fit"):
        analyze(_capture(tmp_path, 6_000, 1, DAY_NS), memory=MEMORY)
