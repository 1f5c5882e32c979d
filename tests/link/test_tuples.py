"""Conversations: a silence that ends the kernel's conntrack entry ends them, too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import analyze
from analyzer.link.cuts import find_cuts, inherited
from analyzer.link.shares import Range
from analyzer.link.tuples import Conversations, count_seen, flows
from analyzer.schema import FRAMES, Layer
from tests.build import BRIDGE, C1, T0, Record, echo, ether, ipv4, udp, write_pcap
from tests.packet.tables import ARP, ECHO, ERROR, ETHERNET, TCP, UDP, Frame, table

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


def _flow(**columns: Any) -> tuple[int, int]:
    """Return a frame's conversation, 0 for none, and whether it goes from its second endpoint."""
    frame = {"layers": UDP, "proto": 17, "src": "10.0.0.1", "sport": 1, "dst": "10.0.0.2", "dport": 2, **columns}
    value = int(flows(table(FRAMES, [{}, frame]))[1])
    return value >> 1, value & 1


TURNED = {"src": "10.0.0.2", "sport": 2, "dst": "10.0.0.1", "dport": 1}
SIX = {"layers": UDP & ~Layer.IPV4 | Layer.IPV6, "src": "fd00:1::1", "dst": "fd00:2::2"}
PING = {"layers": ECHO, "proto": 1, "icmp_id": 7, "icmp_type": 8, "sport": 0, "dport": 0}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, TURNED),
        ({"layers": TCP, "proto": 6}, {"layers": TCP, "proto": 6, **TURNED}),
        (SIX, SIX | {"src": SIX["dst"], "sport": 2, "dst": SIX["src"], "dport": 1}),
        (PING, PING | {"src": "10.0.0.2", "dst": "10.0.0.1", "icmp_type": 0}),
        (
            {"layers": ETHERNET | Layer.IPV4, "proto": 47, "sport": 0, "dport": 0},
            {"layers": ETHERNET | Layer.IPV4, "proto": 47, **TURNED, "sport": 0, "dport": 0},
        ),
    ],
    ids=["udp", "tcp", "ipv6", "ping", "gre"],
)
def test_both_directions_are_one_conversation(one: dict[str, Any], other: dict[str, Any]) -> None:
    """They differ in nothing but the direction."""
    (flow, away), (back, turned) = _flow(**one), _flow(**other)

    assert flow == back != 0
    assert {away, turned} == {0, 1}


@pytest.mark.parametrize(
    "change",
    [
        {"src": "10.0.0.3"},
        {"dst": "10.0.0.3"},
        {"sport": 3},
        {"dport": 3},
        {"proto": 132},
        {"src_hi": 1},
        {"dst_hi": 1},
        {"layers": UDP & ~Layer.IPV4 | Layer.IPV6},
    ],
)
def test_another_end_is_another_conversation(change: dict[str, Any]) -> None:
    """Addresses, ports, protocol, version."""
    assert _flow(**change)[0] not in (0, _flow()[0])


@pytest.mark.parametrize("change", [{"ttl": 9}, {"ip_id": 9}, {"eth_src": 9}, {"icmp_id": 9}, {"point": 3}])
def test_all_else_is_the_same_conversation(change: dict[str, int]) -> None:
    """It is told by its ends."""
    assert _flow(**change) == _flow()


@pytest.mark.parametrize("kinds", [(8, 0), (128, 129)])
def test_of_a_ping_the_asker_is_the_first_endpoint(kinds: tuple[int, int]) -> None:
    """Whatever its address."""
    asks, answers = kinds
    for ends in ({}, {"src": "10.0.0.2", "dst": "10.0.0.1"}):
        assert [_flow(**PING | ends | {"icmp_type": kind})[1] for kind in (asks, answers)] == [0, 1]


