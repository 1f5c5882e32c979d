"""What captures tell does not depend on how their data was cut."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import Trace, analyze
from analyzer.explain.rank import explain
from analyzer.report.json_report import json_lines
from tests.lab.faults.cases import CASES

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
RECORDINGS = [case.path for case in CASES] + sorted(path for path in SAMPLES.iterdir() if path.is_dir())
DRAW = RECORDINGS[::4]
"""``make parts`` cuts all of them, in many ways."""


def _json(trace: Trace) -> str:
    return "".join(json_lines(trace.content(decisions=True)))


@pytest.mark.parametrize("path", DRAW, ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_parts_tell_what_the_whole_tells(path: Path) -> None:
    """In as many parts as there are, and in two: every finding, journey, connection, number and measure."""
    whole = analyze([path])
    selection = "tcp || verdict != delivered"

    for count in (2, 64):
        parts = analyze([path], parts=count)
        assert _json(parts) == _json(whole)
        assert parts.overview() == whole.overview()
        assert parts.select(selection) == whole.select(selection)
        assert parts.worth_reading(7) == whole.worth_reading(7)
        shown = (list(trace.sightings(trace.select(selection))) for trace in (parts, whole))
        for mine, theirs in zip(*shown, strict=True):
            assert all(np.array_equal(mine[name], column) for name, column in theirs.items())


def test_the_order_of_parts_tells_nothing() -> None:
    """From the last to the first."""
    for path in RECORDINGS[::10]:
        trace = replace(analyze([path]), cut=64)

        told = trace.telling.told[::-1]

        assert explain((one.groups for one in told), (failure for one in told for failure in one.failures)) == (
            trace.unworded
        )


def test_many_recordings_have_parts() -> None:
    """Else the tests above would show little; those with one client and one service have one."""
    parts = [len(replace(analyze([path]), cut=64).parts) for path in RECORDINGS[::10]]

    assert sum(count > 1 for count in parts) > len(parts) / 3
    assert max(parts) >= 4
