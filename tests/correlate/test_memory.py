"""What one slice of time knows from those before: numbers, completeness, and what the next one sees again."""

from typing import Any

import numpy as np
import pytest

from analyzer.correlate.memory import CLOSED_NS, Memory, Recognised, to_see_again
from analyzer.model import Role
from analyzer.schema import CONNECTIONS, KNOWN, Layer
from analyzer.trace.context import Context
from tests.trace.tables import ARP, TCP, UDP, Frame, Packet, at, connection, context, packet, seen, table

S = 1_000_000_000
POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK))
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 53)
FIN, SYN, RST, ACK = 1, 2, 4, 16


def _row(**columns: Any) -> Frame:
    return connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]), **{"seen_reply": False, **columns})


def _slice(*packets: Packet, rows: tuple[Frame, ...] = (_row(), _row())) -> Context:
    return context(POINTS, packets, connections=rows)


def _sent(time_ns: int, *points: int, number: int = -1, reply: bool = False, **columns: Any) -> Packet:
    frames = (seen(point, time_ns + n, **columns) for n, point in enumerate(points or (0,)))
    return packet(*frames, connection=number, reply=reply)


def _recognised(
    here: Context, memory: Memory, until_ns: int, known: list[Frame] | None = None
) -> tuple[Recognised, Any]:
    """Recognise a slice; *known* is by row of FRAMES, nothing if nobody says."""
    count = len(here.frames["frame"])
    told = table(KNOWN, [{"packet": -1, "connection": -1, **one} for one in (known or [{}] * count)])
    found = memory.recognise(here.frames, told, here.hops, here.connections, until_ns)
    return found, told


def test_a_first_slice_numbers_what_is_complete() -> None:
    """Packets first seen before its end; the others are expected to come next, and come again."""
    memory = Memory()
    found, known = _recognised(_slice(_sent(10, 0, 1), _sent(20), _sent(30), _sent(40)), memory, 30)

    assert (found.packet.tolist(), found.fresh.tolist()) == ([0, 1, 2, 3], [True, True, False, False])
    assert (found.start.tolist(), found.first_ns.tolist()) == ([0, 2, 3, 4, 5], [10, 20, 30, 40])
    assert known["packet"].tolist() == [0, 1, -1, -1, 0]
    assert memory.packets == 2


def test_the_next_slice_goes_on() -> None:
    """What is known keeps its number, and is not told again."""
    memory = Memory()
    _recognised(_slice(_sent(10), _sent(20)), memory, 30)
    found, known = _recognised(_slice(_sent(10), _sent(40), _sent(50)), memory, 45, [{"packet": 0}, {}, {}])

    assert (found.packet.tolist(), found.fresh.tolist()) == ([0, 2, 3], [False, True, False])
    assert known["packet"].tolist() == [0, 2, -1]
    assert memory.packets == 3


def test_nothing_in_a_slice() -> None:
    """Nothing is recognised."""
    memory = Memory()
    found, _ = _recognised(_slice(rows=()), memory, 30)

    assert (found.start.tolist(), found.packet.tolist(), found.connection.tolist()) == ([0], [], [])
    assert (found.fresh.tolist(), found.first_ns.tolist(), memory.packets) == ([], [], 0)


def test_frames_that_come_too_late_are_a_packet_of_their_own() -> None:
    """Their packet was told without them; hops are counted anew, and packets are in order of time."""
    memory = Memory()
    _recognised(_slice(_sent(10)), memory, 15)
    here = _slice(packet(seen(0, 10), seen(1, 30), seen(2, 31)), _sent(20))
    found, known = _recognised(here, memory, 99, [{"packet": 0}, {}, {}, {}])

    assert here.hops["packet"].tolist() == [0, 1, 2, 2]
    assert here.hops["hop"].tolist() == [0, 0, 0, 1]
    assert here.frames["time_ns"][here.hops["row"]].tolist() == [10, 20, 30, 31]
    assert (found.packet.tolist(), found.fresh.tolist()) == ([0, 1, 2], [False, True, True])
    assert memory.packets == 3
    assert sorted(known["packet"].tolist()) == [0, 1, 2, 2]


def test_a_fragmented_hop_stays_one_hop() -> None:
    """Also of what comes late."""
    memory = Memory()
    _recognised(_slice(_sent(10)), memory, 15)
    here = _slice(packet(seen(0, 10), [seen(1, 30), seen(1, 31)], seen(2, 32)))
    _recognised(here, memory, 99, [{"packet": 0}, {}, {}, {}])

    assert (here.hops["packet"].tolist(), here.hops["hop"].tolist()) == ([0, 1, 1, 1], [0, 0, 0, 1])


def test_connections_are_numbered_as_their_packets_complete() -> None:
    """In order of their first complete packets; those that are not complete have a number to come."""
    memory = Memory()
    here = _slice(_sent(10, number=1), _sent(20, number=0), _sent(40, number=2), rows=(_row(), _row(), _row()))
    found, known = _recognised(here, memory, 30)

    assert found.connection.tolist() == [1, 0, 2]
    assert known["connection"].tolist() == [0, 1, -1]
    assert memory.connections == 2


