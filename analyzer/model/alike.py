"""Journeys that differ in nothing but numbers."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from analyzer.model.journey import Journey


@dataclass(frozen=True, slots=True)
class Alike:
    """What they have in common, and the numbers of each."""

    kind: Hashable
    """The same for all that are alike, whenever they are told."""
    one: Callable[[], Journey]
    """Tells one of them."""
    summaries: list[str]
    numbers: dict[str, list[int]]
    """
    By what they are: ``id``, ``latency``, ``payload_len``, ``answers`` and so on; of each hop ``frame0``, ``time0``,
    ``latency0``, ``length0``, ``ip_id0``. -1 stands for none.
    """