def test_pings_are_told_by_their_identifiers() -> None:
    """Not by ports, which they have none of."""
    assert _flow(**PING)[0] != _flow(**PING | {"icmp_id": 8})[0]
    assert _flow(**PING)[0] == _flow(**PING | {"sport": 8, "dport": 9})[0]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({}, True),
        ({"layers": ETHERNET | Layer.IPV4}, False),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 6}, False),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 47}, True),
        ({"layers": SIX["layers"] & ~Layer.PORTS, "proto": 50}, True),
        ({"layers": ERROR, "proto": 1}, False),
        ({"layers": ARP, "proto": 0}, False),
        ({"layers": ETHERNET, "proto": 47}, False),
    ],
)
def test_frames_that_have_a_tuple(columns: dict[str, Any], found: bool) -> None:
    """Where the header was cut off, nobody knows the ports; other protocols have none."""
    assert (_flow(**columns)[0] != 0) == found


def _conversations(*frames: Frame) -> Conversations:
    """Find conversations of frames, one every 10 ns unless they tell."""
    usual = {"layers": UDP, "proto": 17, "src": "10.0.0.1", "sport": 1, "dst": "10.0.0.2", "dport": 2}
    rows = [{**usual, "time_ns": 10 * number, **frame} for number, frame in enumerate(frames)]
    columns = table(FRAMES, rows)
    whole = Range(columns, flows(columns), np.zeros(len(rows), np.int64), np.arange(4))
    for later, flow in inherited([whole.fragments()]):
        whole.flow[later] = flow
    whole.converse(find_cuts([whole.flow_times()]))
    return whole.conversations


PART = {"layers": UDP | Layer.FRAGMENT, "ip_id": 5}
LATER = {"layers": ETHERNET | Layer.IPV4 | Layer.FRAGMENT, "ip_id": 5, "frag_offset": 1480, "sport": 0, "dport": 0}
PART6, LATER6 = ({"src": "fd00::1", "dst": "fd00::2", **one, "layers": one["layers"] & ~Layer.IPV4 | Layer.IPV6}
                 for one in (PART, LATER))  # fmt: skip


@pytest.mark.parametrize(
    ("frames", "of"),
    [
        ([{}, TURNED, {"sport": 9}, {}], [0, 0, 1, 0]),
        ([{"layers": ARP, "proto": 0}, {}, {"layers": ERROR, "proto": 1}, {"sport": 9}], [-1, 0, -1, 1]),
        ([{}, {"layers": ARP, "proto": 0}, {"sport": 9}], [0, -1, 1]),
        ([PART, LATER], [0, 0]),
        ([LATER, PART], [0, 0]),
        ([PART, LATER | {"ip_id": 6}], [0, -1]),
        ([PART, LATER | {"src": "10.0.0.3"}], [0, -1]),
        ([PART, LATER | {"dst": "10.0.0.3"}], [0, -1]),
        ([PART, LATER | {"src_hi": 1}], [0, -1]),
        ([PART, LATER | {"dst_hi": 1}], [0, -1]),
        ([PART, LATER | {"proto": 6}], [0, -1]),
        ([PART, LATER | {"point": 1}], [0, -1]),
        ([PART, PART | {"sport": 9, "ip_id": 6}, LATER | {"ip_id": 6}, LATER], [0, 1, 1, 0]),
        ([PART | {"time_ns": 0}, LATER | {"time_ns": 30 * S}], [0, 0]),
        ([PART | {"time_ns": 0}, LATER | {"time_ns": 30 * S + 1}], [0, -1]),
        ([PART6 | {"time_ns": 0}, LATER6 | {"time_ns": 30 * S + 1}], [0, 1]),
        ([PART6 | {"time_ns": 0}, LATER6 | {"time_ns": 60 * S + 1}], [0, -1]),
        ([PART6 | {"time_ns": 0}, LATER6 | {"time_ns": 29 * S}], [0, 0]),
    ],
)
def test_frames_of_one_conversation(frames: list[Frame], of: list[int]) -> None:
    """In order of their first frames; later fragments have the ports of the first one at their point."""
    assert _conversations(*frames).of.tolist() == of


