"""Conntrack entries beside the frames: which connection each tells of, and where frames contradict it."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest

from analyzer.link.stated import SLACK_NS, Contradiction, End, Stated, StatedSides, apply_stated
from analyzer.schema import CONNECTIONS, FRAMES, Columns
from tests.packet.tables import ECHO, UDP, Frame, connection, table

INSIDE, SERVER, HOST = "172.17.0.2", "8.8.8.8", "192.168.1.100"


def _end(ip: str, port: int) -> End:
    return int(ip_address(ip)) >> 64, int(ip_address(ip)) & (1 << 64) - 1, port


def _entry(original: tuple[str, int, str, int], reply: tuple[str, int, str, int], **fields: Any) -> Stated:
    sides = ((_end(*side[:2]), _end(*side[2:])) for side in (original, reply))
    usual = Stated(ip_address(original[0]).version, 17, *sides)
    return replace(usual, **fields)


PLAIN = (INSIDE, 4000, SERVER, 53), (SERVER, 53, INSIDE, 4000)
HIDDEN = (INSIDE, 4000, SERVER, 53), (SERVER, 53, HOST, 4001)
BOTH_ENDS = (INSIDE, 4000, HOST, 8080), ("172.17.0.3", 80, "172.17.0.1", 4000)
HALF = BOTH_ENDS[0], ("172.17.0.3", 80, INSIDE, 4000)
"""DNAT and SNAT; and what is seen before the second one."""
OTHER = (INSIDE, 4000, SERVER, 53), (SERVER, 53, "10.0.0.9", 4000)


def _table(*both: tuple[Any, Any], **columns: Any) -> Columns:
    return table(CONNECTIONS, [connection(original=one, reply=two, **columns) for one, two in both])


def _replies(connections: Columns) -> list[tuple[int, int, int, int]]:
    names = ("src", "sport", "dst", "dport")
    return list(zip(*(connections[f"reply_{name}"].tolist() for name in names), strict=True))


@pytest.mark.parametrize(
    ("both", "entries", "stated", "contradictions"),
    [
        (PLAIN, [], -1, []),
        (PLAIN, [_entry(*PLAIN)], 0, []),
        (HIDDEN, [_entry(*HIDDEN)], 0, []),
        (HIDDEN, [_entry(*OTHER), _entry(*HIDDEN)], 1, []),
        (PLAIN, [_entry(*HIDDEN)], 0, []),
        (PLAIN, [_entry(*HIDDEN), _entry(*PLAIN)], 1, []),
        (HIDDEN, [_entry(*OTHER)], -1, [0]),
        (HALF, [_entry(*BOTH_ENDS)], 0, []),
        (HALF, [_entry(*OTHER), _entry(*BOTH_ENDS)], 1, []),
        (HIDDEN, [_entry(*PLAIN), _entry(*OTHER)], -1, [0]),
        (PLAIN, [_entry(*HIDDEN, proto=6)], -1, []),
        (PLAIN, [_entry((INSIDE, 4001, SERVER, 53), HIDDEN[1])], -1, []),
        (PLAIN, [_entry((INSIDE, 4000, SERVER, 54), HIDDEN[1])], -1, []),
        (PLAIN, [_entry((HOST, 4000, SERVER, 53), HIDDEN[1])], -1, []),
    ],
)
def test_which_entry_tells_of_a_connection(
    both: Any, entries: list[Stated], stated: int, contradictions: list[int]
) -> None:
    """One of the same original tuple: that which agrees, else the first, if the frames show no translation."""
    connections = _table((("1.1.1.1", 1, "2.2.2.2", 2), ("2.2.2.2", 2, "1.1.1.1", 1)), both)

    assert apply_stated(connections, entries) == [Contradiction(1, entry) for entry in contradictions]
    assert connections["stated"].tolist() == [-1, stated]


def test_what_frames_do_not_show_is_taken_over() -> None:
    """The entry's reply tuple, of that connection alone."""
    connections = _table(PLAIN, (("1.1.1.1", 1, "2.2.2.2", 2), ("2.2.2.2", 2, "1.1.1.1", 1)))
    other = _replies(connections)[1]
    apply_stated(connections, [_entry(*HIDDEN)])

    assert _replies(connections) == [(_end(SERVER, 0)[1], 53, _end(HOST, 0)[1], 4001), other]


def test_half_a_translation_is_completed() -> None:
    """Between DNAT and SNAT a bridge with br_netfilter shows neither tuple."""
    connections = _table(HALF)
    apply_stated(connections, [_entry(*BOTH_ENDS)])

    assert _replies(connections) == [(int(ip_address("172.17.0.3")), 80, int(ip_address("172.17.0.1")), 4000)]


def test_what_frames_show_stays() -> None:
    """Though an entry says something else."""
    connections = _table(HIDDEN)
    before = _replies(connections)
    apply_stated(connections, [_entry(*OTHER)])

    assert _replies(connections) == before


def test_ipv6_addresses_are_taken_over_whole() -> None:
    """Both halves, and not those of an entry of IPv4."""
    flow = ("fd00:1::2", 1, "fd00:2::3", 2)
    connections = _table((flow, (*flow[2:], *flow[:2])))
    apply_stated(connections, [_entry(flow, ("fd00:8::8", 5, "fd00:9::9", 6))])

    assert [connections[f"reply_{name}"][0] for name in ("src_hi", "src", "dst_hi", "dst")] == [
        0xFD00_0008_0000_0000, 8, 0xFD00_0009_0000_0000, 9,
    ]  # fmt: skip


