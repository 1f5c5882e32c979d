"""What was acknowledged before it was sent again: counted in columns, and one by one."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.model import Role
from analyzer.packet.answers import acknowledged_before, behind, find_answers, tcp_answers
from analyzer.packet.context import Context
from analyzer.schema import Int64, Layer
from tests.bench.generate import write_captures
from tests.packet.tables import ECHO, TCP, Packet, at, connection, context, packet, seen

ROOT = Path(__file__).parents[1]
LOSSY = sorted(ROOT.glob("faults/lossy-internet.*")) + sorted(ROOT.glob("faults/silent-path.*")) + sorted(
    ROOT.glob("faults/vanishing-*")
) + [ROOT.parent / "sample_pcaps" / "lossy"]  # fmt: skip

RECORDINGS = [*LOSSY, *sorted(ROOT.glob("faults/*.tar.zst"))[::12]]


@pytest.mark.parametrize("path", LOSSY, ids=lambda path: path.name)
def test_acknowledged_before_the_copy(path: Path) -> None:
    """The same as the answers of each connection say."""
    context = analyze([path]).context
    answers = find_answers(context)
    again, originals = answers.sent_again
    found = acknowledged_before(context, originals, again)

    assert len(again)
    for copy, original, ack in zip(again.tolist(), originals.tolist(), found.tolist(), strict=True):
        assert (ack >= 0) == (0 <= answers.answered_by[original] < copy)
        assert ack < copy


def test_nothing_was_sent_again() -> None:
    """Empty arrays give empty arrays."""
    context = analyze([ROOT.parent / "sample_pcaps" / "seed"]).context
    again, originals = find_answers(context).sent_again

    assert len(acknowledged_before(context, originals, again)) == len(again) == 0


S = 1_000_000_000
SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16
TOP = 1 << 32
POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE))
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 80)
ROW = connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]))


def _segment(seq: int, length: int, ack: int = 0, flags: int = ACK, *, reply: bool = False, number: int = 0) -> Packet:
    """One segment; times do not matter, order does."""
    frame = seen(0, 0, layers=TCP, seq=seq % TOP, payload_len=length, ack=ack % TOP, tcp_flags=flags)
    return packet(frame, connection=number, reply=reply)


def _ack(ack: int, *, flags: int = ACK, seq: int = 0, length: int = 0, number: int = 0) -> Packet:
    return _segment(seq, length, ack, flags, reply=True, number=number)


def _context(*packets: Packet) -> Context:
    for number, one in enumerate(packets):
        for frames in one.hops:
            for frame in frames:
                frame["time_ns"] = frame["time_ns"] or number * 10
    return context(POINTS, packets, connections=(ROW, ROW))


def _pairs(column: Int64) -> dict[int, int]:
    """Return the packets of which something is known, and what."""
    return {packet: other for packet, other in enumerate(column.tolist()) if other >= 0}


def _answered(*packets: Packet) -> tuple[dict[int, int], dict[int, int]]:
    """Return what is answered by what, and what answers what."""
    found = find_answers(_context(*packets))
    return _pairs(found.answered_by), _pairs(found.answers)


@pytest.mark.parametrize(
    ("packets", "answered_by", "answers"),
    [
        ([_segment(1, 10), _ack(11)], {0: 1}, {1: 0}),
        ([_segment(1, 10), _ack(10)], {}, {}),
        ([_segment(1, 10), _ack(12)], {0: 1}, {1: 0}),
        ([_segment(1, 10), _segment(11, 10), _ack(21)], {0: 2, 1: 2}, {2: 1}),
        ([_segment(1, 10), _segment(11, 10), _ack(11), _ack(21)], {0: 2, 1: 3}, {2: 0, 3: 1}),
        ([_segment(1, 10), _ack(11), _ack(11), _ack(30)], {0: 1}, {1: 0}),
        ([_ack(11), _segment(1, 10), _ack(11)], {1: 2}, {2: 1}),
        ([_ack(11), _segment(1, 10)], {}, {}),
        ([_segment(1, 10), _ack(11, flags=RST)], {}, {}),
        ([_segment(1, 10), _ack(11, flags=RST | ACK)], {0: 1}, {1: 0}),
        ([_segment(1, 0), _ack(1)], {}, {}),
        ([_segment(1, 0, flags=SYN), _ack(2, flags=SYN | ACK), _segment(2, 0, 1)], {0: 1, 1: 2}, {1: 0, 2: 1}),
        ([_segment(1, 0, flags=FIN | ACK), _ack(2)], {0: 1}, {1: 0}),
        ([_segment(1, 0, flags=FIN | ACK), _ack(1)], {}, {}),
        ([_segment(1, 5, flags=FIN | ACK), _ack(6), _ack(7)], {0: 2}, {2: 0}),
        ([_segment(1, 5, flags=SYN | FIN), _ack(7), _ack(8)], {0: 2}, {2: 0}),
        ([_segment(TOP - 5, 10), _ack(5)], {0: 1}, {1: 0}),
        ([_segment(TOP - 5, 10), _ack(4), _segment(5, 10), _ack(15)], {0: 3, 2: 3}, {3: 2}),
        ([_segment(11, 10), _segment(1, 10), _ack(11), _ack(21)], {0: 3, 1: 2}, {2: 1, 3: 0}),
        ([_segment(1, 10), _ack(11), _segment(1, 10), _ack(11)], {0: 1, 2: 3}, {1: 0, 3: 2}),
        ([_segment(1, 10), _ack(11), _segment(1, 10), _segment(11, 5), _ack(16)], {0: 1, 2: 4, 3: 4}, {1: 0, 4: 3}),
        ([_segment(1, 10, number=1), _ack(11)], {}, {}),
    ],
)
def test_what_acknowledges_what(packets: list[Packet], answered_by: dict[int, int], answers: dict[int, int]) -> None:
    """The first acknowledgement behind a segment that covers it; it answers the newest of those that it covers."""
    assert _answered(*packets) == (answered_by, answers)


@pytest.mark.parametrize("between", [1, 63, 64, 65, 200])
def test_an_old_segment_that_is_sent_again_late(between: int) -> None:
    """The next acknowledgement that reaches it answers it, however many older ones come before."""
    packets = [_segment(1, 100), _ack(101), _segment(50, 51), *(_ack(5) for _ in range(between)), _ack(101)]
    answered_by, _ = _answered(*packets)

    assert answered_by == {0: 1, 2: 3 + between}


def test_an_old_segment_that_nothing_acknowledges_again() -> None:
    """It stays without an answer."""
    answered_by, _ = _answered(_segment(1, 100), _ack(101), _segment(50, 51), *(_ack(5) for _ in range(70)))

    assert answered_by == {0: 1}


def test_a_packet_of_several_segments_is_answered_as_a_whole() -> None:
    """Its bytes are those of all frames of its first hop, and FIN is on the last one."""
    parts = [
        seen(0, 1 + n, layers=TCP, seq=1 + 10 * n, payload_len=10, tcp_flags=ACK | (FIN if n == 2 else 0))
        for n in range(3)
    ]
    whole = seen(1, 9, layers=TCP, seq=1, payload_len=30, tcp_flags=ACK | FIN)
    packets = [packet(parts, [whole], connection=0), _ack(31), _ack(32), packet([whole], parts, connection=0)]

    assert _answered(*packets)[0] == {0: 2}


def test_frames_of_the_second_hop_are_not_added() -> None:
    """A packet whose first hop is one frame has that one's bytes, however it is split later."""
    whole = seen(0, 1, layers=TCP, seq=1, payload_len=30, tcp_flags=ACK)
    parts = [seen(1, 2 + n, layers=TCP, seq=1 + 15 * n, payload_len=15, tcp_flags=ACK) for n in range(2)]

    assert _answered(packet([whole], parts, connection=0), _ack(31))[0] == {0: 1}
    assert _answered(packet(parts, connection=0), _ack(30), _ack(31))[0] == {0: 2}


