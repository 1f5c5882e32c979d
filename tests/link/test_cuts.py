"""Where a flow begins a new conversation, and whose flow fragments have: the same however frames are cut to ranges."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from analyzer.link.cuts import Cuts, find_cuts, flow_times, fragments, inherited
from analyzer.link.runs import in_time
from analyzer.link.tuples import flows
from analyzer.schema import FRAMES, Layer
from tests.packet.tables import ECHO, ETHERNET, TCP, UDP, Frame, table

S = 1_000_000_000
FILES = np.arange(3)
ONE: Frame = {"src": "10.0.0.1", "dst": "10.0.0.2"}
TWO: Frame = {"src": "10.0.0.2", "dst": "10.0.0.1"}
THERE = {"layers": UDP, "proto": 17, "sport": 1, "dport": 2, **ONE}
BACK = {"layers": UDP, "proto": 17, "sport": 2, "dport": 1, **TWO}
PING = {"layers": ECHO, "proto": 1, "icmp_type": 8, "icmp_id": 7, **ONE}


def _syn(seq: int, time_s: float = 0, **columns: Any) -> Frame:
    usual = {"layers": TCP, "proto": 6, "tcp_flags": 2, "seq": seq, "sport": 1, "dport": 2, **ONE}
    return {**usual, "time_ns": round(time_s * S), **columns}


def _at(time_s: float, frame: Frame, **columns: Any) -> Frame:
    return {**frame, "time_ns": round(time_s * S), **columns}


def _cuts(*ranges: Sequence[Frame]) -> Cuts:
    """Find cuts of frames in several ranges; each numbers its frames on."""
    noted, count = [], 0
    for rows in ranges:
        frames = table(FRAMES, [{"frame": count + number + 1, **row} for number, row in enumerate(rows)])
        noted.append(flow_times(frames, flows(frames), FILES, in_time(frames, FILES)))
        count += len(rows)
    return find_cuts(noted)


def _times(*ranges: Sequence[Frame]) -> list[float]:
    return (_cuts(*ranges).time_ns / S).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("frames", "anew"),
    [
        ([_syn(5), _syn(5, 1), _syn(6, 2)], [2]),
        ([_syn(5), _syn(6, 1, **TWO, sport=2, dport=1)], []),
        ([_syn(5), _syn(6, 1, tcp_flags=0x12)], []),
        ([_syn(5), _syn(6, 1, sport=9)], []),
        ([_syn(5), _syn(5, 1000)], []),
        ([_syn(6, 2), _syn(5), _syn(6, 1)], [1]),
        ([_syn(5), _syn(6, 1), _syn(5, 2)], [1, 2]),
    ],
    ids=["another-number", "from-the-other-end", "no-first-segment", "other-ports", "sent-again-late", "out-of-order",
         "back-again"],
)  # fmt: skip
def test_a_handshake_with_another_number_begins_anew(frames: list[Frame], anew: list[float]) -> None:
    """In the same direction of the same flow, by time."""
    assert _times(frames) == anew


@pytest.mark.parametrize(
    ("frames", "anew"),
    [
        ([_at(0, THERE), _at(30, THERE)], []),
        ([_at(0, THERE), _at(30.1, THERE)], [30.1]),
        ([_at(0, BACK), _at(30.1, BACK)], [30.1]),
        ([_at(0, THERE), _at(1, BACK), _at(121, THERE)], []),
        ([_at(0, THERE), _at(1, BACK), _at(121.1, THERE)], [121.1]),
        ([_at(0, THERE), _at(100, THERE), _at(101, BACK)], []),
        ([_at(0, PING), _at(1, PING, icmp_type=0, **TWO), _at(31, PING)], []),
        ([_at(0, PING), _at(1, PING, icmp_type=0, **TWO), _at(31.1, PING)], [31.1]),
        ([_at(0, THERE), _at(1, THERE, sport=9), _at(31, THERE)], [31]),
        ([_at(0, THERE), _at(200, THERE, sport=9)], []),
        ([_at(0, THERE, sport=9), _at(200, THERE)], []),
        ([_at(0, THERE, layers=TCP, proto=6), _at(1000, THERE, layers=TCP, proto=6)], []),
    ],
    ids=["as-long", "longer", "longer-back", "answered", "answered-longer", "answered-later", "ping",
         "ping-longer", "two-flows", "another-flow", "and-its-like", "tcp"],
)  # fmt: skip
def test_a_silence_ends_an_entry_of_conntrack(frames: list[Frame], anew: list[float]) -> None:
    """After 30 s, and after 120 s where both directions were seen; a ping's after 30 s always, TCP's never here."""
    assert _times(frames) == anew


@pytest.mark.parametrize("split", range(1, 6))
def test_ranges_tell_what_the_whole_tells(split: int) -> None:
    """Wherever frames are cut, and also where the ranges overlap in time."""
    rows = [_syn(5), _at(0, THERE), _syn(6, 20), _at(40, THERE, point=1), _at(25, THERE), _at(80, THERE)]
    whole = _cuts(rows)

    for ranges in ((rows[:split], rows[split:]), (rows[split:], rows[:split])):
        found = _cuts(*ranges)
        assert (found.flow.tolist(), found.time_ns.tolist()) == (whole.flow.tolist(), whole.time_ns.tolist())
    assert len(whole.flow) == 2


def test_what_another_range_saw_in_between_ends_no_silence() -> None:
    """A flow is busy as long as any point sees it: one that saw little of it does not end it."""
    busy = [_at(20 * number, THERE) for number in range(6)]

    assert _times(busy, [_at(10, THERE, point=1)], [_at(130, THERE)]) == []
    assert _times(busy, [_at(10, THERE, point=1)], [_at(130.1, THERE)]) == [130.1]


def _keys(rows: Sequence[Frame], cuts: Cuts) -> list[int]:
    frames = table(FRAMES, [{"frame": number + 1, **row} for number, row in enumerate(rows)])
    found = cuts.conversation_keys(frames, flows(frames), FILES).tolist()
    seen: list[int] = list(dict.fromkeys(found))
    return [-1 if key == 0 else seen.index(key) for key in found]


def test_a_conversation_is_told_by_the_cuts_before_it() -> None:
    """A cut is before its own frame, in both directions, and cuts of other flows are no matter; ARP is in none."""
    rows = [_syn(5), _syn(9, 1, tcp_flags=0x12, **TWO, sport=2, dport=1), _syn(6, 2), _at(1, THERE), _syn(7, 3),
            {"layers": ETHERNET}, _syn(1, 2.5, tcp_flags=0x12, **TWO, sport=2, dport=1)]  # fmt: skip

    assert _keys(rows, _cuts(rows)) == [0, 0, 1, 2, 3, -1, 1]
    assert _keys(rows[:2], _cuts([])) == [0, 0]


def test_a_conversation_has_the_same_key_in_every_range() -> None:
    """Whatever other frames there are."""
    rows = [_syn(5), _syn(6, 2), _at(1, THERE), _syn(7, 3)]
    cuts = _cuts(rows)
    tables = [table(FRAMES, [{"frame": n + 1, **rows[n]} for n in places]) for places in ((0, 1, 2, 3), (3, 1))]
    whole, part = (cuts.conversation_keys(frames, flows(frames), FILES) for frames in tables)

    assert part.tolist() == [whole[3], whole[1]]


def test_before_the_first_cut_a_flow_tells_a_conversation() -> None:
    """Cuts of another flow are not counted, whichever of both sorts first."""
    rows = [_syn(5), _syn(6, 2), _syn(5, sport=9), _syn(6, 2, sport=9)]
    frames = table(FRAMES, [{"frame": number + 1, **row} for number, row in enumerate(rows)])
    found = _cuts(rows).conversation_keys(frames, flows(frames), FILES)

    assert (found == flows(frames) >> 1).tolist() == [True, False, True, False]


FIRST: Frame = {**THERE, "layers": UDP | Layer.FRAGMENT, "ip_id": 5}
LATER: Frame = {**ONE, "layers": ETHERNET | Layer.IPV4 | Layer.FRAGMENT, "proto": 17, "ip_id": 5, "frag_offset": 1480}


def _inherited(*ranges: Sequence[Frame]) -> list[list[tuple[int, bool]]]:
    """Return of each range the rows that get a flow, and whether it is that of the first fragment."""
    tables = [table(FRAMES, rows) for rows in ranges]
    right = flows(table(FRAMES, [FIRST]))[0]
    told = inherited([fragments(frames, flows(frames), FILES) for frames in tables])
    return [[(row, flow == right) for row, flow in zip(*map(list, part), strict=True)] for part in told]


def test_a_later_fragment_has_the_flow_of_its_first_one() -> None:
    """Also if that is in another range, or comes later; what is no fragment gets none."""
    assert _inherited([FIRST, THERE, LATER]) == [[(2, True)]]
    assert _inherited([LATER], [THERE, FIRST]) == [[(0, True)], []]


@pytest.mark.parametrize("field", [{"ip_id": 6}, {"point": 1}, {"proto": 6}, {"src": "10.0.0.3"}, {"dst": "10.0.0.3"}])
def test_a_fragment_of_another_datagram_has_not(field: Frame) -> None:
    """By its number, its ends, its protocol, and the point that saw it."""
    assert _inherited([FIRST, {**LATER, **field}]) == [[]]


@pytest.mark.parametrize(("six", "seconds", "told"), [(0, 30, True), (0, 30.1, False), (1, 60, True), (1, 60.1, False)])
def test_fragments_wait_for_each_other_as_long_as_a_receiver_does(six: int, seconds: float, told: bool) -> None:
    """30 s of IPv4, 60 s of IPv6."""
    change = Layer.IPV4 | Layer.IPV6 if six else 0
    rows = [{**one, "layers": one["layers"] ^ change} for one in (FIRST, LATER)]

    assert len(_inherited([rows[0], _at(seconds, rows[1])])[0]) == told
