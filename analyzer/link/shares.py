"""Frames as they are worked on: ranges, as they were read, and shares, that have all of what is compared.

Whatever is asked of a share depends on its own frames and on small tables of all, so it does not matter how many there
are: with one, a range is the share.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from analyzer.decode.stretch import Sides
from analyzer.link.cuts import Cuts, FlowTimes, flow_times, fragments
from analyzer.link.dealing import Dealt
from analyzer.link.runs import Runs, in_time, sort_runs
from analyzer.link.tuples import Seen, count_seen, find_conversations
from analyzer.read.unread import only
from analyzer.schema import FRAMES, Array, Columns, Int64


@dataclass
class Range:
    """Rows of FRAMES that were read one after the other; n of them."""

    frames: Columns
    flow: Int64
    """(n,) of KEYS; later fragments get theirs when all ranges are known."""
    identity: Int64
    """(n,) of KEYS."""
    files: Int64
    """(points,) Number of each point's file."""
    first_row: int = 0
    """What its first row is called among all."""

    @cached_property
    def time_order(self) -> Int64:
        """(n,) Rows, sorted by time."""
        return in_time(self.frames, self.files)

    def fragments(self) -> Columns:
        """Note fragments."""
        return fragments(self.frames, self.flow, self.files)

    def flow_times(self) -> FlowTimes:
        """Note when flows were busy."""
        return flow_times(self.frames, self.flow, self.files, self.time_order)

    def converse(self, cuts: Cuts) -> tuple[Columns, Seen]:
        """Find conversations; return TALKS, and where each was seen."""
        keys = cuts.conversation_keys(self.frames, self.flow, self.files)
        self.conversations = find_conversations(self.frames, self.flow, keys, self.time_order, self.files)
        return self.conversations.talks, count_seen(self.conversations, self.frames["point"][self.time_order])

    def by_row(self) -> Columns:
        """Return the conversation of each row, by its number in this range, and the direction."""
        of, backward = np.empty(len(self.time_order), np.int64), np.empty(len(self.time_order), bool)
        of[self.time_order], backward[self.time_order] = self.conversations.of, self.conversations.backward
        return {"of": of, "backward": backward}

    def table(self, by_row: Columns, numbers: Int64, columns: Iterable[str] = FRAMES.dtypes) -> Columns:
        """Return what shares are made of, with *columns*; *numbers* are those of its conversations among all."""
        row = np.arange(self.first_row, self.first_row + len(self.identity))
        of = np.append(numbers, -1)[by_row["of"]]
        own = {"identity": self.identity, "of": of, "backward": by_row["backward"], "row": row}
        return only(self.frames, columns) | own

    def share(self, numbers: Int64, sides: Sides, compared: Columns) -> "Share":
        """Return all of it as one share; *numbers* are those of its conversations among all."""
        of = np.append(numbers, -1)[self.conversations.of]
        back = self.conversations.backward
        order, files = self.time_order, self.files
        return Share(self.frames, sides, self.identity, of, back, order, files, self.first_row, compared)


@dataclass
class Share:
    """Frames with their conversations: all of some identities, or all of some connections; n of them."""

    frames: Columns
    sides: Sides
    """``row`` is what rows are called among all."""
    identity: Int64
    """(n,)"""
    of: Int64
    """(n,) Conversation of each by its number among all, in order of time; -1 without a tuple."""
    backward: Array
    """(n,) Likewise its direction."""
    time_order: Int64
    files: Int64
    row: "Int64 | int" = 0
    """(n,) What rows are called among all; or what the first one is called, if they follow each other."""
    compared: Columns = field(default_factory=dict)
    """COMPARED of KEYS, where votes are asked for."""
    _sorted: list[Runs] = field(default_factory=list)

    @property
    def runs(self) -> Runs:
        """Its frames by identity; ``of`` and ``backward`` are sorted with them."""
        if not self._sorted:
            runs, places = sort_runs(self.frames, self.identity, self.time_order)
            self.of, self.backward = self.of[places], self.backward[places]
            self._sorted.append(runs)
        return self._sorted[0]

    def forget(self) -> None:
        """Let go of what is as long as its frames, and is not needed once they are grouped."""
        self.identity = self.of = self.time_order = np.zeros(0, np.int64)
        self.backward, self.compared = self.of > 0, {}
        self._sorted.clear()

    def rows(self, here: Int64) -> Int64:
        """Return what rows are called among all."""
        return here + self.row if isinstance(self.row, int) else self.row[here]


class Source(Protocol):
    """What gives a share, as often as it is asked for."""

    @property
    def files(self) -> Int64:
        """(points,) Number of each point's file."""

    def open(self) -> Share:
        """Give it."""

    def tables(self) -> tuple[Columns, Sides, Int64]:
        """Give its FRAMES, what lies aside, and what rows are called among all."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All that there is, in memory."""

    share: Share

    @property
    def files(self) -> Int64:
        """(points,) Number of each point's file."""
        return self.share.files

    def open(self) -> Share:
        """Give it."""
        return self.share

    def tables(self) -> tuple[Columns, Sides, Int64]:
        """Give its FRAMES, what lies aside, and what rows are called among all."""
        share = self.share
        return share.frames, share.sides, share.rows(np.arange(len(share.frames["frame"])))


@dataclass(frozen=True, slots=True)
class Pile:
    """A share of many ranges."""

    dealt: Dealt
    files: Int64

    def open(self) -> Share:
        """Put it together."""
        table, sides = self.dealt.tables()
        order = in_time(table, self.files)
        of, backward = table["of"][order], table["backward"][order]
        return Share(table, sides, table["identity"], of, backward, order, self.files, table["row"], table)

    def tables(self) -> tuple[Columns, Sides, Int64]:
        """Give its FRAMES, what lies aside, and what rows are called among all."""
        table, sides = self.dealt.tables()
        return only(table, FRAMES.dtypes), sides, table["row"]
