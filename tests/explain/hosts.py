"""Hosts that were recorded whole (tests/hosts), by name, as they are analysed."""

from functools import cache
from pathlib import Path

from analyzer import Trace, analyze

RECORDED = Path(__file__).parents[1] / "hosts"


@cache
def trace_of(name: str) -> Trace:
    """Return what is told of a recording; once a process."""
    return analyze([RECORDED / f"{name}.tar.zst"])
