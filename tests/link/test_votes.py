"""Votes for translations: how long a packet may take where its numbers are no proof."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from analyzer import analyze
from analyzer.link.cuts import find_cuts
from analyzer.link.shares import Range
from analyzer.link.stated import StatedSides
from analyzer.link.tuples import flows
from analyzer.link.votes import STATED, Candidates, cast_votes, weigh
from analyzer.run import Trace
from analyzer.schema import FRAMES, Layer
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, echo, ether, ipv4, tcp, udp, write_pcap
from tests.packet.tables import TCP, UDP, Frame, table

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


def _candidates(*rows: dict[str, Any]) -> Candidates:
    """Pairs of conversations; each row says what is not as usual."""
    usual = {"first": 0, "second": 1, "crossed": False, "votes": 5, "share": 1.0, "gap_ns": 1000.0, "certain": False,
             "numbered": False, "routed": True, "kept_ends": 1, "kept_ports": 2, "change": 0}  # fmt: skip
    told = [{**usual, **row} for row in rows]
    return Candidates(**{name: np.array([row[name] for row in told]) for name in usual})


@pytest.mark.parametrize(
    ("row", "plausible", "sure"),
    [
        ({}, True, False),
        ({"kept_ends": 0}, False, False),
        ({"kept_ends": 2}, False, False),
        ({"routed": False}, False, False),
        ({"gap_ns": 10.0 * MS}, True, False),
        ({"gap_ns": 10.0 * MS + 1}, False, False),
        ({"gap_ns": 1.0 * S, "numbered": True, "share": 0.5}, True, False),
        ({"gap_ns": 1.0 * S, "numbered": True, "share": 0.49}, False, False),
        ({"numbered": True, "share": 0.9}, True, True),
        ({"numbered": True, "share": 0.89}, True, False),
        ({"numbered": True, "share": 0.9, "gap_ns": 10.0 * MS}, True, True),
        ({"numbered": True, "share": 0.9, "gap_ns": 10.0 * MS + 1}, True, False),
        ({"certain": True, "kept_ends": 0, "routed": False, "gap_ns": 1.0 * S}, True, True),
        ({"votes": STATED, "kept_ends": 0, "routed": False, "gap_ns": 1.0 * S}, True, True),
        ({"votes": STATED - 1, "kept_ends": 0}, False, False),
    ],
)
def test_which_pairs_may_stand(row: dict[str, Any], plausible: bool, sure: bool) -> None:
    """One end is left alone, the host routed it, and quickly; numbers and entries are proofs of their own."""
    found = _candidates(row)

    assert (found.plausible.tolist(), found.sure.tolist()) == ([plausible], [sure])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"votes": STATED}, {"certain": True}),
        ({"certain": True}, {"numbered": True}),
        ({"numbered": True, "share": 0.1}, {"share": 1.0}),
        ({"share": 0.9, "kept_ends": 0}, {"share": 0.6, "kept_ends": 1}),
        ({"kept_ends": 1, "routed": False}, {"kept_ends": 0}),
        ({"routed": True, "gap_ns": 9e9}, {"routed": False}),
        ({"gap_ns": 1000.0, "kept_ports": 0}, {"gap_ns": 9000.0, "kept_ports": 2}),
        ({"gap_ns": 1500.0, "kept_ports": 2}, {"gap_ns": 1000.0, "kept_ports": 1}),
        ({"gap_ns": 1000.0, "second": 9}, {"gap_ns": 1001.0}),
        ({"first": 0, "second": 9}, {"first": 1, "second": 2}),
        ({"second": 1}, {"second": 2}),
        ({"share": 5.0, "kept_ends": 1}, {"share": 9.0, "kept_ends": 0}),
        ({"share": 0.9, "kept_ends": 1}, {"share": 1.0, "kept_ends": 0}),
        ({"gap_ns": 10.0, "kept_ports": 2}, {"gap_ns": 1.0, "kept_ports": 1}),
    ],
)
def test_the_more_convincing_pair_comes_first(better: dict[str, Any], worse: dict[str, Any]) -> None:
    """Proofs, the share that was explained, the ends that are left, the time; the same every time."""
    assert _candidates(worse, better).best_first().tolist() == [1, 0]
    assert _candidates(better, worse).best_first().tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rival", "told"),
    [
        ({"second": 2}, [2]),
        ({"first": 1, "second": 2}, [2]),
        ({"first": 2, "second": 3}, []),
        ({"second": 2, "kept_ports": 1}, []),
        ({"second": 2, "share": 0.8}, [2]),
        ({"second": 2, "share": 0.79}, []),
        ({"second": 2, "gap_ns": 5000.0}, [2]),
        ({"second": 2, "gap_ns": 5001.0}, []),
        ({"second": 2, "kept_ends": 0}, []),
        ({"second": 2, "certain": True}, []),
    ],
)
def test_rivals_would_take_the_place_of_one_of_them(rival: dict[str, Any], told: list[int]) -> None:
    """If they are as convincing: as many ports, nearly the share, about the time."""
    assert _candidates({}, rival).rivals(0) == told


def test_what_is_sure_has_no_rivals() -> None:
    """And no more than sixteen are told."""
    many = [{"second": n} for n in range(2, 30)]

    assert _candidates({"certain": True}, *many).rivals(0) == []
    assert _candidates({}, *many).rivals(0) == list(range(2, 18))


class _Sides:
    """Joins what it was told to."""

    def __init__(self, *pairs: tuple[int, int, bool]) -> None:
        self._pairs = pairs

    def join(self, first: int, second: int, crossed: bool) -> bool:
        """Tell whether the pair is one of them."""
        return (first, second, crossed) in self._pairs


def test_entries_support_their_pairs() -> None:
    """With more votes than frames could give."""
    found = _candidates({}, {"second": 2}, {"second": 3, "crossed": True})
    found.support(cast(StatedSides, _Sides((0, 2, False), (0, 3, True), (0, 1, True))))

    assert found.votes.tolist() == [5, 5 + STATED, 5 + STATED]


OUT = {"src": "192.168.1.100", "sport": 5000, "ttl": 63, "point": 1, "eth_src": 7, "eth_dst": 8}
TELLING = {"layers": UDP, "proto": 17, "ip_id": 9}
SEGMENT = {"layers": TCP, "proto": 6, "ip_id": 0}


def _collected(*frames: Frame, keep: int = 200) -> Candidates:
    """Let frames vote: ``identity`` tells which are equal, ``time_ns`` is 1000 more for each unless told."""
    usual = {"layers": UDP, "proto": 17, "src": "172.17.0.2", "sport": 4000, "dst": "8.8.8.8", "dport": 53, "ttl": 64}
    told = [{**usual, "time_ns": 1000 * number, **frame} for number, frame in enumerate(frames)]
    identity = np.array([frame.pop("identity", 1) for frame in told], np.int64)
    columns = table(FRAMES, told)
    whole = Range(columns, flows(columns), identity, np.arange(4))
    talks, seen = whole.converse(find_cuts([whole.flow_times()]))
    return weigh(cast_votes(whole.share(np.arange(seen.count), {}, {}), seen), talks, seen, keep)


def _pair(found: Candidates) -> dict[str, Any]:
    assert len(found.first) == 1
    return {name: getattr(found, name).tolist()[0] for name in found.__dataclass_fields__}


def test_two_sightings_vote_for_a_pair() -> None:
    """All that a pair is judged by."""
    found = _pair(_collected(TELLING, TELLING | OUT, TELLING | {"identity": 2, "time_ns": 5000},
                             TELLING | OUT | {"identity": 2, "time_ns": 5400}))  # fmt: skip

    assert found == {
        "first": 0, "second": 1, "crossed": found["crossed"], "votes": 2, "share": 1.0, "gap_ns": 400.0,
        "certain": False, "numbered": True, "routed": True, "kept_ends": 1, "kept_ports": 1,
        "change": found["change"],
    }  # fmt: skip
    assert found["change"] in (0, 1)


@pytest.mark.parametrize(
    ("after", "votes"),
    [
        (OUT, True),
        (OUT | {"time_ns": 3_500 * MS}, True),
        (OUT | {"time_ns": 3_500 * MS + 1}, False),
        (OUT | {"ttl": 64}, True),
        (OUT | {"ttl": 65}, False),
        (OUT | {"ttl": 65, "time_ns": 0}, True),
        (OUT | {"identity": 2}, False),
        (OUT | {"point": 0}, False),
        (OUT | {"ttl": 64, "eth_src": 0, "eth_dst": 0}, False),
        (OUT | {"ttl": 64, "eth_src": 0}, True),
        (OUT | {"ttl": 64, "eth_dst": 0}, True),
        ({"dst": "172.17.0.3", "dport": 80, "point": 1}, True),
        ({"dst": "172.17.0.3", "dport": 80, "sport": 1, "point": 1}, False),
        ({"dst": "172.17.0.3", "dport": 80, "src": "9.9.9.9", "point": 1}, False),
        ({"point": 1, "ttl": 63}, False),
    ],
)
def test_what_may_be_a_packet_before_and_after(after: Frame, votes: bool) -> None:
    """In time, not of a higher TTL later, at another point, and moved on; a bridge shows a new destination only."""
    assert bool(len(_collected({}, after).first)) == votes


@pytest.mark.parametrize(
    ("kind", "change", "votes"),
    [
        (SEGMENT, {"point": 0}, True),
        (TELLING, {"point": 0}, True),
        (SEGMENT, {"ttl": 65}, True),
        (TELLING, {"ttl": 65}, False),
    ],
)
def test_numbers_tell_more(kind: Frame, change: Frame, votes: bool) -> None:
    """Of a hairpin at one point, and of times that are wrong."""
    assert bool(len(_collected(kind, kind | OUT | change).first)) == votes


@pytest.mark.parametrize(
    ("kind", "between", "votes"),
    [({}, 0, True), ({}, 3, True), ({}, 4, False), (SEGMENT, 0, True), (SEGMENT, 1, False)],
)
def test_how_far_apart_votes_may_be(kind: Frame, between: int, votes: bool) -> None:
    """Four places, where several conversations have equal frames; of TCP, next to each other."""
    others = [{"sport": 1, "src": "1.1.1.1", "dst": "2.2.2.2", "point": 2, "time_ns": 10 + n} for n in range(between)]
    found = _collected(kind, *(kind | one for one in others), kind | OUT | {"time_ns": 99})
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))

    assert ((0, 2 if between else 1) in pairs) == votes


def test_a_sighting_votes_once() -> None:
    """For a pair, with the closest on the other side."""
    found = _pair(_collected({}, {"time_ns": 500}, OUT | {"time_ns": 900}))
    other = _pair(_collected({}, OUT | {"time_ns": 300}, OUT | {"time_ns": 900}))

    assert (found["votes"], found["gap_ns"]) == (1, 400.0)
    assert (other["votes"], other["gap_ns"]) == (1, 300.0)


@pytest.mark.parametrize(
    ("keep", "six", "certain"), [(40, False, True), (39, False, False), (60, True, True), (59, True, False)]
)
def test_numbers_that_a_point_cut_off_prove_nothing(keep: int, six: bool, certain: bool) -> None:
    """TCP's whole header has to be there."""
    ends = {"src": "fd00::2", "dst": "fd00::9", "layers": TCP & ~Layer.IPV4 | Layer.IPV6} if six else {}
    frames = SEGMENT | ends, SEGMENT | ends | OUT | ({"src": "fd00::8"} if six else {})

    assert _pair(_collected(*frames, keep=keep))["certain"] == certain


