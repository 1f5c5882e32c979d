"""What all packets together tell of the network: the small tables that journeys are told from, in whatever part.

Each is made from the packets of one part and added up, so that it does not matter how many parts there are.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer.correlate.roles import MacVotes, router_macs
from analyzer.trace import arp, clocks, dropped, onward, ports
from analyzer.trace.begun import Begun
from analyzer.trace.clocks import Pair, Sightings
from analyzer.trace.learnt import learnt

if TYPE_CHECKING:
    from analyzer.model.drop import Drop
    from analyzer.model.overview import LearntMac
    from analyzer.trace.context import Context


class Known:
    """Small tables, each made when first needed."""

    def __init__(self, parts: "Sequence[Context]") -> None:
        """Take all parts of an analysis."""
        self._parts = parts

    @cached_property
    def routers(self) -> set[int]:
        """MACs of the host's own routed interfaces."""
        return set[int]().union(*(router_macs(one.frames, one.own_hops) for one in self._parts))

    @cached_property
    def homes(self) -> dict[int, tuple[int, int]]:
        """Where packets from each MAC come from: point and frame."""
        votes = [MacVotes.of(one.frames, one.own_hops, one.numbers) for one in self._parts]
        return MacVotes.together(votes).homes(self._parts[0].points)

    @cached_property
    def targets(self) -> dict[onward.Target, int]:
        """To which points packets to an address went on from a point, as bits."""
        found: dict[onward.Target, int] = {}
        for part in self._parts:
            for target, points in onward.targets(part).items():
                found[target] = found.get(target, 0) | points
        return found

    @cached_property
    def senders(self) -> set[tuple[int, int]]:
        """MACs and points that unicast packets were seen first with."""
        return set[tuple[int, int]]().union(*map(onward.senders, self._parts))

    @cached_property
    def addresses(self) -> dict[tuple[int, int, int], int]:
        """By address, in halves, and bridge's port where packets from it were seen first: the number of the first."""
        found: dict[tuple[int, int, int], int] = {}
        at = np.array(sorted(ports.bridges_by(self._parts[0], self.bridged)), np.int64)
        for part in self._parts:
            for end, packet in onward.addresses(part, at).items():
                found[end] = min(found.get(end, packet), packet)
        return found

    @cached_property
    def bridged(self) -> Counter[tuple[int, int]]:
        """How often packets went from one point to another unrouted."""
        return sum(map(ports.bridged, self._parts), Counter())

    @cached_property
    def returns(self) -> dict[arp.Return, int]:
        """Where a MAC that had just answered for an address was first heard again."""
        found: dict[arp.Return, int] = {}
        for part in self._parts:
            for key, at in arp.returns(part).items():
                found[key] = min(found.get(key, at), at)
        return found

    @cached_property
    def begun(self) -> Begun:
        """How TCP connections left."""
        return Begun.together(list(map(Begun.of, self._parts)))

    @cached_property
    def learnt(self) -> "list[LearntMac]":
        """What bridges learnt, in order of time."""
        return learnt(self._parts)

    @cached_property
    def two_clocks(self) -> list[Pair]:
        """Points that have two clocks, although nobody said that they are of two hosts."""
        one = self._parts[0]
        return clocks.find_pairs(Sightings.together(list(map(Sightings.of, self._parts))), one.points, one.apart)

    @cached_property
    def drops(self) -> "dict[int, Drop]":
        """What the kernel itself says that it dropped, by the packet's number among all."""
        return dropped.settle(self._parts[0].hosts, list(map(dropped.candidates, self._parts)))
