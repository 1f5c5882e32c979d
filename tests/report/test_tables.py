"""Tables of the terminal: points, losses and connections, wide and narrow."""

import io
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from rich.console import Console

from analyzer.model import Basis, Clock, Connection, Disposition, FlowTuple, NatChange, NatKind, Piece, Point, Role
from analyzer.model.loss import ConnectionLoss, Loss
from analyzer.report.terminal.console import NARROW, THEME
from analyzer.report.terminal.tables import (
    MOST_POINTS,
    print_connection,
    print_connections,
    print_losses,
    print_points,
)

MS = 1_000_000
WIDE, SLIM = 200, NARROW - 1
POINT = Point(0, "veth-c1", "x.pcap", "veth-c1", Role.VETH, Basis.STATED, 1, frames=1_234, first_ns=5 * MS,
              last_ns=7 * MS)  # fmt: skip
WAY = FlowTuple("tcp", ip_address("172.17.0.2"), ip_address("8.8.8.8"), 4000, 53)
MASKED = NatChange(NatKind.SNAT, "172.17.0.2", "192.168.1.100", Basis.STATED, "-j MASQUERADE", 3)
ONE = Connection(4, "tcp", WAY, WAY.reversed(), (MASKED,), Basis.STATED, 0, 1, 9, 1_000)
MOST = tuple(ConnectionLoss(number, 1) for number in range(3))
LOSS = Loss("docker0", "wlan0", Disposition.LOST, 3, 1, 3, MOST, "the-check")


def _lines(show: Callable[[Console], None], width: int = WIDE) -> list[str]:
    out = Console(file=io.StringIO(), width=width, color_system=None, theme=THEME, highlight=False, markup=False,
                  emoji=False, soft_wrap=True)  # fmt: skip
    show(out)
    assert isinstance(out.file, io.StringIO)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def _points(*points: Point) -> list[str]:
    return _lines(lambda out: print_points(out, list(points)))


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"dropped": 0, "uncounted": False}, ""),
        ({"dropped": 2, "uncounted": True}, "2 dropped, no closing counts"),
        ({"unseen": "ARP", "ended": "vanished"}, "not ARP, ended: vanished"),
        ({"pieces": (Piece("a", 1), Piece("b", 1))}, "2 files"),
        ({"host": "h2"}, "host h2"),
        ({"host": "h2", "clock": Clock(-3 * MS, 0, 4_000)}, "host h2, its clock 3.00 ms behind (± 4.00 µs)"),
        ({"host": "h2", "clock": Clock(3 * MS, -1_500, None)}, "host h2, its clock 3.00 ms ahead (at least, -1.5 ppm)"),
        ({"host": "h2", "clock": Clock(0, 0, 9, rough=True)}, "host h2, its clock 0 ns ahead (roughly)"),
    ],
)  # fmt: skip
def test_a_point_has_notes_of_what_weakens_it(changed: dict[str, Any], note: str) -> None:
    """Drops, an early end, files, and a clock with all that is known of it; none where nothing is to be said."""
    assert _points(replace(POINT, **changed))[1].partition("+2.00 ms")[2].strip() == note


