"""All parts of an analysis: what is asked of each, and what they know together."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar, overload

from analyzer.packet.context import Context
from analyzer.packet.known import Known, says
from analyzer.read.work import Work
from analyzer.run.engine import Engine
from analyzer.run.part import Given, Part

T = TypeVar("T")
R = TypeVar("R")


class Parts(Sequence[Part]):
    """All parts of an analysis; of those whose tables lie in files, one is open at a time."""

    def __init__(
        self,
        makers: Sequence[Callable[[], Context]],
        knowing: Sequence[Callable[[], Context]] | None,
        everywhere: Callable[[], Context],
        given: Given,
        nothing: Context,
        engine: Engine,
        work: Work,
    ) -> None:
        """
        Take parts.

        Args:
            makers: make each one's tables.
            knowing: make tables of all packets, each in one of them, by which the network is known; None for parts'
                own.
            everywhere: makes the tables of what is in all of them.
            given: what they are told with.
            nothing: a context without packets.
            engine: does what is asked of each.
            work: where tables are kept.
        """
        self.work, self._engine, self._knowing, self._everywhere = work, engine, knowing, everywhere
        self._open: Part | None = None
        self._parts = [Part(partial(self._context, make), given, self._opening) for make in makers]
        self.known = Known(self._each_says, nothing, at_once=work.folder is not None)
        """What all of them together tell."""

    def __getstate__(self) -> dict[str, object]:
        """Tell others how they are made."""
        return vars(self) | {"_engine": None, "_open": None, "_everywhere": None}

    def each(self, stage: "Callable[[Parts, T], R]", items: Sequence[T]) -> Iterator[R]:
        """Do something with parts."""
        return self._engine.map(stage, self, items)

    def _each_says(self, names: list[str], before: list[Any], in_each: bool) -> Iterator[list[Any]]:
        if in_each:
            return iter([says(self._everywhere(), names, before)])
        count = len(self if self._knowing is None else self._knowing)
        return self.each(_says, [(place, names, before) for place in range(count)])

    def knowing(self, place: int) -> Context:
        """Return the tables of some packets, by which the network is known."""
        return self[place].context if self._knowing is None else self._context(self._knowing[place])

    def _context(self, make: Callable[[], Context]) -> Context:
        context = make()
        context.known = self.known
        return context

    def _opening(self, part: Part) -> None:
        if self.work.folder is not None and self._open is not None:
            self._open.close()
        self._open = part

    @overload
    def __getitem__(self, place: int) -> Part: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Part]: ...
    def __getitem__(self, place: int | slice) -> Part | Sequence[Part]:
        """Return a part."""
        return self._parts[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._parts)


def _says(parts: Parts, item: tuple[int, list[str], list[Any]]) -> list[Any]:
    place, names, before = item
    return says(parts.knowing(place), names, before)
