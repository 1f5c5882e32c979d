"""For whom packets were that never got that far: rules translate on the way, and routes decide after that."""

import numpy as np

from analyzer.explain.case import Case
from analyzer.model import Address

MOST = 1_000
"""Packets of one client to one port that are run through the rules; the first ones."""


def aimed(case: Case) -> dict[int, Address]:
    """Return where rules would have sent the packets that the recorded state stopped, as far as they translate them."""
    stopped = sorted({packet for causes in case.stopped.values() for one in causes for packet in one.packets})
    found: dict[int, Address] = {}
    for packet in case.few_packets(np.array(stopped, np.int64), MOST).tolist():
        there = case.tracer.prover.sent_on(packet, case.context.rows_of(packet))
        if there is not None:
            found[packet] = there
    return found
