"""Brings frames of equal identity together: all frames that may be one packet stand side by side."""

from dataclasses import dataclass, field

import numpy as np

from analyzer.link.sorting import number_groups, stable_order
from analyzer.schema import Array, Columns, Int64


@dataclass(slots=True)
class Rows:
    """Rows of FRAMES in some order."""

    frames: Columns
    order: Int64
    """(n,) row numbers."""
    _taken: Columns = field(default_factory=dict)

    def column(self, name: str) -> Array:
        """Return a column of FRAMES in this order."""
        if name not in self._taken:
            self._taken[name] = self.frames[name][self.order]
        return self._taken[name]

    def take(self, places: Int64) -> "Rows":
        """Return the rows at *places*."""
        return Rows(self.frames, self.order[places])

    def move(self, places: Int64, sources: Int64) -> None:
        """Put the rows that are at *sources* to *places*, which are the same ones in another order."""
        for column in (self.order, *self._taken.values()):
            column[places] = column[sources]


def recorded_at(frames: Columns, files: Int64, rows: Int64 | slice) -> Int64:
    """Return where *rows* were recorded, as numbers that sort by file and place in it; *files* is (points,)."""
    found: Int64 = files[frames["point"][rows]] << 32 | frames["frame"][rows]
    return found


def in_time(frames: Columns, files: Int64) -> Int64:
    """Return the rows by time; of equal times by file and place in it, whatever order the rows came in."""
    key = recorded_at(frames, files, slice(None))
    if (key[1:] > key[:-1]).all():  # as files are read
        return np.argsort(frames["time_ns"], kind="stable")
    return np.lexsort((key, frames["time_ns"]))


@dataclass(slots=True)
class Runs:
    """
    Rows of FRAMES, those of one run by time, runs by their first time.

    So what follows reads FRAMES nearly from its beginning to its end, at every point.
    """

    rows: Rows
    run: Array
    """(n,) int32, number of the run that a place is in; equal identities are one run."""
    count: int
    """Number of runs."""


def sort_runs(frames: Columns, identity: Int64, time_order: Int64) -> tuple[Runs, Int64]:
    """
    Sort rows by identity, and by time where identities are equal.

    Returns:
        Runs, and (n,) the place in *time_order* of each of its rows.
    """
    run, first = number_groups(identity[time_order])
    place = stable_order(run)
    return Runs(Rows(frames, time_order[place]), run[place].astype(np.int32), len(first)), place
