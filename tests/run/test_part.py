"""What a part tells has the numbers that packets and connections have among all; what is large can be let go."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import Trace, analyze
from analyzer.model import Journey, ProxyStep
from analyzer.read.records import Interface
from analyzer.read.work import Work
from analyzer.run.part import LARGE, reader
from analyzer.schema import Int64
from tests.lab.faults.cases import CASES

PATHS = {case.name: case.path for case in CASES}


@pytest.fixture(scope="module")
def whole() -> Trace:
    """Connections that a proxy takes over, and answers to some of their packets."""
    return analyze([PATHS["by-proxy.user.mixed"]])


@pytest.fixture(scope="module")
def parts(whole: Trace) -> Trace:
    """The same, in parts, of which two tell something; the second has packets that it does not tell."""
    found = replace(whole, cut=64)
    assert [len(part.mine.chosen) > 0 for part in found.parts[:3]] == [True, True, False]
    assert found.parts[1].context.packets > len(found.parts[1].mine.chosen)
    return found


@pytest.mark.parametrize("name", ["by-proxy.user.mixed", "no-dnat-and-failing-resolver.bridge"])
def test_each_packet_and_connection_is_told_by_one_part(name: str) -> None:
    """Though messages of neighbours and name servers are in several, for whoever asks for them."""
    whole = analyze([PATHS[name]])
    some = replace(whole, cut=64).parts
    told = np.concatenate([part.mine.numbers for part in some])
    connections = np.concatenate([part.context.connection_id(part.my_connections) for part in some])

    assert sorted(told.tolist()) == list(range(whole.packets))
    assert sorted(connections.tolist()) == list(range(len(whole.connections)))
    assert sum(part.context.packets for part in some) > whole.packets


def test_numbers_of_a_journey_are_those_among_all(whole: Trace, parts: Trace) -> None:
    """Its own, its connection's, its answer's, and the connection in which a proxy sends its bytes on."""
    told: dict[int, Journey] = {}
    for part in parts.parts:
        told |= zip(part.mine.numbers.tolist(), part.journeys(part.mine.chosen), strict=True)
    proxied = [one for one in told.values() if any(isinstance(step, ProxyStep) for step in one.steps)]

    assert [told[number] for number in range(whole.packets)] == list(whole.journeys())
    assert proxied
    assert any(one.answered_by is not None for one in told.values())


def test_numbers_of_a_connection_are_those_among_all(whole: Trace, parts: Trace) -> None:
    """Also of those that it is relayed to and from."""
    told = {one.id: one for part in parts.parts for one in map(part.connection, part.my_connections.tolist())}

    assert [told[number] for number in range(len(told))] == [whole.connection(number) for number in range(len(told))]
    assert any(one.relayed_to is not None for one in told.values())


def test_a_selection_picks_among_those_that_are_told_here(whole: Trace, parts: Trace) -> None:
    """Not among those that are here for others to see."""
    picked = np.concatenate([part.picked("tcp || arp") for part in parts.parts])

    assert sorted(picked.tolist()) == whole.select("tcp || arp")


def test_sightings_are_of_the_packets_that_are_asked_for(parts: Trace) -> None:
    """Rows of frames with the packet's number among all."""
    part = max(parts.parts, key=lambda one: len(one.mine.numbers))
    among = np.zeros(parts.packets, bool)
    among[part.mine.numbers[:2]] = True
    found, every = part.sightings(among), part.sightings()

    assert set(found["packet"].tolist()) == set(part.mine.numbers[:2].tolist())
    assert set(every["packet"].tolist()) == set(part.mine.numbers.tolist())
    assert "row" not in found
    assert {len(column) for column in found.values()} == {len(found["packet"])}


def test_what_is_large_is_made_again_when_it_is_needed(whole: Trace) -> None:
    """What was told of packets stays, and others are told how a part is made, without its tables."""
    part = replace(whole, cut=64).parts[0]
    before, mine = part.context, part.mine
    _ = part.tracer, part.case, part.asked
    assert not set(LARGE) & set(part.__getstate__())

    part.close()
    assert not set(LARGE) & set(vars(part))
    assert part.mine is mine
    assert part.context is not before
    assert part.context.packets == before.packets


@pytest.mark.parametrize("in_files", [True, False])
def test_of_parts_in_files_one_is_open_at_a_time(whole: Trace, tmp_path: Path, in_files: bool) -> None:
    """In memory all may be."""
    all_parts = replace(whole, cut=64).parts
    all_parts.work = Work(tmp_path if in_files else None)
    first, second = all_parts[0], all_parts[1]
    for part in all_parts:
        part.close()
    _ = first.context, second.context

    assert ("context" in vars(first), "context" in vars(second)) == (not in_files, True)


def test_rows_are_read_again_by_the_numbers_that_they_have_here(parts: Trace) -> None:
    """And given back with these; among all they have others."""
    part = min(parts.parts, key=lambda one: one.context.packets)
    rows = part.context.share.rows
    assert rows is not None
    last = len(rows) - 1
    asked: list[list[int]] = []

    def read(wanted: Int64) -> Iterator[tuple[int, bytes, int, Interface]]:
        asked.append(wanted.tolist())
        return ((int(row), b"x", 1, Interface(1, 0)) for row in wanted)

    found = list(reader(part.context, read)(np.array([0, last])))

    assert asked == [[int(rows[0]), int(rows[last])]]
    assert [row for row, *_ in found] == [0, last]
    assert rows[last] > last
