"""Hosts that were recorded whole (tests/hosts), by name, as they are analysed."""

from functools import cache
from pathlib import Path

from analyzer import Trace, analyze

RECORDED = Path(__file__).parents[1] / "hosts"


@cache
def trace_of(name: str) -> Trace:
    """Return what is told of a recording; once a process."""
    return analyze([RECORDED / f"{name}.tar.zst"])


def told_first(name: str, expected: tuple[str, str, str]) -> tuple[str, str, str]:
    """Return the first finding's check, and title and remedy as far as they are *expected*; else all of them."""
    first = trace_of(name).findings[0]
    _, title, remedy = expected
    advice = f"{first.remedy} {' '.join(first.commands)}"
    return first.check, title if title in first.title else first.title, remedy if remedy in advice else advice