@pytest.mark.parametrize(
    ("after", "kept", "ports"),
    [
        (OUT, 1, 1),
        (OUT | {"sport": 4000}, 1, 2),
        (OUT | {"dport": 54}, 0, 0),
        (OUT | {"dport": 54, "sport": 4000}, 0, 1),
        (OUT | {"dst": "9.9.9.9", "sport": 4000}, 0, 2),
        (OUT | {"src": "172.17.0.2", "dst": "9.9.9.9", "sport": 4000}, 1, 2),
    ],
)
def test_which_ends_are_left_alone(after: Frame, kept: int, ports: int) -> None:
    """Address and port together are an end."""
    found = _pair(_collected({}, after))

    assert (found["kept_ends"], found["kept_ports"]) == (kept, ports)


@pytest.mark.parametrize(
    ("frames", "routed"),
    [
        ([{}, OUT], True),
        ([{}, OUT | {"ttl": 64}], False),
        ([{}, OUT, {"identity": 2}, OUT | {"identity": 2, "ttl": 64}], False),
        ([{}, OUT, {"identity": 2}, OUT | {"identity": 2}, {"identity": 3}, OUT | {"identity": 3, "ttl": 64}], True),
    ],
)
def test_most_votes_say_whether_it_was_routed(frames: list[Frame], routed: bool) -> None:
    """Half of them are not enough."""
    assert _pair(_collected(*frames))["routed"] == routed


