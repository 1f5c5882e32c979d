"""The stages of correlation: functions of what all their tasks have in common, and of what one is about."""

from dataclasses import dataclass, replace

import numpy as np

from analyzer.decode.payloads import may_be_refined
from analyzer.decode.stretch import Sides, Stretch
from analyzer.link.cuts import Cuts, FlowTimes
from analyzer.link.dealing import ByConnection, ByIdentity, Dealt, Hand, deal
from analyzer.link.nat import Mapping
from analyzer.link.shares import Range, Source
from analyzer.link.tuples import Seen
from analyzer.link.verify import Verifier
from analyzer.link.votes import Ballots
from analyzer.packet.assemble import Grouped, Ordered, Waiting, vote
from analyzer.packet.order import Delays
from analyzer.packet.packets import Points
from analyzer.read.kept import Kept
from analyzer.read.unread import only
from analyzer.read.work import Work
from analyzer.schema import FRAMES, KEYS, Columns, Int64

REFINED = ("proto", "payload_len", "layers", "point", "orig_len", "cap_len", "ip_len", *KEYS.dtypes)
"""Columns by which what has one identity by chance is told apart."""


@dataclass
class Ranged:
    """A stretch, opened as often as somebody needs it; what is in memory anyway is opened once."""

    stretch: Stretch
    first_row: int
    files: Int64
    by_row: Kept | None = None
    """Each row's conversation in the range, and its direction."""
    _range: Range | None = None

    def open(self) -> Range:
        """Return its rows."""
        if self._range is not None:
            return self._range
        table = self.stretch.table.open()
        found = Range(only(table, FRAMES.dtypes), table["flow"], table["identity"], self.files, self.first_row)
        if self.stretch.table.held is not None:
            self._range = found
        return found

    def forget(self) -> None:
        """Let go of what is known of rows in memory."""
        self._range = None

    def sides(self) -> Sides:
        """Return what lies aside; ``row`` is what rows are called among all."""
        found = {name: one.open() for name, one in self.stretch.sides.items()}
        if not self.first_row:
            return found
        return {name: side | {"row": side["row"] + self.first_row} for name, side in found.items()}


def notice(common: None, one: Ranged) -> tuple[Columns, FlowTimes]:
    """Note fragments, and when flows were busy."""
    opened = one.open()
    return opened.fragments(), opened.flow_times()


def inherit(common: None, item: tuple[Ranged, tuple[Int64, Int64]]) -> FlowTimes:
    """Give rows the flows of the first fragments that they belong to; note again when flows were busy."""
    one, (rows, flow) = item
    opened = one.open()
    opened.flow[rows] = flow
    one.stretch.table.put("flow", opened.flow)
    return opened.flow_times()


def converse(common: tuple[Cuts, Work], one: Ranged) -> tuple[Columns, Seen, Kept | None]:
    """Find conversations: TALKS, where each was seen, and each row's."""
    cuts, work = common
    opened = one.open()
    talks, seen = opened.converse(cuts)
    return talks, seen, None if one.stretch.table.held is not None else work.keep(opened.by_row())


def deal_range(common: tuple[ByIdentity | ByConnection, Work], item: tuple[Ranged, Int64]) -> Hand:
    """Deal the rows of a range, whose conversations have these numbers among all."""
    (rule, work), (one, numbers) = common, item
    opened = one.open()
    by_row = one.by_row.open() if one.by_row is not None else opened.by_row()
    compared = one.stretch.table.open(*rule.compared) if rule.compared else {}
    sides = {name: side for name, side in one.sides().items() if name in rule.sides}
    return deal(opened.table(by_row, numbers, rule.columns) | compared, sides, rule, work)


def deal_columns(common: tuple[tuple[str, ...], ByIdentity, Work], one: Ranged) -> Hand:
    """Deal some columns of a range, by identity."""
    names, rule, work = common
    table = one.stretch.table.open(*names)
    return deal(table | {"row": np.arange(one.first_row, one.first_row + one.stretch.rows)}, {}, rule, work)


def deal_refined(common: tuple[ByIdentity, Work], one: Ranged) -> Hand:
    """Deal the frames that may have one identity by chance."""
    rule, work = common
    table = one.stretch.table.open(*REFINED)
    rows = np.flatnonzero(may_be_refined(table))
    return deal({name: column[rows] for name, column in table.items()} | {"row": rows + one.first_row}, {}, rule, work)


def refine(verifier: Verifier, dealt: Dealt) -> tuple[Int64, Int64]:
    """Tell apart what has one identity by chance, by its bytes; return rows, and their identities now."""
    table, _ = dealt.tables()
    identity = table["identity"].copy()
    changed = verifier.refine(table, identity, table["row"].__getitem__)
    return table["row"][changed], identity[changed]


def ballots(common: tuple[Seen, Verifier | None], source: Source) -> Ballots:
    """Let frames vote for pairs of conversations."""
    return vote(source.open(), *common)


def group(common: tuple[Mapping, Points, Work], source: Source) -> tuple[Waiting, Delays]:
    """Group frames to packets, and measure how late each sender's come to each point."""
    mapping, points, work = common
    found = Grouped.of(source.open(), mapping, points)
    return found.set_aside(source, work), found.delays()


def order(common: tuple[Delays | None, Points, Mapping, Work], waiting: Waiting) -> Ordered:
    """Bring the frames of packets into the order of their way, and find connections."""
    delays, points, mapping, work = common
    found = waiting.open().ordered(waiting.source, delays, points, mapping, work)
    work.forget([waiting.kept] if waiting.kept is not None else [])
    return found


def without_names(mapping: Mapping) -> Mapping:
    """Return what the stages need of it."""
    return replace(mapping, rivals=[], doubts=[])
