"""Tables whose columns are read, or made, when somebody asks for them first: few need all of them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from analyzer.schema import Array, Columns


class Unread(Columns):
    """
    A table: a dict like any other.

    Whoever goes through it, or asks for what it has, gets every column.
    """

    def __init__(self, names: Iterable[str], read: Callable[[str], Array], *beneath: Columns) -> None:
        """Take the names of its columns, in order, what reads one, and the tables that this takes them from."""
        super().__init__()
        self._names, self._read, self._beneath = dict.fromkeys(names), read, beneath

    def __missing__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        found = self._read(name)
        super().__setitem__(name, found)
        return found

    def __setitem__(self, name: str, column: Array) -> None:
        self._names[name] = None
        super().__setitem__(name, column)

    def get(self, name: str, other: Any = None) -> Any:
        """Return a column, or *other* if it has none of that name."""
        return self[name] if name in self._names else other

    def pop(self, name: str, *_: Any) -> Array:
        """Return a column, and do not hold it: it is read again if somebody asks once more."""
        found = self[name]
        self.forget(name)
        return found

    def forget(self, name: str) -> None:
        """Do not hold a column any more."""
        super().pop(name, None)
        for table in self._beneath:
            if isinstance(table, Unread):
                table.forget(name)

    def __or__(self, other: Columns) -> Columns:  # type: ignore[override]
        """Return a table that has the columns of *other*, too, or in place of its own."""
        return Unread([*self._names, *other], lambda name: (other if name in other else self)[name], self, other)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def keys(self) -> Any:
        """Return the names of its columns."""
        return self._names.keys()

    def values(self) -> Any:
        """Return all columns."""
        return [self[name] for name in self._names]

    def items(self) -> Any:
        """Return all names and columns."""
        return [(name, self[name]) for name in self._names]

    def __reduce__(self) -> tuple[Any, ...]:
        """Tell others all columns."""
        return dict, (self.items(),)


def only(table: Columns, names: Iterable[str]) -> Columns:
    """Return a table of some columns of another one."""
    return Unread(names, table.__getitem__, table)
