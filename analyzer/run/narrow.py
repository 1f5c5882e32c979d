"""What belongs to some packets of an analysis: where they were seen, whose connections', and what is found of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.model import Finding, Point
from analyzer.schema import Int64

if TYPE_CHECKING:
    from analyzer.model.loss import Loss
    from analyzer.model.worked import Worked
    from analyzer.run.telling import Telling


@dataclass(frozen=True, slots=True)
class Chosen:
    """Packets, and what they belong to, by numbers among all."""

    packets: frozenset[int]
    connections: frozenset[int]
    points: frozenset[int]
    checks: frozenset[str]
    """Those that explain what is wrong with them."""
    connection_of: Callable[[Int64], Int64]

    @classmethod
    def of(cls, telling: "Telling", packets: Int64) -> "Chosen":
        """Look where *packets* belong."""
        connections, points = telling.belongings(packets)
        numbers = frozenset(packets.tolist())
        checks = {check for packet, check in telling.checks.items() if packet in numbers}
        return cls(numbers, connections, points, frozenset(checks), telling.connection_of)

    def seen(self, points: Iterable[Point]) -> list[Point]:
        """Return the points that saw them."""
        return [point for point in points if point.id in self.points]

    def found(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """
        Return the findings that are about them.

        Evidence names a few packets of a cause; it is about others of the same connections whose trouble it explains.
        """
        return tuple(one for one in findings if self._is_about(one))

    def _is_about(self, finding: Finding) -> bool:
        shown = [one.journey for one in finding.evidence if one.journey is not None]
        if any(journey in self.packets for journey in shown):
            return True
        if finding.check not in self.checks or not shown:
            return False
        return not self.connections.isdisjoint(self.connection_of(np.array(shown, np.int64)).tolist())

    def lost(self, losses: "Iterable[Loss]") -> "tuple[Loss, ...]":
        """Return the losses that some of their connections had."""
        return tuple(one for one in losses if any(each.connection in self.connections for each in one.most))

    def worked(self, shown: "Iterable[Worked]") -> "tuple[Worked, ...]":
        """Return what was shown to work by some of their connections."""
        return tuple(one for one in shown if not self.connections.isdisjoint(one.connections))
