"""Tables whose columns are read when somebody asks for them."""

import pickle

import numpy as np
import pytest

from analyzer.read.unread import Unread, only
from analyzer.schema import Array, Columns

NAMES = ("a", "b", "c")


class _Reader:
    """Reads columns, and notes which."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, name: str) -> Array:
        self.read.append(name)
        return np.full(2, NAMES.index(name))


@pytest.fixture
def reader() -> _Reader:
    """Nothing was read yet."""
    return _Reader()


@pytest.fixture
def table(reader: _Reader) -> Unread:
    """Three columns."""
    return Unread(NAMES, reader)


def test_what_nobody_asks_for_is_not_read(table: Unread, reader: _Reader) -> None:
    """What is asked for again neither; names cost nothing."""
    assert (table["b"].tolist(), table["b"].tolist(), table.get("d")) == ([1, 1], [1, 1], None)
    assert (list(table), len(table), "c" in table, "d" in table) == (["a", "b", "c"], 3, True, False)
    assert reader.read == ["b"]
    with pytest.raises(KeyError):
        table["d"]


@pytest.mark.parametrize(
    "copied",
    [dict, lambda table: {**table}, lambda table: {} | table, lambda table: dict(table.items()),
     lambda table: dict(zip(table.keys(), table.values(), strict=True)),
     lambda table: pickle.loads(pickle.dumps(table))],
    ids=["dict", "stars", "or", "items", "keys and values", "pickle"],
)  # fmt: skip
def test_whoever_takes_all_gets_all(table: Unread, copied: type[Columns]) -> None:
    """In their order, as a plain table."""
    table["c"]
    found = copied(table)

    assert {name: column.tolist() for name, column in found.items()} == {"a": [0, 0], "b": [1, 1], "c": [2, 2]}
    assert type(found) is dict


def test_tables_over_it_read_no_more(table: Unread, reader: _Reader) -> None:
    """Some of its columns, or others beside them and in place of them."""
    over = only(table, ("a", "b")) | {"b": np.array([7, 7]), "d": np.array([8, 8])}

    assert (list(over), over["b"].tolist(), over["d"].tolist(), reader.read) == (["a", "b", "d"], [7, 7], [8, 8], [])
    assert (over["a"].tolist(), reader.read) == ([0, 0], ["a"])


def test_what_is_taken_out_is_not_held(table: Unread, reader: _Reader) -> None:
    """Not by the tables beneath either; it can be read once more."""
    over = table | {"d": np.array([8, 8])}

    assert (over.pop("a").tolist(), over.pop("d").tolist()) == ([0, 0], [8, 8])
    assert (over["a"].tolist(), reader.read) == ([0, 0], ["a", "a"])


def test_a_column_may_be_added(table: Unread) -> None:
    """Or replaced."""
    table["b"], table["d"] = np.array([5, 5]), np.array([6, 6])

    assert [column.tolist() for column in dict(table).values()] == [[0, 0], [5, 5], [2, 2], [6, 6]]
