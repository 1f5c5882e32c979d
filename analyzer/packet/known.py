"""What all packets together tell of the network: the small tables that journeys are told from, in whatever part.

Each is made from the packets of one part and added up, so that it does not matter how many parts there are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import or_
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np

from analyzer.model import ArpExchange
from analyzer.model.drop import Drop
from analyzer.model.overview import LearntMac
from analyzer.packet import arp, asking, dropped, learnt, onward, ports, two_clocks
from analyzer.packet.begun import Begun
from analyzer.packet.learnt import Arrivals
from analyzer.packet.macs import MacVotes, router_macs
from analyzer.packet.two_clocks import Pair, Sightings
from analyzer.schema import Int64

if TYPE_CHECKING:
    from analyzer.packet.context import Context

K = TypeVar("K")
T = TypeVar("T")


class Table(Generic[T]):
    """A small table: what each part says, and what all say together."""

    def __init__(
        self,
        of: "Callable[[Context, Any], Any]",
        together: "Callable[[list[Any], Context], T]",
        after: "Callable[[Known], Any] | None" = None,
        *,
        in_each: bool = False,
    ) -> None:
        """
        Say how it is made.

        Args:
            of: makes a part's own, with what *after* gives.
            together: adds up those of all parts; with a context of no packets.
            after: makes, of tables of all parts, what parts have to know before; tables without are made first.
            in_each: what it is made of is in each part, so the first one says it all.
        """
        self.of, self.together, self.after, self.in_each = of, together, after, in_each
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        """Note what it is called."""
        self.name = name

    @overload
    def __get__(self, known: None, owner: type) -> "Table[T]": ...
    @overload
    def __get__(self, known: "Known", owner: type) -> T: ...
    def __get__(self, known: "Known | None", owner: type) -> "Table[T] | T":
        """Return it, made when somebody asks first."""
        if known is None:
            return self
        if self.name not in known.made:
            known.make(self)
        found: T = known.made[self.name]
        return found


def _unite(parts: Sequence[set[K]], _: "Context") -> set[K]:
    return set[K]().union(*parts)


def _merged(of_two: "Callable[[int, int], int]") -> "Callable[[Sequence[dict[K, int]], Context], dict[K, int]]":
    """Return what makes one of parts' tables, of two numbers for a key what *of_two* makes of them."""

    def together(parts: Sequence[dict[K, int]], _: "Context") -> dict[K, int]:
        found: dict[K, int] = {}
        for part in parts:
            for key, number in part.items():
                found[key] = of_two(found.get(key, number), number)
        return found

    return together


def says(context: "Context", names: Sequence[str], before: Sequence[Any]) -> list[Any]:
    """Return what a part says for tables, by their *names*, with what has to be known *before* of each."""
    return [vars(Known)[name].of(context, has) for name, has in zip(names, before, strict=True)]


