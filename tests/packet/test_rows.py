"""The order of rows tells nothing: whatever it is, packets and connections are the same."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.decode.frames import read_frames
from analyzer.decode.tables import FrameTables
from analyzer.link.keys import make_keys
from analyzer.packet.packets import Points
from analyzer.run import prepare
from analyzer.run.correlate import correlate
from analyzer.schema import Int64

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "sample_pcaps").iterdir() if path.is_dir())
SHUFFLES = 5


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_shuffled_rows(sample: Path) -> None:
    """HOPS, by the rows' own numbers, and CONNECTIONS are equal to those of the rows as they were read."""
    with prepare([sample]) as prepared:
        tables = read_frames(prepared.captures(), make_keys)
    points = len(tables.sources)

    def found(order: Int64) -> dict[str, list[object]]:
        table = {name: column[order].copy() for name, column in tables.columns().items()}
        none, files = np.zeros(points, np.int64), np.arange(points)
        shuffled = FrameTables.of(table, {}, tables.files, tables.sources, tables.keep, tables.pieces)
        done = correlate(shuffled, Points(none, none, files, none > 0, none > 0), [])
        hops = {**done.hops, "row": order[done.hops["row"]]}
        return {name: column.tolist() for name, column in (*hops.items(), *done.connections.items())}

    count = tables.rows
    as_read = found(np.arange(count))
    for seed in range(SHUFFLES):
        assert found(np.random.default_rng(seed).permutation(count)) == as_read
