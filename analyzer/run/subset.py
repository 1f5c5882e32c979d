"""Some packets by themselves: tables with their own numbers, from rows that are scattered over parts of the work."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode.stretch import Sides
from analyzer.model import Hosts, Point
from analyzer.packet.assemble import Correlated, Part
from analyzer.packet.connections import Doubts
from analyzer.packet.context import Context, Share
from analyzer.packet.questions import COLUMNS, message_rows
from analyzer.read.unread import Unread, only
from analyzer.run.engine import Engine
from analyzer.schema import FRAMES, HOPS, Array, Columns, Int64

OF_PACKETS = ("packet", "connection", "hop", "reply", "ambiguous")
"""Columns of HOPS."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all parts have in common."""

    correlated: Correlated
    points: list[Point]
    hosts: Hosts

    @property
    def end_ns(self) -> int:
        """Until when captures ran."""
        said = [point.recorded_until_ns for point in self.points] + [point.last_ns for point in self.points]
        return max([time for time in said if time is not None], default=0)


def rows_of(part: Part) -> tuple[Columns, Sides]:
    """
    Return a part's rows of FRAMES with those of HOPS.

    ``row``, ``packet`` and ``connection`` are numbers among all, ``place`` is the row's in HOPS.
    """
    frames, sides, rows, hops = part.tables()
    place = np.empty(len(rows), np.int64)
    place[hops["row"]] = np.arange(len(rows))
    table = frames | {name: hops[name][place] for name in OF_PACKETS}
    return table | {"row": rows, "place": place}, sides


def context_of_part(common: Common, part: Part) -> Context:
    """Return a part of what was correlated as a context: it has its own packets, and the connections of all."""
    found, (frames, sides, rows, _) = common.correlated, part.tables()
    hops = dict(part.hops.open())
    hops["connection"] = np.append(part.connections, -1)[hops["connection"]].astype(np.int32)
    sides = {name: side | {"row": np.searchsorted(rows, side["row"])} for name, side in sides.items()}
    return Context(
        frames,
        sides["quotes"],
        sides["neighbours"],
        sides["tunnels"],
        hops,
        found.connections,
        common.points,
        common.hosts,
        found.doubts,
        found.apart,
        Share(None, part.packets, None, rows, common.end_ns),
    )


def together(parts: Sequence[tuple[Columns, Sides]]) -> tuple[Columns, Sides]:
    """Put rows together, in the order that they have among all; the tables are used up."""
    tables = [table for table, _ in parts]
    order = np.argsort(np.concatenate([one["row"] for one in tables]), kind="stable")
    table = Unread(list(tables[0]), lambda name: np.concatenate([one.pop(name) for one in tables])[order])
    sides = {}
    for name, first in parts[0][1].items():
        columns = {column: np.concatenate([of[name][column] for _, of in parts]) for column in first}
        by_row = np.argsort(columns["row"], kind="stable")
        sides[name] = {column: values[by_row] for column, values in columns.items()}
    return table, sides


def context_of(common: Common, table: Columns, sides: Sides, connections: Int64, mine: Array | None = None) -> Context:
    """
    Make a context.

    Args:
        common: what all parts have in common.
        table: rows as ``rows_of`` gives them, all of some packets, in order of ``row``.
        sides: what lies aside of them.
        connections: numbers of those that they are of, ascending.
        mine: (rows,) bool: packets that are told here; None for all.
    """
    found, total = common.correlated, len(common.correlated.connections["proto"])
    place = np.full(total + 1, -1, np.int64)
    place[connections] = np.arange(len(connections))
    order = np.lexsort((table.pop("place"), table["packet"]))  # nobody asks once more for what is taken out
    packets, first = np.unique(table["packet"][order], return_index=True)
    hops = {name: table.pop(name)[order] for name in OF_PACKETS if name in HOPS.dtypes}
    hops["packet"] = np.searchsorted(packets, hops["packet"])
    hops["connection"] = place[hops["connection"]].astype(np.int32)
    hops["row"] = order
    own = {name: column[connections] for name, column in found.connections.items()}
    for name in ("relayed_to", "relayed_from"):
        own[name] = place[own[name]].astype(np.int32)
    row = table.pop("row")
    sides = {name: side | {"row": np.searchsorted(row, side["row"])} for name, side in sides.items()}
    return Context(
        only(table, FRAMES.dtypes),
        sides["quotes"],
        sides["neighbours"],
        sides["tunnels"],
        {name: hops[name] for name in HOPS.dtypes},
        own,
        common.points,
        common.hosts,
        Doubts(*(_of(pairs, place) for pairs in (found.doubts.candidates, found.doubts.maybe))),
        found.apart,
        Share(None if mine is None else mine[order][first], packets, connections, row, common.end_ns),
    )


def _of(pairs: dict[int, set[int]], place: Int64) -> dict[int, set[int]]:
    kept = {int(place[one]): {int(place[other]) for other in others if place[other] >= 0}
            for one, others in pairs.items() if place[one] >= 0}  # fmt: skip
    return {one: others for one, others in kept.items() if others}


def with_messages(common: Common, engine: Engine) -> Context:
    """Return the packets that may hold messages of name servers, with COLUMNS of FRAMES."""
    found = list(engine.map(_messages, common, common.correlated.parts))
    table, sides = together(found)
    connections = np.unique(table["connection"])
    return context_of(common, table, sides, connections[connections >= 0])


def _messages(common: Common, part: Part) -> tuple[Columns, Sides]:
    """Return a part's packets that may hold messages; no more than anybody reads."""
    context, (table, sides) = context_of_part(common, part), rows_of(part)
    packets = part.packets[context.packet_of_row[message_rows(context)]]
    rows = np.flatnonzero(np.isin(table["packet"], packets))
    none = {name: {column: values[:0] for column, values in side.items()} for name, side in sides.items()}
    found = {name: context.frames[name][rows] for name in COLUMNS}
    return found | {name: table[name][rows] for name in (*OF_PACKETS, "row", "place")}, none
