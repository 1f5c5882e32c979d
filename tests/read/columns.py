"""Tables of all kinds of columns."""

import numpy as np

from analyzer.schema import CONNECTIONS, FRAMES, Columns


def filled(rows: int, seed: int = 0) -> Columns:
    """Columns of every dtype that tables have, of odd lengths."""
    random = np.random.default_rng(seed)
    return {
        name: random.integers(0, 2 if dtype == "bool" else 100, rows).astype(dtype)
        for name, dtype in (FRAMES.dtypes | CONNECTIONS.dtypes).items()
    }


def same(one: Columns, other: Columns) -> bool:
    """Tell whether two tables are equal, with their order and dtypes."""
    pairs = zip(one.items(), other.items(), strict=True)
    return all(a == b and mine.dtype == his.dtype and np.array_equal(mine, his) for (a, mine), (b, his) in pairs)
