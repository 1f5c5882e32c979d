"""What connections came to over all slices: what is told of tries counts those, too, in which all went well."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.correlate.sorting import group_rows
from analyzer.explain.case import Case
from analyzer.explain.group import Group
from analyzer.explain.parties import ENDS, ends_of
from analyzer.explain.tally import SumOf
from analyzer.schema import Array, Columns, Int64


@dataclass
class Tried:
    """What is known of connections, by their numbers in the whole capture; grows with them."""

    _through: Array = field(default_factory=lambda: np.zeros(1024, bool))
    """An answer got through."""
    _packets: Int64 = field(default_factory=lambda: np.zeros((2, 1024), np.int64))
    """Packets in each direction."""

    def add(self, case: Case, count: int) -> None:
        """Take in what a slice tells; *count* connections are known by now."""
        if count > len(self._through):
            room = max(2 * len(self._through), count) - len(self._through)
            self._through = np.pad(self._through, (0, room))
            self._packets = np.pad(self._packets, ((0, 0), (0, room)))
        numbers = case.connection_numbers
        mine = np.flatnonzero(numbers < count)
        self._through[numbers[mine]] |= case.answered_in_the_end[mine]
        for way, packets in enumerate(case.packets_each_way):
            self._packets[way][numbers[mine]] += packets[mine]

    def counted(self, groups: Sequence[Group], table: Columns) -> list[Group]:
        """Return groups with the numbers that all slices together have, of CONNECTIONS."""
        group, first = group_rows(*(table[name] for name in ENDS))
        tries = np.bincount(group, minlength=len(first))
        failed = np.bincount(group[~self._through[: len(group)]], minlength=len(first))
        counts = {"tries": tries, "failed": failed}
        wanted = {ends for one in groups for ends in _of(one, "tries")}
        places = ((ends_of(table, number), place) for place, number in enumerate(first.tolist())) if wanted else ()
        place_of = {ends: place for ends, place in places if ends in wanted}
        found: list[Group] = []
        for one in groups:
            ends = [place_of[key] for key in _of(one, "tries") if key in place_of]
            sums = {name: int(counts[name][ends].sum()) for name in counts if ends}
            if streams := _of(one, "of_packets"):
                sums["of_packets"] = sum(int(self._packets[int(way)][number]) for number, way in streams)
            known = ((name, value, one.facts[name]) for name, value in sums.items())
            facts = {name: replace(fact, value=value) for name, value, fact in known if isinstance(fact, SumOf)}
            found.append(replace(one, facts=one.facts | facts))
        return found


def _of(group: Group, name: str) -> frozenset[tuple[int, ...]]:
    fact = group.facts.get(name)
    return fact.of if isinstance(fact, SumOf) else frozenset()  # type: ignore[return-value]