def test_times_of_points_count_from_the_first_of_all() -> None:
    """A point without frames has none; a role that is only inferred is marked."""
    late = replace(POINT, name="docker0", role=Role.BRIDGE, role_basis=Basis.INFERRED, first_ns=6 * MS)
    silent = replace(POINT, name="lo", role=Role.LOOPBACK, frames=0, first_ns=None, last_ns=None)
    rows = [line.split() for line in _points(POINT, late, silent)[1:]]

    assert rows == [
        ["veth-c1", "veth", "1,234", "+0", "ns", "+2.00", "ms"],
        ["docker0", "bridge?", "1,234", "+1.00", "ms", "+2.00", "ms"],
        ["lo", "loopback", "0", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("cuts", "note"),
    [
        ((96, 96), ["every frame is cut at 96 bytes"]),
        ((96, 128), ["cut at 96 bytes", "cut at 128 bytes"]),
        ((96, None), ["cut at 96 bytes"]),
        ((None, None), []),
    ],
)
def test_a_cut_that_all_points_share_is_told_once(cuts: tuple[int | None, ...], note: list[str]) -> None:
    """Else each point has its own."""
    lines = _points(*(replace(POINT, snap_len=cut) for cut in cuts))

    assert [line[line.index("every" if "every" in line else "cut") :] for line in lines if "cut" in line] == note


def test_a_list_of_points_ends_somewhere() -> None:
    """The rest is counted."""
    lines = _points(*[POINT] * (MOST_POINTS + 2))

    assert len(lines) == 1 + MOST_POINTS + 1
    assert lines[-1] == "… 2 more"


@pytest.mark.parametrize(
    ("changed", "row", "line"),
    [
        ({}, "docker0 wlan0 lost 3 1 C0, C1, C2 the-check",
         "3 packets of C0, C1, C2 lost, last seen at docker0, not at wlan0, 1 sent again: the-check"),
        ({"next_point": None, "sent_again": 0, "cause": None}, "docker0 - lost 3 0 C0, C1, C2 -",
         "3 packets of C0, C1, C2 lost, last seen at docker0"),
        ({"last_point": None, "packets": 1}, "(outside) wlan0 lost 1 1 C0, C1, C2 the-check",
         "1 packet of C0, C1, C2 lost, last seen at (outside), not at wlan0, 1 sent again: the-check"),
        ({"next_point": None, "disposition": Disposition.LEFT_HOST},
         "docker0 (outside) left-host 3 1 C0, C1, C2 the-check",
         "3 packets of C0, C1, C2 left-host, last seen at docker0, 1 sent again: the-check"),
    ],
)  # fmt: skip
def test_a_loss_says_where_it_was_seen_last_and_where_not(changed: dict[str, Any], row: str, line: str) -> None:
    """As a row where a table has room, else as a line."""
    losses = [replace(LOSS, **changed)]
    wide, slim = (_lines(lambda out: print_losses(out, losses), width) for width in (NARROW, SLIM))

    assert " ".join(wide[-1].split()) == row
    assert slim[1:] == [f"  {line}"]


def test_a_loss_of_many_connections_names_the_first_of_them() -> None:
    """That there are more is marked."""
    many = replace(LOSS, connections=4, most=(*MOST, ConnectionLoss(9, 1)))

    assert "C0, C1, C2 …  " in _lines(lambda out: print_losses(out, [many]))[-1]


def test_a_connection_is_a_row_or_two_lines() -> None:
    """With its translation and what its basis is; what nobody translates says so."""
    plain = replace(ONE, id=5, nat=(), packets=1, basis=Basis.INFERRED)
    wide, slim = (_lines(lambda out: print_connections(out, [ONE, plain], 9), width) for width in (NARROW + 60, SLIM))

    assert [" ".join(line.split()) for line in wide[1:]] == [
        (
            "C4 tcp 172.17.0.2:4000 → 8.8.8.8:53 8.8.8.8:53 → 172.17.0.2:4000 "
            "MASQUERADE 172.17.0.2 → 192.168.1.100 1,000 stated"
        ),
        "C5 tcp 172.17.0.2:4000 → 8.8.8.8:53 8.8.8.8:53 → 172.17.0.2:4000 none 1 inferred",
        "… 7 more",
    ]
    assert slim == [
        "C4  tcp  172.17.0.2:4000 → 8.8.8.8:53  1,000 packets", "    MASQUERADE 172.17.0.2 → 192.168.1.100 (stated)",
        "C5  tcp  172.17.0.2:4000 → 8.8.8.8:53  1 packet", "    not translated (inferred)", "… 7 more",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ambiguous": True}, "(stated, ambiguous)"),
        ({"ambiguous": True, "candidates": (1, 2)}, "(stated, ambiguous with C1, C2)"),
        ({"nat": (replace(MASKED, rule="-j SNAT"),)}, "    SNAT 172.17.0.2 → 192.168.1.100 (stated)"),
        ({"nat": (), "relayed_to": 0, "relayed_from": 7}, "    relayed to C0; relayed from C7 (stated)"),
    ],
)
def test_a_connection_says_what_is_in_doubt_and_who_relays(changed: dict[str, Any], told: str) -> None:
    """Connection 0 is one like all others; there is no more to count where all are shown."""
    lines = _lines(lambda out: print_connections(out, [replace(ONE, **changed)], 1), SLIM)

    assert len(lines) == 2
    assert lines[1].endswith(told)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ["SNAT by rule: -j MASQUERADE  (counted 3 connections)"]),
        ({"nat": (replace(MASKED, rule_packets_before=1_000),)},
         ["SNAT by rule: -j MASQUERADE  (counted 1,000 → 3 connections)"]),
        ({"nat": (replace(MASKED, rule_packets=None),)}, ["SNAT by rule: -j MASQUERADE"]),
        ({"nat": (replace(MASKED, rule=None),), "published": "80 of web\x1b"}, [r"published port: 80 of web\x1b"]),
        ({"nat": (), "conntrack_id": 7}, ["conntrack entry id=7"]),
        ({"nat": (), "conntrack_id": 7, "conntrack_state": "ESTABLISHED", "conntrack_timeout_s": 0},
         ["conntrack entry id=7, ESTABLISHED, 0 s left"]),
    ],
)  # fmt: skip
def test_one_connection_alone_is_told_with_its_rule_and_its_entry(changed: dict[str, Any], told: list[str]) -> None:
    """Each in a line, where it is known; counted before and after the captures."""
    assert _lines(lambda out: print_connection(out, replace(ONE, **changed)))[3:] == told
