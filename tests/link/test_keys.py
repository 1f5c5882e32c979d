"""What frames are compared by: both columns are filled in, whatever was there before."""

import numpy as np

from analyzer.link.identity import identify
from analyzer.link.keys import make_keys
from analyzer.link.tuples import flows
from analyzer.schema import FRAMES, KEYS, NEIGHBOURS, QUOTES, Columns
from tests.packet.tables import ARP, TCP, UDP, Frame, table

ROWS: list[Frame] = [
    {"layers": UDP, "proto": 17, "sport": 1, "dport": 2, "src": "10.0.0.1", "dst": "10.0.0.2", "ip_id": 3},
    {"layers": TCP, "proto": 6, "seq": 7, "sport": 3, "dport": 4, "ip_len": 40},
    {"layers": ARP},
]


def _keys(keep: int) -> Columns:
    into = KEYS.empty(len(ROWS))
    for column in into.values():
        column[:] = 99
    frames, message = table(FRAMES, ROWS), table(NEIGHBOURS, [{"row": 2, "op": 1, "asked": 5}])
    make_keys(frames, table(QUOTES, []), message, keep, into)
    return into


def test_a_frame_is_told_by_its_identity_and_its_flow() -> None:
    """As both are made of whole tables; what has no tuple has no flow."""
    frames, message = table(FRAMES, ROWS), table(NEIGHBOURS, [{"row": 2, "op": 1, "asked": 5}])
    found = _keys(200)

    assert found["identity"].tolist() == identify(frames, table(QUOTES, []), message, 200).tolist()
    assert found["flow"].tolist() == flows(frames).tolist()
    assert found["flow"][2] == 0


def test_what_points_kept_tells_how_much_is_compared() -> None:
    """Numbers that one point cut off are left out of all identities; flows stay."""
    much, little = _keys(200), _keys(24)

    assert np.flatnonzero(much["identity"] != little["identity"]).tolist() == [1, 2]
    assert much["flow"].tolist() == little["flow"].tolist()
