"""Which conversations are one connection, before and after translation.

Frames of equal identity in two conversations, at two points, within a short time, are a vote that NAT made one of
the other. Votes that nothing contradicts make a mapping. Where conversations compete, NAT's own rules decide: it is
one to one, it leaves one end alone, it keeps the port if it can, and it takes microseconds. What even these do not
decide is marked ambiguous.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.link.tuples import Seen
from analyzer.link.votes import Candidates
from analyzer.schema import Array, Int64

MOSTLY = 0.5
"""Share of a conversation's packets that must be explained to doubt that it is one of its own."""


@dataclass(slots=True)
class Mapping:
    """Conversations joined to connections."""

    connection: Int64
    """(conversations,) connection, from 0."""
    flipped: Array
    """(conversations,) bool: its first endpoint is the other side than in the connection's first conversation."""
    ambiguous: Array
    """(conversations,) bool: another mapping would explain the frames as well."""
    rivals: list[tuple[int, int]]
    """Conversations, and others that would explain the frames as well in the place of what they were joined to."""
    doubts: list[tuple[int, int]]
    """Pairs that may be one packet's before and after translation, of which too little is known to join them."""


def map_conversations(seen: Seen, candidates: Candidates) -> Mapping:
    """Join conversations to connections: *seen* tells where each was seen, *candidates* which pairs have votes."""
    joined = _Joined(seen, candidates)
    ambiguous = np.zeros(seen.count, bool)
    rivals: list[tuple[int, int]] = []
    sure = candidates.sure.tolist()
    for index in candidates.best_first().tolist():
        if joined.join(index) and not sure[index] and (others := candidates.rivals(index)):
            ambiguous[[candidates.first[index], candidates.second[index]]] = True
            rivals += [(int(candidates.first[index]), other) for other in others]
    connection, flipped = joined.result()
    return Mapping(connection, flipped, ambiguous, rivals, _doubts(candidates, connection))


def _doubts(candidates: Candidates, connection: Int64) -> list[tuple[int, int]]:
    """Return candidates that leave one end alone and explain most packets, of conversations that stand alone."""
    alone = np.bincount(connection, minlength=1)[connection] == 1
    left = alone[candidates.first] & alone[candidates.second] if len(candidates.first) else candidates.routed
    doubtful = np.flatnonzero(left & (candidates.kept_ends >= 1) & (candidates.share >= MOSTLY))
    return list(zip(candidates.first[doubtful].tolist(), candidates.second[doubtful].tolist(), strict=True))


class _Joined:
    """Groups of conversations; a disjoint-set forest that also keeps which way round each one is."""

    def __init__(self, seen: Seen, candidates: Candidates) -> None:
        # Lists: reading one value of an array takes ten times as long.
        self._candidates = list(
            zip(
                *(column.tolist() for column in (candidates.first, candidates.second, candidates.change)),
                *(column.tolist() for column in (candidates.crossed, candidates.sure, candidates.plausible)),
                strict=True,
            )
        )
        self._parent = list(range(seen.count))
        self._crossed = [False] * seen.count
        # Sets of points by direction, as bits: where answers pass is no matter for questions.
        self._points = [[0, 0] for _ in range(seen.count)]
        where = zip(seen.conversation.tolist(), seen.backward.tolist(), seen.point.tolist(), strict=True)
        for conversation, back, point in where:
            self._points[conversation][back] |= 1 << point
        self._changed: dict[int, set[int]] = {}

    def _find(self, item: int) -> tuple[int, bool]:
        crossed = False
        while self._parent[item] != item:
            crossed ^= self._crossed[item]
            item = self._parent[item]
        return item, crossed

    def join(self, index: int) -> bool:
        """Join the two conversations of a candidate, if the rules of NAT allow it."""
        first, second, change, turned, sure, plausible = self._candidates[index]
        root, crossed_first = self._find(first)
        other, crossed_second = self._find(second)
        if root == other:
            return False
        mine = {0, 1} if change == 2 else {change ^ crossed_first}
        crossed = crossed_first ^ crossed_second ^ turned
        theirs = {side ^ crossed for side in self._changed.get(other, set())}
        changed = self._changed.get(root, set()) | theirs
        # One conversation per point, and each end translated once: else two senders would share one image.
        points, further = self._points[root], self._points[other][:: -1 if crossed else 1]
        clash = any(one & two for one, two in zip(points, further, strict=True)) or bool(mine & changed)
        if not sure and (clash or not plausible):
            return False
        changed |= mine
        points = [one | two for one, two in zip(points, further, strict=True)]
        if other < root:
            root, other = other, root
            changed = {side ^ crossed for side in changed}
            points = points[:: -1 if crossed else 1]
        self._parent[other] = root
        self._crossed[other] = crossed
        self._points[root] = points
        self._changed[root] = changed
        return True

    def result(self) -> tuple[Int64, Array]:
        """Number the groups, in order of their first conversation."""
        found = [self._find(item) for item in range(len(self._parent))]
        roots, connection = np.unique(np.array([root for root, _ in found], np.int64), return_inverse=True)
        del roots
        return connection.astype(np.int64), np.array([crossed for _, crossed in found], bool)
