"""What captures show to work: who got an answer from whom, which is said where nothing is wrong, and beside what is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.parties import ENDS, what_is_asked, who_asks
from analyzer.link.sorting import group_rows
from analyzer.model.worked import Worked
from analyzer.schema import Int64

MOST = 200
"""Pairs of ends that are told, those with the most packets."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reached:
    """Connections between the same ends; all of them are in one part."""

    packets: int
    first: int
    """Number of its first connection among all."""
    worked: Worked


def worked(case: Case) -> list[Reached]:
    """Return who reached what, of connections that are told here."""
    table, mine = case.context.connections, case.my_connections
    answered = np.flatnonzero(case.answered_in_the_end & mine)
    if not len(answered):
        return []
    packets = np.sum(case.packets_each_way, axis=0)
    group, _ = group_rows(*(table[name] for name in ENDS))
    of_group = np.bincount(group, weights=packets).astype(np.int64)
    groups = np.unique(group[answered])
    groups = groups[np.argsort(-of_group[groups], kind="stable")][:MOST]
    return [
        _reached(case, np.flatnonzero((group == number) & mine), int(of_group[number])) for number in groups.tolist()
    ]


def _reached(case: Case, members: Int64, packets: int) -> Reached:
    good = members[case.answered_in_the_end[members]]
    numbers = case.connection_numbers
    first = case.tracer.connection(int(good[0]))
    one = Worked(who_asks(case, first), what_is_asked(case, first), first.protocol, len(good), len(members), packets,
                 tuple(numbers[good[:SHOWN]].tolist()), _first_answer(case, good))  # fmt: skip
    return Reached(packets, int(numbers[members[0]]), one)


def together(parts: Iterable[Sequence[Reached]]) -> tuple[Worked, ...]:
    """Return what works, the most packets first; what has the same names is told together."""
    every = sorted(chain.from_iterable(parts), key=lambda one: (-one.packets, one.first))[:MOST]
    found: dict[tuple[str, str, str], Worked] = {}
    for one in (reached.worked for reached in every):
        key = one.who, one.what, one.protocol
        found[key] = one if key not in found else _together(found[key], one)
    return tuple(sorted(found.values(), key=lambda one: -one.packets))


def _together(one: Worked, other: Worked) -> Worked:
    """Add up what has the same names: two addresses of one container."""
    return Worked(one.who, one.what, one.protocol, one.answered + other.answered, one.tries + other.tries,
                  one.packets + other.packets, (*one.connections, *other.connections)[:SHOWN],
                  one.first_answer_ns)  # fmt: skip


def _first_answer(case: Case, connections: Int64) -> int | None:
    """Return the median time to the first answer, by the clock of each connection's first point."""
    took = []
    for number in connections[:MOST].tolist():
        members = case.packets_of(number)
        back = members[case.reply[members]]
        if not len(back) or case.reply[members[0]]:
            continue
        here = int(case.first_row[members[0]])
        rows = case.context.hop_rows(int(back[0]))
        there = next((row for row in rows if case.context.point(row) is case.context.point(here)), None)
        if there is not None:
            took.append(case.context.value("time_ns", there) - case.context.value("time_ns", here))
    return int(np.median(took)) if took else None
