"""What all packets together tell: the same from one table of all as from those of parts."""

from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import analyze
from analyzer.packet.context import Context
from analyzer.packet.known import Known
from tests.lab.faults.cases import CASES
from tests.lab.faults.observed import OBSERVED

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "sample_pcaps").iterdir() if path.is_dir())
DROPS = [case.path for case in CASES if case.fault in OBSERVED]
TABLES = ("routers", "homes", "targets", "senders", "addresses", "bridged", "returns", "two_clocks", "learnt", "drops",
          "asked", "alive", "askers", "busy")  # fmt: skip


def _parts(path: Path, count: int) -> tuple[Context, list[Context]]:
    """Return a context, and its parts."""
    return analyze([path]).context, [part.context for part in analyze([path], parts=count).parts]


@pytest.mark.parametrize(
    "path", [*SAMPLES, *DROPS, *(case.path for case in CASES[::9])], ids=lambda path: path.name.removesuffix(".tar.zst")
)
def test_parts_know_together_what_the_whole_knows(path: Path) -> None:
    """Each table, entry by entry; in any order of parts."""
    whole, parts = _parts(path, 64)
    all_of_it = Known.of([whole])

    for known in (Known.of(parts), Known.of(parts[::-1]), Known.of(parts, at_once=True)):
        for name in TABLES:
            assert getattr(known, name) == getattr(all_of_it, name), name
        for mine, theirs in zip(astuple(known.begun), astuple(all_of_it.begun), strict=True):
            assert np.array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("homes", lambda found: not found),
        ("targets", lambda found: not found),
        ("returns", lambda found: not found),
        ("drops", lambda found: not found),
        ("begun", lambda found: not len(found.packet)),
        ("learnt", lambda found: not found),
    ],
)
def test_there_is_something_to_know(name: str, empty: Callable[[Any], bool]) -> None:
    """Else the test above would show little."""
    known = [Known.of([_parts(path, 1)[0]]) for path in (*SAMPLES[::2], *DROPS[:2])]

    assert not all(empty(getattr(one, name)) for one in known)