def test_all_votes_have_to_be_numbered() -> None:
    """One IP id may repeat by chance."""
    frames = [TELLING, TELLING | OUT, {"identity": 2}, OUT | {"identity": 2}]

    assert not _pair(_collected(*frames))["numbered"]
    assert _pair(_collected(*frames[:2]))["numbered"]


def test_the_usual_time_is_the_middle_one() -> None:
    """Of an even number the lower one."""
    frames: list[Frame] = []
    for number, gap in enumerate((10, 700, 40, 90)):
        begin = 9000 * number
        frames += [{"identity": number, "time_ns": begin}, OUT | {"identity": number, "time_ns": begin + gap}]

    assert _pair(_collected(*frames))["gap_ns"] == 40.0


@pytest.mark.parametrize(
    ("inside", "outside", "share"), [(0, 0, 1.0), (3, 0, 1.0), (0, 3, 1.0), (3, 3, 0.25), (4, 3, 0.25)]
)
def test_a_share_is_of_the_smaller_conversation(inside: int, outside: int, share: float) -> None:
    """One packet was seen in both; the others only on one side."""
    others: list[Frame] = [{"identity": 10 + n, "time_ns": 10**6 + n} for n in range(inside)]
    others += [OUT | {"identity": 50 + n, "time_ns": 10**6 + n} for n in range(outside)]

    assert _pair(_collected({}, OUT, *others))["share"] == share


def test_a_share_is_of_one_points_frames() -> None:
    """The one that has most of them: others show the same packets."""
    again = [{"identity": 9, "time_ns": 10**6 + n, "point": 2 * n} for n in range(2)]

    assert _pair(_collected({}, OUT, *again, OUT | {"identity": 8}))["share"] == 0.5


def test_without_votes_there_are_no_candidates() -> None:
    """Every column is empty."""
    found = _collected({}, {"sport": 1, "identity": 2})

    assert [len(getattr(found, name)) for name in found.__dataclass_fields__] == [0] * 12
