"""A range of frames, as it was read."""

import numpy as np

from analyzer.link.cuts import find_cuts
from analyzer.link.shares import Range
from analyzer.link.tuples import flows
from analyzer.schema import FRAMES, Columns
from tests.packet.tables import ARP, UDP, Frame, table

FILES = np.arange(3)
IDENTITY = np.arange(40, dtype=np.int64) * 7 % 20 * 7919


def _frames(count: int = 40) -> Columns:
    """Make frames of conversations with ports of their own, and some that have none; the last ones first."""
    usual: Frame = {"layers": UDP, "proto": 17, "src": "10.0.0.1", "dst": "10.0.0.2", "dport": 53}
    rows = [
        {**usual, "sport": 1000 + number % 5, "time_ns": 1000 - number, "frame": number + 1}
        if number % 8 else {"layers": ARP, "time_ns": 1000 - number, "frame": number + 1}
        for number in range(count)
    ]  # fmt: skip
    return table(FRAMES, rows)


def ranged(first_row: int = 0) -> Range:
    frames = _frames()
    found = Range(frames, flows(frames), IDENTITY, FILES, first_row)
    found.converse(find_cuts([found.flow_times()]))
    return found


def dealt_rows(first_row: int = 0) -> Columns:
    here = ranged(first_row)
    return here.table(here.by_row(), np.arange(here.conversations.count))
