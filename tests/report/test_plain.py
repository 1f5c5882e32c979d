"""Journeys as text, made for many at once: the same as one by one."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.report.story import tell
from analyzer.run import Trace

ROOT = Path(__file__).parents[2]
RECORDED = [
    *sorted(one for one in ROOT.glob("sample_pcaps/*") if one.is_dir()),
    *sorted(ROOT.glob("tests/hosts/*.tar.zst"))[::12],
    *sorted(ROOT.glob("tests/faults/*.bridge.tar.zst"))[::12],
]


def _one_by_one(trace: Trace, start_ns: int) -> list[str]:
    return [
        "".join("".join(text for _, text in line) + "\n" for line in tell(journey, start_ns))
        for journey in trace.journeys()
    ]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_the_same_as_one_by_one(path: Path) -> None:
    """Whatever they have in common."""
    trace = analyze([path])

    assert list(trace.stories(None, 7)) == _one_by_one(trace, 7)


@pytest.mark.parametrize("parts", [1, 3])
def test_in_parts_and_of_some(parts: int) -> None:
    """In order, and of those that are asked for."""
    trace = analyze([ROOT / "sample_pcaps" / "lossy"], parts=parts)
    told = _one_by_one(trace, 0)

    assert list(trace.stories(None, 0)) == told
    assert list(trace.stories([3, 17, 18], 0)) == [told[3], told[17], told[18]]


def test_the_report_is_the_same_with_colours_but_for_them() -> None:
    """On a terminal each is told by itself."""
    words = ["analyze", str(ROOT / "sample_pcaps" / "lossy"), "-n", "40"]
    plain, coloured = (
        CliRunner().invoke(main, [*words, "--color", how], color=True).stdout for how in ("never", "always")
    )

    assert "\x1b[" in coloured
    assert plain.count("\nJ") == 40
    assert plain == re.sub(r"\x1b\[[0-9;]*m", "", coloured)
