"""Brings frames of equal identity together: one sort, and all frames that may be one packet stand side by side."""

from dataclasses import dataclass

import numpy as np

from analyzer.schema import Array, Int64


@dataclass(slots=True)
class Runs:
    """Rows of FRAMES, sorted by (identity, time)."""

    order: Int64
    """(n,) row numbers."""
    run: Int64
    """(n,) number of the run that ``order[i]`` is in; equal identities are one run."""
    start: Int64
    """(runs,) Where each run begins in *order*."""

    @property
    def length(self) -> Int64:
        """(runs,) Rows in each run."""
        return np.diff(np.append(self.start, len(self.order)))


def sort_runs(identity: Int64, time_order: Int64) -> Runs:
    """
    Sort rows by identity, and by time where identities are equal.

    Sorting one packed integer (high bits of the identity, the place in time in the low ones) is several times as
    fast as sorting an index; identities that only differ in the bits that were cut are put right afterwards.
    """
    count = len(identity)
    low = (1 << max(count - 1, 1).bit_length()) - 1
    packed = (identity[time_order] & ~low) | np.arange(count)
    packed.sort()
    order = time_order[packed & low]
    full = identity[order]
    changes = full[1:] != full[:-1]
    high = packed & ~low
    collided = np.flatnonzero(changes & (high[1:] == high[:-1]))
    for start in np.unique(np.searchsorted(high, high[collided])).tolist():
        stop = int(np.searchsorted(high, high[start], side="right"))
        piece = order[start:stop]
        order[start:stop] = piece[np.argsort(identity[piece], kind="stable")]
    if len(collided):
        full = identity[order]
        changes = full[1:] != full[:-1]
    begins: Array = np.append(True, changes)[:count]
    return Runs(order, np.cumsum(begins) - 1, np.flatnonzero(begins))
