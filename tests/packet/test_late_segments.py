"""Segments that were lost before the first point: told by the copy that comes late, and not by mere reordering."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import Trace, analyze
from analyzer.model import Role
from analyzer.packet.late_segments import late_segments
from tests.build import GATEWAY, T0, UPLINK, ether, ipv4, tcp, write_pcap
from tests.packet.tables import TCP, UDP, Packet, at, context, packet, seen

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
    trace = _trace(tmp_path, _in(10, at[0], 100, 11), _in(11, at[2], 100, 13), _in(211, at[1], 100, 14))
    (loss,) = trace.losses
    (finding,) = [found for found in trace.findings if found.check == "loss-beyond-host"]

    assert (loss.last_point, loss.next_point, loss.packets, loss.sent_again) == (None, "wlan0", 1, 1)
    assert finding.detail == f"1 packet from {SERVER} lost before wlan0"
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


POINTS = (at(0, "wlan0", Role.UPLINK), at(1, "veth-c1", Role.VETH))
LATE = 3_000_000


def _part(time_ns: int, seq: int, length: int = 10, *, number: int = 0, reply: bool = True, point: int = 0,
          layers: int = TCP) -> Packet:  # fmt: skip
    frame = seen(point, time_ns, layers=layers, seq=seq % (1 << 32), payload_len=length)
    return packet(frame, connection=number, reply=reply)


def _late(*packets: Packet, again: tuple[int, ...] = ()) -> list[int]:
    return late_segments(context(POINTS, packets), np.array(again, np.int64)).tolist()


@pytest.mark.parametrize(("after_ns", "late"), [(LATE, []), (LATE + 1, [2])], ids=["overtaken", "sent again"])
def test_how_late_is_too_late_to_be_overtaken(after_ns: int, late: list[int]) -> None:
    """More than three milliseconds behind the first that lies behind it."""
    assert _late(_part(0, 1), _part(5, 21), _part(5 + after_ns, 11), _part(50 + after_ns, 31)) == late


@pytest.mark.parametrize(
    ("packets", "late"),
    [
        ([_part(0, 1), _part(5, 21), _part(9, 31), _part(LATE + 6, 11)], [3]),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, 11)], [2]),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, 21)], []),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, 20)], [2]),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, 1)], []),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, 2)], [2]),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, point=1)], []),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, layers=UDP)], []),
        ([_part(n, seq, number=-1) for n, seq in ((0, 1), (5, 21), (9 + LATE, 11))], []),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, number=1)], []),
        ([_part(0, 1), _part(5, 21), _part(9 + LATE, 11, reply=False)], []),
        ([_part(0, -9), _part(5, 11), _part(9 + LATE, 1)], [2]),
        ([_part(0, 1, number=1), _part(1, 500), _part(5, 21, number=1), _part(9 + LATE, 11, number=1)], [3]),
        ([_part(0, 500, number=1), _part(1, 1), _part(9 + LATE, 11)], []),
        ([_part(0, 3_000_000_000, number=0), _part(9 + LATE, 5, number=1)], []),
        ([], []),
    ],
)
def test_which_segments_fill_a_hole(packets: list[Packet], late: list[int]) -> None:
    """Those that came in by an uplink, with more than a keep-alive's byte, and end before what was there already."""
    assert _late(*packets) == late


def test_what_has_an_earlier_copy_fills_none() -> None:
    """It was not lost on the way here; the copies of others are."""
    packets = [_part(0, 1), _part(5, 31), _part(9 + LATE, 11), _part(10 + LATE, 21)]

    assert _late(*packets, again=(2,)) == [3]
    assert _late(*packets, again=(0, 1, 2, 3)) == []


@pytest.mark.parametrize(
    ("ids", "lost"),
    [((11, 13, 12), False), ((11, 13, 14), True), ((65_534, 0, 65_535), True), ((65_533, 1, 65_534), False),
     ((11, 30_000, 12), True), ((0, 0, 0), True)],
    ids=["sent-before", "sent-again", "no-id", "wraps", "random", "none"],
)  # fmt: skip
def test_what_was_sent_before_was_overtaken_however_late_it_is(
    tmp_path: Path, ids: tuple[int, int, int], lost: bool
) -> None:
    """The IDs of a connection's packets count up; what is sent again has a new one."""
    first, third, second = ids
    trace = _trace(tmp_path, _in(10, 1_000, 100, first), _in(11, 1_200, 100, third), _in(31, 1_100, 100, second))

    assert bool(trace.losses) is lost


def test_what_lies_within_an_earlier_segment_fills_no_hole(tmp_path: Path) -> None:
    """A probe sends the tail of a large segment again (RFC 8985), which had come."""
    trace = _trace(tmp_path, _in(10, 1_000, 1_000, 11), _in(60, 1_800, 200, 12))

    assert trace.losses == ()