def _ping(seq: int, *, reply: bool = False) -> Packet:
    return packet(seen(0, 0, layers=ECHO, proto=1, icmp_seq=seq), connection=0, reply=reply)


@pytest.mark.parametrize(
    ("packets", "answered_by"),
    [
        ([_ping(1), _ping(2), _ping(2, reply=True), _ping(1, reply=True)], {0: 3, 1: 2}),
        ([_ping(1), _ping(1, reply=True), _ping(1, reply=True)], {0: 1}),
        ([_ping(1), _ping(1), _ping(1, reply=True)], {1: 2}),
        ([_ping(1, reply=True), _ping(1)], {}),
        ([_ping(1), _ping(2, reply=True)], {}),
    ],
)
def test_pings_are_joined_by_their_numbers(packets: list[Packet], answered_by: dict[int, int]) -> None:
    """Each reply answers the last request of its number, once."""
    found = _answered(*packets)

    assert found == (answered_by, {answer: question for question, answer in answered_by.items()})


def _datagram(time_ns: int, *, reply: bool = False) -> Packet:
    return packet(seen(0, time_ns), connection=0, reply=reply)


@pytest.mark.parametrize(
    ("times", "answered_by"),
    [
        ([(1, False), (2, True)], {0: 1}),
        ([(1, False), (2, False), (3, True), (4, True), (5, True)], {0: 2, 1: 3}),
        ([(1, True), (2, False)], {}),
        ([(1, False), (1 + 5 * S, True)], {0: 1}),
        ([(1, False), (2 + 5 * S, True)], {}),
        ([(1, False), (9, False), (3 + 5 * S, True)], {1: 2}),
    ],
)
def test_datagrams_are_answered_in_their_order(times: list[tuple[int, bool]], answered_by: dict[int, int]) -> None:
    """The oldest that still waits, for five seconds."""
    found = _answered(*(_datagram(time, reply=reply) for time, reply in times))

    assert found == (answered_by, {answer: question for question, answer in answered_by.items()})