def test_a_connection_is_remembered_by_any_of_its_frames() -> None:
    """And by the lowest number where they say several."""
    memory = Memory()
    _recognised(_slice(_sent(10, number=0), _sent(11, number=1), _sent(12, number=2), rows=(_row(),) * 3), memory, 30)
    here = _slice(_sent(12, number=1), _sent(40, number=0), _sent(41, number=1), _sent(42, number=1))
    known = [{"packet": 2, "connection": 2}, {}, {"packet": 7, "connection": 1}, {}]
    found, told = _recognised(here, memory, 99, known)

    assert found.connection.tolist() == [3, 1]
    assert told["connection"].tolist() == [1, 3, 1, 1]
    assert memory.connections == 4


def test_frames_outside_a_connection_say_nothing() -> None:
    """ARP's have none, whatever an earlier slice made of them."""
    memory = Memory()
    _recognised(_slice(_sent(10, number=0)), memory, 30)
    found, told = _recognised(_slice(_sent(40), _sent(50, number=0)), memory, 99, [{"connection": 0}, {}])

    assert found.connection.tolist()[0] == 1
    assert told["connection"].tolist() == [-1, 1]


def test_what_is_counted_of_connections() -> None:
    """Packets and frames that are told, once over all slices; first and last time."""
    memory = Memory()
    first = _slice(_sent(10, 0, 1, number=0), _sent(20, number=0), _sent(40, number=0), rows=(_row(),))
    _recognised(first, memory, 30)
    again = _slice(_sent(20, number=0), _sent(40, 0, 1, 2, number=0), _sent(5), rows=(_row(),))
    _recognised(again, memory, 99, [{}, {"packet": 1, "connection": 0}, {}, {}, {}])
    counted = {name: memory.table[name].tolist() for name in ("packets", "frames", "first_ns", "last_ns")}

    assert counted == {"packets": [3], "frames": [6], "first_ns": [10], "last_ns": [42]}


def test_what_later_slices_tell_of_a_connection() -> None:
    """The newest tuple; what was seen once stays so; an entry and a relay stay until another is told."""
    memory = Memory()
    told = {"seen_reply": True, "ambiguous": True, "stated": 5, "relayed_to": 1, "relayed_from": 0}
    _recognised(_slice(_sent(10, number=0), _sent(11, number=1), rows=(_row(**told), _row())), memory, 30)
    later = _row(orig_sport=7, reply_dport=8)
    _recognised(_slice(_sent(40, number=0), rows=(later,)), memory, 99, [{"connection": 0}])
    row = {name: int(column[0]) for name, column in memory.table.items()}

    assert (row["orig_sport"], row["reply_dport"], row["version"], row["proto"]) == (7, 8, 4, 17)
    assert (row["seen_reply"], row["ambiguous"], row["stated"]) == (1, 1, 5)
    assert (row["relayed_to"], row["relayed_from"]) == (1, 0)
    assert int(memory.table["relayed_to"][1]) == -1


def test_relays_are_told_by_their_numbers() -> None:
    """Not by their rows in one slice."""
    memory = Memory()
    _recognised(_slice(*(_sent(10 + n, number=n) for n in range(2))), memory, 30)
    here = _slice(_sent(40, number=0), _sent(41, number=1), rows=(_row(relayed_to=1), _row(relayed_from=0)))
    _recognised(here, memory, 99, [{"connection": 1}, {}])

    assert memory.table["relayed_to"].tolist() == [-1, 2, -1]
    assert memory.table["relayed_from"].tolist() == [-1, -1, 1]


def test_the_table_grows() -> None:
    """Beyond its first thousand rows, and keeps what it has."""
    memory = Memory()
    for begin in (0, 1500):
        packets = [_sent(begin + n, number=n) for n in range(1500)]
        _recognised(_slice(*packets, rows=tuple(_row(orig_sport=begin + n) for n in range(1500))), memory, 9999)

    assert memory.connections == 3000
    assert memory.table["orig_sport"].tolist() == list(range(3000))
    assert memory.table["first_ns"].tolist() == list(range(3000))


def test_an_empty_table_has_all_columns() -> None:
    """Before anything was seen."""
    CONNECTIONS.check(Memory().table)

    assert len(Memory().table["proto"]) == 0


def _again(*packets: Packet, since_ns: int, others_since_ns: int = 10**18) -> list[int]:
    """Return the times of the frames that the next slice needs."""
    here = _slice(*packets)
    start = here.packet_start
    first_ns = np.minimum.reduceat(here.frames["time_ns"][here.hops["row"]], start[:-1])
    found = Recognised(start, first_ns, np.arange(len(packets)), np.ones(len(packets), bool), np.arange(2))
    since = {"since_ns": since_ns, "others_since_ns": others_since_ns}
    needed = to_see_again(here.frames, here.neighbours, here.hops, found, **since)

    assert needed.tolist() == sorted(needed.tolist())
    return sorted(here.frames["time_ns"][needed].tolist())