@pytest.mark.parametrize("proto", [1, 58])
def test_a_pings_identifier_stands_for_both_ports(proto: int) -> None:
    """Tables have its type in the second port, which the entry does not change."""
    connections = _table(((INSIDE, 7, SERVER, 8 * 256), (SERVER, 7, INSIDE, 0)), proto=proto)
    entry = _entry((INSIDE, 7, SERVER, 7), (SERVER, 9, HOST, 9), proto=proto)

    assert apply_stated(connections, [entry]) == []
    assert connections["stated"].tolist() == [0]
    assert _replies(connections) == [(_end(SERVER, 0)[1], 9, _end(HOST, 0)[1], 0)]


BEGIN, END = 100 * SLACK_NS, 200 * SLACK_NS


@pytest.mark.parametrize(
    ("first_ns", "last_ns", "stated"),
    [
        (None, None, 0),
        (None, 5, 0),
        (5, None, 0),
        (BEGIN, END, 0),
        (END + SLACK_NS, END * 2, 0),
        (END + SLACK_NS + 1, END * 2, -1),
        (0, BEGIN - SLACK_NS, 0),
        (0, BEGIN - SLACK_NS - 1, -1),
    ],
)
def test_an_entry_of_another_time_is_another_connections(
    first_ns: int | None, last_ns: int | None, stated: int
) -> None:
    """Both writers' times may differ by a second."""
    connections = _table(PLAIN, first_ns=BEGIN, last_ns=END)
    apply_stated(connections, [_entry(*HIDDEN, first_ns=first_ns, last_ns=last_ns)])

    assert connections["stated"].tolist() == [stated]


TWICE = _entry((INSIDE, 4000, HOST, 8080), ("172.17.0.3", 80, "172.17.0.1", 5000))


def _sides(entries: list[Stated], *flows: tuple[str, int, str, int], backward: tuple[int, ...] = (),
           layers: int = UDP, proto: int = 17) -> StatedSides:  # fmt: skip
    """Conversations whose first frames have these ends; those in *backward* go from the second endpoint."""
    frames = []
    for src, sport, dst, dport in flows:
        ports: Frame = {"icmp_id": sport} if layers == ECHO else {"sport": sport, "dport": dport}
        frames.append({"layers": layers, "proto": proto, "src": src, "dst": dst, **ports})
    turned = np.array([number in backward for number in range(len(flows))])
    return StatedSides({**table(FRAMES, frames), "backward": turned}, entries)


BEFORE, BETWEEN, AFTER = (
    (INSIDE, 4000, HOST, 8080),
    (INSIDE, 4000, "172.17.0.3", 80),
    ("172.17.0.1", 5000, "172.17.0.3", 80),
)


@pytest.mark.parametrize(
    ("one", "two", "joined"),
    [
        (BEFORE, AFTER, True),
        (BEFORE, BETWEEN, True),
        (BETWEEN, AFTER, True),
        (AFTER, BEFORE, True),
        (BEFORE, BEFORE, False),
        (BEFORE, (INSIDE, 4001, "172.17.0.3", 80), False),
        (("1.1.1.1", 1, "2.2.2.2", 2), AFTER, False),
    ],
)
def test_sides_of_one_translation(one: tuple[str, int, str, int], two: tuple[str, int, str, int], joined: bool) -> None:
    """Before it, in between, and after it, in whatever order."""
    assert _sides([TWICE], one, two).join(0, 1, crossed=False) == joined
    assert not _sides([TWICE], one, two).join(0, 1, crossed=True)


@pytest.mark.parametrize(
    ("turned", "backward", "crossed"),
    [
        ((), (), False),
        ((), (1,), True),
        ((), (0,), True),
        ((), (0, 1), False),
        ((1,), (), True),
        ((1,), (1,), False),
        ((0, 1), (), False),
        ((0, 1), (0,), True),
    ],
)
def test_which_ends_are_on_the_same_side(turned: tuple[int, ...], backward: tuple[int, ...], crossed: bool) -> None:
    """By the conversations' own order of endpoints, whichever frame was seen first."""
    flows = [(*flow[2:], *flow[:2]) if number in turned else flow for number, flow in enumerate((BEFORE, AFTER))]
    sides = _sides([TWICE], *flows, backward=backward)

    assert sides.join(0, 1, crossed=crossed)
    assert not sides.join(0, 1, crossed=not crossed)


def test_without_entries_nothing_is_joined() -> None:
    """Nor by one that translates nothing."""
    assert not _sides([], BEFORE, AFTER).join(0, 1, crossed=False)
    assert not _sides([_entry(*PLAIN)], PLAIN[0], PLAIN[1]).join(0, 1, crossed=False)


def test_other_protocols_and_versions_are_other_sides() -> None:
    """The same numbers of TCP."""
    assert not _sides([TWICE], BEFORE, AFTER, proto=6).join(0, 1, crossed=False)
    assert _sides([replace(TWICE, proto=6)], BEFORE, AFTER, proto=6).join(0, 1, crossed=False)
    assert not _sides([replace(TWICE, version=6)], BEFORE, AFTER).join(0, 1, crossed=False)


def test_pings_are_joined_by_their_identifiers() -> None:
    """Which stand for both ports."""
    entry = _entry((INSIDE, 7, SERVER, 7), (SERVER, 9, HOST, 9), proto=1)
    flows = (INSIDE, 7, SERVER, 0), (HOST, 9, SERVER, 0)

    assert _sides([entry], *flows, layers=ECHO, proto=1).join(0, 1, crossed=False)
    assert not _sides([entry], flows[0], (HOST, 8, SERVER, 0), layers=ECHO, proto=1).join(0, 1, crossed=False)