def _again(*packets: Packet) -> dict[int, int]:
    return _pairs(find_answers(_context(*packets)).retransmission_of)


@pytest.mark.parametrize(
    ("packets", "again"),
    [
        ([_segment(1, 10), _segment(1, 10)], {1: 0}),
        ([_segment(1, 10), _segment(11, 10), _segment(1, 10), _segment(1, 10)], {2: 0, 3: 0}),
        ([_segment(1, 10), _segment(1, 11)], {}),
        ([_segment(1, 10), _segment(2, 10)], {}),
        ([_segment(1, 10), _segment(1, 10, reply=True)], {}),
        ([_segment(1, 10), _segment(1, 10, number=1)], {}),
        ([_segment(1, 10), _segment(1, 10, number=1), _segment(1, 10, number=1)], {2: 1}),
        ([_segment(1, 0), _segment(1, 0)], {}),
        ([_segment(1, 0, flags=SYN), _segment(1, 0, flags=SYN)], {1: 0}),
        ([_segment(1, 1, flags=ACK), _segment(1, 0, flags=FIN | ACK)], {}),
        ([_segment(1, 0, flags=SYN), _segment(1, 0, flags=FIN)], {}),
        ([_segment(1, 5, flags=PSH | ACK), _segment(1, 5, flags=ACK, ack=9)], {1: 0}),
        ([_segment(1, 10, number=-1), _segment(1, 10, number=-1)], {}),
        ([_datagram(1), _datagram(2)], {}),
        ([], {}),
    ],
)
def test_what_was_sent_again(packets: list[Packet], again: dict[int, int]) -> None:
    """The same numbers of the same stream, and the same ends; each copy is of the first one."""
    assert _again(*packets) == again


def test_repetitions_are_kept_with_the_answers() -> None:
    """By copy, by original, and which ones were repeated."""
    found = find_answers(_context(_segment(1, 10), *[_segment(11, 10)] * 2, _segment(1, 10), _segment(11, 10)))

    assert [column.tolist() for column in found.sent_again] == [[2, 3, 4], [1, 0, 1]]
    assert found.repeated.tolist() == [True, True, False, False, False]
    assert [found.copies(packet).tolist() for packet in range(5)] == [[3], [2, 4], [], [], []]


