"""Tables keep their contract, and every column is documented once."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.errors import SchemaError
from analyzer.schema import CONNECTIONS, FRAMES, HOPS, TABLES, Table

SEED = Path(__file__).parents[1] / "sample_pcaps" / "seed"


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_columns_are_documented(table: Table) -> None:
    """Each has a meaning of its own, in a sentence."""
    docs = [column.doc for column in table.columns]

    assert all(doc.endswith(".") and len(doc) > 3 for doc in docs)
    assert len(set(docs)) == len(docs)


def test_an_analysis_keeps_every_contract() -> None:
    """Types, names and order, also as DataFrames."""
    trace = analyze([SEED])
    for table, columns, frame in (
        (FRAMES, trace.tables.frames, trace.frames),
        (HOPS, trace.correlated.hops, trace.hops),
        (CONNECTIONS, trace.correlated.connections, trace.connections),
    ):
        table.check(columns)
        table.check(frame)


def test_a_column_without_its_layer_is_zero() -> None:
    """Zero is a value, absent is a cleared bit; what is absent holds nothing."""
    frames = analyze([SEED]).tables.frames
    for column in FRAMES.columns:
        if column.layer:
            absent = frames["layers"] & np.uint32(column.layer) == 0
            assert not frames[column.name][absent].any(), column.name


def test_a_broken_contract_is_an_error() -> None:
    """Naming what differs."""
    broken = HOPS.empty(1)
    broken["packet"] = broken["packet"].astype(np.int32)
    with pytest.raises(SchemaError, match="packet"):
        HOPS.check(broken)
