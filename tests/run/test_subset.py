"""Some packets by themselves: tables with their own numbers, and what these are among all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import Trace, analyze
from analyzer.packet.connections import Doubts
from analyzer.run.engine import Inline
from analyzer.run.subset import Common, context_of, rows_of, together, with_messages
from analyzer.schema import FRAMES, HOPS, Columns
from tests.lab.faults.cases import CASES

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
RESOLVER = next(case.path for case in CASES if case.name == "failing-resolver.user.mixed")


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Pings and TCP, behind a proxy."""
    return analyze([SAMPLES / "docker-proxy"], parts=3)


@pytest.fixture(scope="module")
def common(trace: Trace) -> Common:
    """What all parts have in common."""
    return Common(trace.correlated, trace.points, trace.hosts)


def _picked(trace: Trace, connections: list[int]) -> tuple[Columns, dict[str, Columns]]:
    table, sides = together([rows_of(part) for part in trace.correlated.parts])
    rows = np.flatnonzero(np.isin(table["connection"], connections))
    row = table["row"][rows]
    kept = {name: {column: values[np.isin(side["row"], row)] for column, values in side.items()}
            for name, side in sides.items()}  # fmt: skip
    return {name: column[rows] for name, column in table.items()}, kept


def test_all_parts_together_are_all_rows_in_order(trace: Trace) -> None:
    """With each frame as it was read, and its packet among all; what lies aside is in order of rows, too."""
    table, sides = together([rows_of(part) for part in trace.correlated.parts])
    whole = analyze([SAMPLES / "docker-proxy"])

    assert len(trace.correlated.parts) == 3
    assert table["row"].tolist() == list(range(len(whole.frames)))
    assert all(np.array_equal(table[name], whole.tables.frames[name]) for name in FRAMES.dtypes)
    for name in ("packet", "connection", "hop", "reply"):
        assert np.array_equal(table[name][whole.hops["row"]], whole.hops[name]), name
    assert sides["neighbours"]["row"].tolist() == whole.tables.side("neighbours")["row"].tolist()
    assert len(sides["neighbours"]["row"])


def test_a_context_has_its_own_numbers(trace: Trace, common: Common) -> None:
    """From 0 on, in the same order; what they are among all is told beside it."""
    wanted = [2, 5]
    context = context_of(common, *_picked(trace, wanted), np.array(wanted))
    hops, share = context.hops, context.share
    whole = analyze([SAMPLES / "docker-proxy"])
    theirs = whole.hops[whole.hops["connection"].isin(wanted)]

    assert share.numbers is not None
    assert share.rows is not None
    assert set(hops["connection"].tolist()) == {0, 1}
    assert context.connection_id(np.array([0, 1])).tolist() == wanted
    assert np.unique(hops["packet"]).tolist() == list(range(context.packets))
    assert share.numbers[hops["packet"]].tolist() == theirs["packet"].tolist()
    assert share.rows[hops["row"]].tolist() == theirs["row"].tolist()
    assert hops.keys() == HOPS.dtypes.keys()
    for name in ("time_ns", "point", "src"):
        assert context.frames[name][hops["row"]].tolist() == whole.frames[name][theirs["row"]].tolist()


def test_connections_that_are_not_there_are_none(trace: Trace, common: Common) -> None:
    """A proxy's other connection is named only where it is there as well, and a rival likewise."""
    relayed = common.correlated.connections["relayed_to"]
    first = int(np.flatnonzero(relayed >= 0)[0])
    second = int(relayed[first])
    third = next(number for number in range(len(relayed)) if number not in (first, second))
    rivals = {first: {second}, second: {third}, third: {first}}
    doubted = replace(common, correlated=replace(common.correlated, doubts=Doubts({first: {second}}, rivals)))
    alone = context_of(doubted, *_picked(trace, [first]), np.array([first]))
    both = context_of(doubted, *_picked(trace, [first, second]), np.array(sorted([first, second])))
    place = {number: own for own, number in enumerate(sorted([first, second]))}

    assert alone.connections["relayed_to"].tolist() == [-1]
    assert both.connections["relayed_to"][place[first]] == place[second]
    assert (alone.doubts.candidates, alone.doubts.maybe) == ({}, {})
    assert both.doubts.candidates == both.doubts.maybe == {place[first]: {place[second]}}


def test_packets_for_others_to_see_are_not_told_here(trace: Trace, common: Common) -> None:
    """Told by rows; without that, all packets are."""
    table, sides = _picked(trace, [2, 5])
    context = context_of(common, table, sides, np.array([2, 5]), mine=table["connection"] == 5)
    own = context.hops["connection"][context.packet_start[:-1]]

    assert context.mine.tolist() == (own == 1).tolist()
    assert context.mine.any()
    assert not context.mine.all()


def test_a_context_holds_nothing_twice(trace: Trace, common: Common) -> None:
    """What it is made from is let go of: of parts that are large, it would be a third as much again."""
    table, sides = together([rows_of(part) for part in trace.correlated.parts])
    context = context_of(common, table, sides, np.arange(len(common.correlated.connections["proto"])))

    assert context.packets == trace.packets
    assert [name for name in dict.keys(table) if name not in FRAMES.dtypes] == []


def test_captures_ran_until_the_last_of_them_ended(common: Common) -> None:
    """By a manifest or by frames; nothing is known of none."""
    points = [replace(common.points[0], last_ns=7, recorded_until_ns=None)]
    points.append(replace(common.points[0], last_ns=None, recorded_until_ns=9))

    assert [replace(common, points=some).end_ns for some in (points, points[:1], [])] == [9, 7, 0]


def test_packets_that_may_hold_messages_are_looked_at_alone() -> None:
    """Whole, with all their frames, from all parts; others are not there."""
    trace = analyze([RESOLVER], parts=3)
    context = with_messages(Common(trace.correlated, trace.points, trace.hosts), Inline())
    numbers = context.share.numbers
    assert numbers is not None
    ports = {number: {one for hop in trace.journey(number).hops for one in (hop.sport, hop.dport)}
             for number in range(trace.packets)}  # fmt: skip

    asked = {one.journey for one in trace.names} | {one.answer for one in trace.names}
    assert asked <= set(numbers.tolist())
    assert all(53 in ports[number] for number in numbers.tolist())
    assert len(context.hops["row"]) == int(trace.hops["packet"].isin(numbers).sum())
    assert len(numbers) < trace.packets