class Known:
    """Small tables, each made when first needed."""

    def __init__(
        self, each: "Callable[[list[str], list[Any], bool], Iterable[list[Any]]]", nothing: "Context", *, at_once: bool
    ) -> None:
        """
        Take all parts of an analysis.

        Args:
            each: gives what ``says`` returns for each part, or the first alone.
            nothing: points and hosts, without any packet.
            at_once: tables are made at the same time, since it costs much to go through parts.
        """
        self._each, self._at_once = each, at_once
        self.nothing = nothing
        nothing.known = self
        self.made: dict[str, Any] = {}

    @classmethod
    def of(cls, parts: "Sequence[Context]", *, at_once: bool = False) -> "Known":
        """Take parts that are all there."""
        return cls(
            lambda names, before, first: (says(part, names, before) for part in (parts[:1] if first else parts)),
            parts[0].without_packets(),
            at_once=at_once,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Tell others what is known; they need not find out more."""
        return {"made": self.made, "nothing": self.nothing, "_each": None, "_at_once": True}

    def make(self, wanted: Table[Any]) -> None:
        """Make a table, or all that can be made now."""
        tables = [wanted]
        if self._at_once and wanted is not Known.seen_again and not wanted.in_each:
            every = (one for one in vars(Known).values() if isinstance(one, Table) and not one.in_each)
            tables = [
                one for one in every if (one.after is None) is (wanted.after is None) and one is not Known.seen_again
            ]
        before = [one.after(self) if one.after is not None else None for one in tables]
        parts = list(self._each([one.name for one in tables], before, wanted.in_each))
        for place, one in enumerate(tables):
            self.made[one.name] = one.together([part[place] for part in parts], self.nothing)

    def make_all(self) -> None:
        """Make all tables now, if it costs much to go through parts."""
        if self._at_once:
            for name in ("routers", "addresses", "resolved", "learnt"):
                getattr(self, name)

    def _bridge_ports(self) -> Int64:
        return np.array(sorted(ports.bridges_by(self.nothing, self.bridged)), np.int64)

    def _answers(self) -> list[arp.Return]:
        return arp.answered(self.exchanges, self.nothing.points)

    def _moved(self) -> Int64:
        return learnt.moved(self.arrivals)

    exchanges = Table[list[ArpExchange]](
        lambda part, _: arp.all_exchanges(part), lambda parts, _: parts[0], in_each=True
    )
    """Every ARP and NDP exchange where its question was first seen, in order of time."""
    resolved = Table[list[ArpExchange]](
        arp.distinct, lambda parts, _: parts[0], lambda known: known.exchanges, in_each=True
    )
    """Each of them once."""
    routers = Table[set[int]](lambda part, _: router_macs(part.frames, part.own_hops), _unite)
    """MACs of the host's own routed interfaces."""
    homes = Table[dict[int, tuple[int, int]]](
        lambda part, _: MacVotes.of(part.frames, part.own_hops, part.numbers),
        lambda parts, nothing: MacVotes.together(parts).homes(nothing.points),
    )
    """Where packets from each MAC come from: point and frame."""
    targets = Table[dict[onward.Target, int]](lambda part, _: onward.targets(part), _merged(or_))
    """To which points packets to an address went on from a point, as bits."""
    senders = Table[set[tuple[int, int]]](lambda part, _: onward.senders(part), _unite)
    """MACs and points that unicast packets were seen first with."""
    tunnels = Table[set[tuple[int, int]]](lambda part, _: asking.tunnels(part), _unite)
    """From whom to whom VXLAN packets went, by their outer addresses."""
    asked = Table[set[int]](lambda part, _: asking.asked(part), _unite)
    """Other hosts of tunnels, and name servers: they are asked whether they answer anything else."""
    alive = Table[set[int]](asking.alive, _unite, lambda known: known.asked)
    """Those of them that do."""
    askers = Table[set[int]](lambda part, _: asking.askers(part), _unite)
    """Who asks name servers."""
    busy = Table[dict[int, int]](asking.busy, _merged(max), lambda known: known.askers)
    """By those of them that wanted anything else: when they began the last of it, in ns."""
    dhcp = Table[set[int]](lambda part, _: asking.dhcp(part), _unite)
    """Points at which a DHCP server was heard."""
    bridged = Table[Counter[tuple[int, int]]](
        lambda part, _: ports.bridged(part), lambda parts, _: sum(parts, Counter())
    )
    """How often packets went from one point to another unrouted."""
    returns = Table[dict[arp.Return, int]](arp.returns, _merged(min), _answers)
    """Where a MAC that had just answered for an address was first heard again."""
    begun = Table[Begun](lambda part, _: Begun.of(part), lambda parts, _: Begun.together(parts))
    """How TCP connections left."""
    two_clocks = Table[list[Pair]](
        lambda part, _: Sightings.of(part),
        lambda parts, nothing: two_clocks.find_pairs(Sightings.together(parts), nothing.points, nothing.apart),
    )
    """Points that have two clocks, although nobody said that they are of two hosts."""
    drops = Table[dict[int, Drop]](
        lambda part, _: dropped.candidates(part), lambda parts, nothing: dropped.settle(nothing.hosts, parts)
    )
    """What the kernel itself says that it dropped, by the packet's number among all."""
    addresses = Table[dict[tuple[int, int, int], int]](onward.addresses, _merged(min), _bridge_ports)
    """By address, in halves, and bridge's port where packets from it were seen first: the number of the first."""
    arrivals = Table[Arrivals](
        lambda part, _: Arrivals.of(part), lambda parts, _: Arrivals.together(parts), lambda known: known.routers
    )
    """The first frames from each MAC that came in at each port."""
    seen_again = Table[Arrivals](Arrivals.of, lambda parts, _: Arrivals.together(parts), _moved)
    """Likewise, of those that came in by several ports all frames."""

    @property
    def learnt(self) -> list[LearntMac]:
        """What bridges learnt, in order of time."""
        if "learnt" not in self.made:
            seen = self.seen_again if len(self._moved()) else self.arrivals
            self.made["learnt"] = learnt.learnt(self.nothing, seen)
        found: list[LearntMac] = self.made["learnt"]
        return found
