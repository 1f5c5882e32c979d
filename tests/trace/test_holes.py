"""Segments that were lost before the first point: told by the copy that comes late, and not by mere reordering."""

from pathlib import Path

import pytest

from analyzer import Trace, analyze
from tests.build import GATEWAY, T0, UPLINK, ether, ipv4, tcp, write_pcap

SERVER, CLIENT = "198.51.100.80", "192.168.1.100"
ACK, PSH, SYN = 0x10, 0x18, 0x02
MS = 1_000_000


def _in(time_ms: float, seq: int, length: int, ident: int) -> tuple[int, bytes]:
    segment = tcp(80, 40_000, seq, 1, PSH, b"x" * length)
    return T0 + int(time_ms * MS), ether(GATEWAY, UPLINK, ipv4(SERVER, CLIENT, 6, segment, ttl=60, ident=ident))


def _out(time_ms: float, flags: int, seq: int, ack: int, ident: int) -> tuple[int, bytes]:
    segment = tcp(40_000, 80, seq, ack, flags)
    return T0 + int(time_ms * MS), ether(UPLINK, GATEWAY, ipv4(CLIENT, SERVER, 6, segment, ident=ident))


def _trace(folder: Path, *incoming: tuple[int, bytes]) -> Trace:
    records = [_out(0, SYN, 0, 0, 1), *incoming, _out(900, ACK, 1, 5001, 2)]
    write_pcap(folder / "wlan0.pcap", records)
    return analyze([folder / "wlan0.pcap"])


@pytest.mark.parametrize("base", [1_000, (1 << 32) - 150], ids=["low", "wraps"])
def test_a_hole_that_is_filled_late(tmp_path: Path, base: int) -> None:
    """The second of three comes 200 ms after the third: its original never reached this host."""
    at = [(base + step) % (1 << 32) for step in (0, 100, 200)]
    trace = _trace(tmp_path, _in(10, at[0], 100, 11), _in(11, at[2], 100, 13), _in(211, at[1], 100, 12))
    (loss,) = trace.losses
    (finding,) = [found for found in trace.findings if found.check == "loss-beyond-host"]

    assert (loss.last_point, loss.next_point, loss.packets, loss.sent_again) == (None, "wlan0", 1, 1)
    assert finding.title == f"1 packet from {SERVER} lost before wlan0"
    assert [evidence.frame for evidence in finding.evidence] == [4]


def test_reordering_is_no_loss(tmp_path: Path) -> None:
    """What was overtaken comes within three milliseconds."""
    trace = _trace(tmp_path, _in(10, 1_000, 100, 11), _in(11, 1_200, 100, 13), _in(12, 1_100, 100, 12))

    assert trace.losses == ()
    assert trace.findings == ()


def test_what_was_seen_before_was_not_lost_on_the_way_here(tmp_path: Path) -> None:
    """The same segment twice: the original was here, so its loss, if any, is elsewhere."""
    trace = _trace(tmp_path, _in(10, 1_000, 100, 11), _in(11, 1_100, 100, 12), _in(300, 1_000, 100, 14))

    assert [loss.last_point for loss in trace.losses] == ["wlan0"]
