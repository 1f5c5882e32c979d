"""Frames as they are worked on: ranges, as they were read, and shares, that have all of what is compared.

Whatever is asked of a share depends on its own frames and on small tables of all, so it does not matter how many there
are: with one, a range is the share.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from analyzer.correlate.cuts import Cuts, FlowTimes, flow_times, fragments
from analyzer.correlate.runs import Runs, in_time, sort_runs
from analyzer.correlate.sorting import stable_order
from analyzer.correlate.tuples import Seen, count_seen, find_conversations
from analyzer.decode.digest import mix_rows
from analyzer.schema import Array, Columns, Int64


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

    def inherit(self, found: tuple[Int64, Int64]) -> None:
        """Give rows the flows of the first fragments that they belong to."""
        self.flow[found[0]] = found[1]

    def flow_times(self) -> FlowTimes:
        """Note when flows were busy."""
        return flow_times(self.frames, self.flow, self.files, self.time_order)

    def converse(self, cuts: Cuts) -> tuple[Columns, Seen]:
        """Find conversations; return TALKS, and where each was seen."""
        keys = cuts.conversation_keys(self.frames, self.flow, self.files)
        self.conversations = find_conversations(self.frames, self.flow, keys, self.time_order, self.files)
        self.flow = self.flow[:0]
        return self.conversations.talks, count_seen(self.conversations, self.frames["point"][self.time_order])

    def by_row(self, numbers: Int64) -> tuple[Int64, Array]:
        """(n,) Conversation of each row among all, by the *numbers* of those of this range, and direction."""
        of, backward = np.empty(len(self.time_order), np.int64), np.empty(len(self.time_order), bool)
        of[self.time_order] = np.append(numbers, -1)[self.conversations.of]
        backward[self.time_order] = self.conversations.backward
        return of, backward

    def share(self, numbers: Int64) -> "Share":
        """Return all of it as one share; *numbers* are those of its conversations among all."""
        of = np.append(numbers, -1)[self.conversations.of]
        rows, back = self.first_row, self.conversations.backward
        return Share(self.frames, self.identity, of, back, self.time_order, self.files, rows)


@dataclass
class Share:
    """Frames with their conversations: all of some identities, or all of some connections; n of them."""

    frames: Columns
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
        self.backward = self.of > 0
        self._sorted.clear()

    def rows(self, here: Int64) -> Int64:
        """Return what rows are called among all."""
        return here + self.row if isinstance(self.row, int) else self.row[here]


def cut_ranges(frames: Columns, keys: Columns, files: Int64, count: int) -> Iterator[Range]:
    """Cut rows of FRAMES, with KEYS of them, into ranges of about the same length."""
    bounds = np.linspace(0, len(frames["frame"]), count + 1).astype(np.int64).tolist()
    for begin, end in pairwise(bounds):
        rows = slice(begin, end)
        cut = {name: column[rows] for name, column in frames.items()} if count > 1 else frames
        yield Range(cut, keys["flow"][rows], keys["identity"][rows], files, begin)


def part_of(key: Int64, parts: int) -> Int64:
    """(n,) Which of *parts* each key goes to: by another hash than those that tables use, so that all fill alike."""
    mixed = mix_rows(key.view(np.uint64), np.zeros(len(key), np.uint64), 2) >> np.uint64(32)
    return (mixed * np.uint64(parts) >> np.uint64(32)).view(np.int64)


def exchange(
    ranges: Sequence[Range], numbers: Sequence[Int64], parts: int, part: Callable[[Int64, Int64], Int64]
) -> list[Share]:
    """
    Give shares of what ranges have.

    Args:
        ranges: all of them.
        numbers: of each range's conversations among all.
        parts: how many shares.
        part: tells of (n,) identities and conversations of rows which share each goes to.
    """
    if len(ranges) == parts == 1:
        return [ranges[0].share(numbers[0])]
    pieces: list[list[_Piece]] = [[] for _ in range(parts)]
    for one, known in zip(ranges, numbers, strict=True):
        of, backward = one.by_row(known)
        goes_to = part(one.identity, of)
        order = stable_order(goes_to)
        bounds = np.searchsorted(goes_to[order], np.arange(parts + 1)).tolist()
        for share, (begin, end) in enumerate(pairwise(bounds)):
            if end > begin or one is ranges[0]:  # a share without rows has the columns, too
                rows = order[begin:end]
                pieces[share].append((one, rows, of[rows], backward[rows]))
    return list(map(_together, pieces))


_Piece = tuple[Range, Int64, Int64, Array]
"""Rows of a range, with their conversations and directions."""


def _together(pieces: Sequence[_Piece]) -> Share:
    """Put rows of ranges together, in the order of ranges."""
    first = pieces[0][0]
    found: Columns = {
        name: np.concatenate([one.frames[name][rows] for one, rows, _, _ in pieces]) for name in first.frames
    }
    order = in_time(found, first.files)
    of, backward = (np.concatenate([piece[place] for piece in pieces])[order] for place in (2, 3))
    identity = np.concatenate([one.identity[rows] for one, rows, _, _ in pieces])
    row = np.concatenate([rows + one.first_row for one, rows, _, _ in pieces])
    return Share(found, identity, of, backward, order, first.files, row)