@pytest.mark.parametrize(
    ("packets", "sent", "until", "found"),
    [
        ([_segment(1, 10), _ack(11), _segment(1, 10)], 0, 2, 1),
        ([_segment(1, 10), _ack(10), _segment(1, 10)], 0, 2, -1),
        ([_segment(1, 10), _ack(11), _ack(11), _segment(1, 10)], 0, 3, 2),
        ([_segment(1, 10), _ack(11), _ack(5), _segment(1, 10)], 0, 3, 2),
        ([_segment(1, 10), _segment(1, 10), _ack(11)], 0, 1, -1),
        ([_segment(1, 10), _ack(11, number=1), _segment(1, 10)], 0, 2, -1),
        ([_segment(1, 10), _segment(1, 0, 11), _segment(1, 10)], 0, 2, -1),
        ([_segment(1, 10), _ack(11, flags=RST), _segment(1, 10)], 0, 2, -1),
        ([_segment(TOP - 5, 10), _ack(5), _segment(TOP - 5, 10)], 0, 2, 1),
        ([_segment(TOP - 5, 10), _ack(TOP - 5), _ack(4), _segment(TOP - 5, 10)], 0, 3, -1),
        ([_segment(1, 0, flags=SYN), _ack(2, flags=SYN | ACK), _segment(1, 0, flags=SYN)], 0, 2, 1),
        ([_ack(11), _segment(1, 10), _segment(1, 10)], 1, 2, 0),
        ([_segment(5, 1, number=1), _ack(900, number=1), _segment(1, 10), _segment(1, 10)], 2, 3, -1),
        ([_segment(1, 10), _segment(1, 10)], 0, 1, -1),
    ],
)
def test_the_last_acknowledgement_before_a_copy(packets: list[Packet], sent: int, until: int, found: int) -> None:
    """Of the other direction, if what had been acknowledged till then covers the original."""
    here = _context(*packets)
    ask = np.array([sent]), np.array([until])

    assert acknowledged_before(here, *ask).tolist() == [found]


def test_streams_are_told_apart() -> None:
    """High numbers of one connection do not acknowledge another's."""
    packets = [_segment(1, 10), _segment(1, 10, number=1), _ack(11), _ack(3_000_000_000, number=1), _segment(1, 10),
               _segment(1, 10, number=1)]  # fmt: skip
    here = _context(*packets)

    assert acknowledged_before(here, np.array([0, 1]), np.array([4, 5])).tolist() == [2, -1]


@pytest.mark.parametrize(
    ("number", "base", "distance"),
    [
        (5, 3, 2),
        (3, 5, -2),
        (3, TOP - 2, 5),
        (TOP - 2, 3, -5),
        (0, 0, 0),
        ((1 << 31) - 1, 0, (1 << 31) - 1),
        (1 << 31, 0, -(1 << 31)),
    ],
)
def test_how_far_numbers_lie_apart(number: int, base: int, distance: int) -> None:
    """Numbers go round (RFC 1982)."""
    assert behind(np.array([number]), base).tolist() == [distance]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_all_connections_at_once(path: Path) -> None:
    """The same as connection by connection: no acknowledgement of one covers what another one sent."""
    _compare(analyze([path]).context)


def test_all_of_many_connections(tmp_path: Path) -> None:
    """Thousands of them, with every sequence number."""
    write_captures(tmp_path, 20_000)
    _compare(analyze(tmp_path).context)


def _compare(here: Context) -> None:
    """Hold what is found of all against what is found of each."""
    found = find_answers(here)
    columns = (found.answered_by, found.answers, found.retransmission_of)
    layers = here.frames["layers"][here.hops["row"][here.packet_start[:-1]]]
    for number in range(len(here.connections["proto"])):
        packets = here.packets_of(number)
        if not len(packets) or not layers[packets[0]] & Layer.TCP:
            continue
        for column, (mine, others) in zip(columns, tcp_answers(here, packets), strict=True):
            assert _pairs(column[packets]) == {int(np.searchsorted(packets, of)): other for of, other in
                                               zip(mine.tolist(), others.tolist(), strict=True)}  # fmt: skip
