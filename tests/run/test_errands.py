"""Which connections belong together, and what goes to which part."""

import numpy as np

from analyzer.run.cut import ByErrand, _filled
from analyzer.schema import Layer


def test_the_largest_errands_first() -> None:
    """Each to the part that has least; connections of one errand stay together."""
    errand = np.array([0, 0, 2, 3, 4, 4])
    frames = np.array([5, 4, 7, 3, 1, 1])

    assert _filled(errand, frames, 2).tolist() == [0, 0, 1, 1, 0, 0]
    assert _filled(errand, frames, 1).tolist() == [0] * 6


def test_rows_go_where_their_packet_goes() -> None:
    """Those of a connection to its part; what all ask for behind all parts, also a frame that was cut too short."""
    rule = ByErrand(2, np.array([0, 1, 1]), np.array([False, False, True]))
    table = {
        "connection": np.array([0, 1, 2, -1, -1, -1]),
        "packet": np.array([0, 1, 2, 3, 3, 4]),
        "layers": np.array([0, 0, 0, Layer.ARP | Layer.NEIGHBOUR, Layer.ARP, Layer.ARP], np.uint32),
    }
    found = rule(table).tolist()

    assert rule.parts == 3
    assert found[:5] == [0, 1, 2, 2, 2]
    assert found[5] in (0, 1)