PLAIN = UDP & ~Layer.MAC_SRC


@pytest.mark.parametrize(
    ("since", "others", "needed"),
    [
        (30, 35, [10, 30, 35, 40, 50]),
        (31, 35, [10, 35, 40, 50]),
        (30, 36, [10, 30, 40, 50]),
        (41, 25, [10, 25, 35, 50]),
    ],
)
def test_what_is_recent_is_needed(since: int, others: int, needed: list[int]) -> None:
    """By its first frame; what has no connection has a time of its own."""
    old = {"layers": PLAIN, "payload_len": 0}
    packets = [_sent(time, number=0 if time % 10 == 0 else -1, **old) for time in (10, 20, 25, 30, 35, 40, 50)]

    assert _again(*packets, since_ns=since, others_since_ns=others) == needed


def test_a_connection_is_seen_again_by_a_few_of_its_packets() -> None:
    """Of each direction the first, the first and last with bytes, what opens, what most points saw, the last."""
    empty = {"layers": TCP & ~Layer.MAC_SRC, "payload_len": 0, "tcp_flags": ACK}
    loaded = empty | {"payload_len": 5}
    packets = [
        _sent(10, number=0, **empty),
        _sent(20, number=0, **empty),
        _sent(30, number=0, **empty | {"tcp_flags": SYN}),
        _sent(40, number=0, **empty | {"tcp_flags": SYN}),
        _sent(50, number=0, **loaded),
        _sent(60, number=0, **loaded),
        _sent(70, 0, 1, number=0, **empty),
        _sent(80, 0, 1, number=0, **empty),
        _sent(90, number=0, **loaded),
        _sent(100, number=0, **empty),
        _sent(110, number=0, **empty),
        _sent(200, number=0, reply=True, **empty),
        _sent(210, number=0, reply=True, **empty),
        _sent(220, number=0, reply=True, **empty),
    ]

    assert _again(*packets, since_ns=10**9) == [10, 30, 50, 70, 71, 90, 110, 200, 220]


@pytest.mark.parametrize(
    ("columns", "both", "age_ns", "live"),
    [
        ({"layers": PLAIN}, False, 120 * S, True),
        ({"layers": PLAIN}, False, 120 * S + 1, False),
        ({"layers": TCP & ~Layer.MAC_SRC}, False, 10**15, True),
        ({"layers": TCP & ~Layer.MAC_SRC, "tcp_flags": RST}, False, CLOSED_NS, True),
        ({"layers": TCP & ~Layer.MAC_SRC, "tcp_flags": RST}, False, CLOSED_NS + 1, False),
        ({"layers": TCP & ~Layer.MAC_SRC, "tcp_flags": FIN}, False, CLOSED_NS + 1, True),
        ({"layers": TCP & ~Layer.MAC_SRC, "tcp_flags": FIN}, True, CLOSED_NS + 1, False),
        ({"layers": TCP & ~Layer.MAC_SRC, "tcp_flags": FIN}, True, CLOSED_NS, True),
    ],
)
def test_what_conntrack_would_have_forgotten_is_not_needed(
    columns: dict[str, int], both: bool, age_ns: int, live: bool
) -> None:
    """Datagrams after two minutes, segments when both sides have closed, or one has reset."""
    packets = [_sent(10**6 - 1, number=0, reply=True, **columns)] * both + [_sent(10**6, number=0, **columns)]

    assert bool(_again(*packets, since_ns=10**6 + age_ns)) == live


def test_each_macs_home_is_seen_again() -> None:
    """The first packet that several points saw, at each point where it comes in; not others."""
    old, gone = {"payload_len": 0}, 10**12
    packets = [
        _sent(10, **old),
        _sent(20, 0, 1, **old),
        _sent(30, 0, 1, **old),
        _sent(40, 1, 2, **old),
        _sent(50, 0, 1, eth_src=5, **old),
        _sent(60, 0, 1, layers=PLAIN, eth_src=6, **old),
    ]

    assert _again(*packets, since_ns=gone, others_since_ns=gone) == [20, 21, 40, 41, 50, 51]


def test_each_neighbours_message_is_seen_again() -> None:
    """First and last of its kind, at each point: who has an address may change."""
    layers, gone = ARP & ~Layer.MAC_SRC, 10**12
    answer = {"op": 2, "asked": "172.17.0.1", "mac": 7}
    packets = [_sent(10 * n, layers=layers, neighbour=answer) for n in range(1, 5)]
    changes: tuple[Frame, ...] = ({"op": 1}, {"asked": "172.17.0.2"}, {"mac": 8}, {"asked_hi": 1})
    packets += [_sent(100 + n, layers=layers, neighbour=answer | change) for n, change in enumerate(changes)]
    packets += [_sent(200, 1, layers=layers, neighbour=answer)]

    assert _again(*packets, since_ns=gone, others_since_ns=gone) == [10, 40, 100, 101, 102, 103, 200]