def _syn(seq: int, **columns: Any) -> Frame:
    return {"layers": TCP, "proto": 6, "tcp_flags": 2, "seq": seq, **columns}


@pytest.mark.parametrize(
    ("frames", "of"),
    [
        ([_syn(5), _syn(5), _syn(6)], [0, 0, 1]),
        ([_syn(5), _syn(7, tcp_flags=18, **TURNED), _syn(6, tcp_flags=16), _syn(9)], [0, 0, 0, 1]),
        ([_syn(5), _syn(6, **TURNED)], [0, 0]),
        ([_syn(5), _syn(6, **TURNED), _syn(8, **TURNED)], [0, 0, 1]),
        ([_syn(5), _syn(6, sport=9), _syn(5)], [0, 1, 0]),
        ([_syn(5), _syn(5, time_ns=10**15)], [0, 0]),
        ([_syn(5), _syn(6), _syn(7), _syn(7, tcp_flags=16)], [0, 1, 2, 2]),
        ([_syn(5), {}, _syn(6), {"sport": 3}], [0, 1, 2, 3]),
        ([_syn(5), {"layers": ARP, "proto": 0}, _syn(6)], [0, -1, 1]),
        ([{"time_ns": 0}, {"sport": 7, "time_ns": 1}, {"time_ns": 30 * S + 1}], [0, 1, 2]),
        ([{"time_ns": 0}, {"time_ns": 20 * S}, {"time_ns": 50 * S}], [0, 0, 0]),
        ([{"time_ns": 0}, TURNED | {"time_ns": 60 * S}, {"time_ns": 180 * S}], [0, 0, 0]),
        ([{"time_ns": 0}, TURNED | {"time_ns": 60 * S}, {"time_ns": 180 * S + 1}], [0, 0, 1]),
        ([TURNED | {"time_ns": 0}, TURNED | {"time_ns": 30 * S + 1}], [0, 1]),
    ],
)
def test_ports_that_are_used_again(frames: list[Frame], of: list[int]) -> None:
    """By a handshake with other numbers, in the same direction, or after a silence."""
    assert _conversations(*frames).of.tolist() == of


def test_an_example_shows_the_ports() -> None:
    """The first frame in time, but a later fragment only where there is no other."""
    found = _conversations(LATER, PART, {"sport": 9}, {"sport": 9}, TURNED | {"sport": 9, "dport": 9})
    first, second = _conversations({}), _conversations(TURNED)

    assert found.talks["example_ns"].tolist()[:2] == [10, 20]
    assert (found.count, len(found.talks["backward"])) == (3, 3)
    assert first.talks["backward"].tolist() != second.talks["backward"].tolist()
    assert first.backward.tolist() == first.talks["backward"].tolist()


def test_examples_after_a_cut() -> None:
    """Each part of a conversation has its own."""
    found = _conversations(_syn(5), _syn(5, tcp_flags=16), _syn(6), _syn(6, tcp_flags=16))

    assert found.talks["example_ns"].tolist() == [0, 20]


def test_where_conversations_were_seen() -> None:
    """By point and direction; and how many frames the point has that has most."""
    frames = [{}, {}, TURNED, {}, {"sport": 9}, {"layers": ARP, "proto": 0}]
    found = _conversations(*frames)
    seen = count_seen(found, np.array([0, 2, 2, 2, 1, 1]))
    turned = bool(found.backward[0])
    pairs = set(zip(seen.conversation.tolist(), seen.point.tolist(), (seen.backward ^ turned).tolist(), strict=True))

    assert {pair for pair in pairs if pair[0] == 0} == {(0, 0, False), (0, 2, False), (0, 2, True)}
    assert [pair[:2] for pair in pairs if pair[0] == 1] == [(1, 1)]
    assert seen.most.tolist() == [3, 1]
    assert sorted(seen.bits.tolist()) == [0, 2, 4, 5]
    assert seen.bits[int(turned)] == 5
    assert seen.bits[int(not turned)] == 4
