"""An analysis narrowed to some of its journeys, and to what these belong to."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.model import Finding
from analyzer.report.content import Content
from analyzer.run.narrow import Chosen
from analyzer.run.trace import Trace
from analyzer.schema import Columns

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.model.loss import Loss
    from analyzer.model.worked import Worked


class Filtered(Trace):
    """
    The same analysis, of which less is told; numbers stay what they are.

    Tables have the frames of its journeys, and the connections that these belong to, by their numbers.
    """

    def __init__(self, whole: Trace, numbers: Sequence[int]) -> None:
        """Narrow *whole*, which stays as it is, to the journeys of *numbers*."""
        self.whole: Trace = whole.whole if isinstance(whole, Filtered) else whole
        self._within = list(numbers)
        fields = {name: value for name, value in vars(self.whole).items() if name in Trace.__dataclass_fields__}
        super().__init__(**fields)
        # What was read, cut and reckoned is the whole's, and is not done again.
        vars(self).update({name: getattr(self.whole, name) for name in ("telling", "_names", "kernel")})

    @property
    def numbers(self) -> Sequence[int]:
        """Of its journeys, in order of time."""
        return self._within

    @cached_property
    def _chosen(self) -> Chosen:
        return Chosen.of(self.telling, np.array(self.numbers, np.int64))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Those that are about its journeys."""
        return self._chosen.found(self.whole.findings)

    @cached_property
    def losses(self) -> "tuple[Loss, ...]":
        """Those that its connections had."""
        return self._chosen.lost(self.whole.losses)

    @cached_property
    def worked(self) -> "tuple[Worked, ...]":
        """What of it was shown to work."""
        return self._chosen.worked(self.whole.worked)

    @cached_property
    def hops(self) -> "pd.DataFrame":
        """HOPS of its journeys."""
        hops = self.whole.hops
        return hops[np.isin(hops["packet"], self.numbers)]

    @cached_property
    def frames(self) -> "pd.DataFrame":
        """FRAMES of the same."""
        return self.whole.frames.loc[np.sort(self.hops["row"].to_numpy())]

    @cached_property
    def connections(self) -> "pd.DataFrame":
        """CONNECTIONS that they belong to."""
        return self.whole.connections.loc[sorted(self._chosen.connections)]

    def select(self, text: str) -> list[int]:
        """Return those of its journeys that a selection picks."""
        found: list[int] = np.intersect1d(self.whole.select(text), self._within).astype(np.int64).tolist()
        return found

    def sightings(self, numbers: Sequence[int] | None = None) -> Iterator[Columns]:
        """Give HOPS and FRAMES of its journeys."""
        return super().sightings(self.numbers if numbers is None else numbers)

    def dispositions(self, numbers: Sequence[int] | None = None) -> dict[str, int]:
        """Count its journeys by how they ended."""
        return super().dispositions(self.numbers if numbers is None else numbers)

    def content(self, *, selection: str | None = None, numbers: Sequence[int] | None = None, **rest: Any) -> Content:
        """Collect what a report tells of its journeys."""
        if selection is not None:
            numbers = self.select(selection)
        return super().content(numbers=self.numbers if numbers is None else numbers, **rest)
