"""What journeys have in common is told once: the text is that of each journey told by itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from analyzer import Trace, analyze
from analyzer.journey.alike import Shapes
from analyzer.model import Journey
from analyzer.report.fields import to_json
from analyzer.report.lines import lines
from tests.bench.generate import write_captures
from tests.lab.faults.cases import CASES

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "sample_pcaps").iterdir() if path.is_dir())


def _one_by_one(trace: Trace) -> list[str]:
    return [json.dumps(to_json(journey), ensure_ascii=True) for journey in trace.journeys()]


def _by_themselves(trace: Trace) -> int:
    """Count the packets that are told by themselves."""
    own = np.arange(trace.packets)
    return sum(isinstance(told, Journey) for _, told in Shapes(trace.context, trace.tracer).told(own, own))


@pytest.mark.parametrize("path", [*SAMPLES, *(case.path for case in CASES[::3])], ids=lambda path: path.name)
def test_texts_of_recordings(path: Path) -> None:
    """Translations, fragments, tunnels, relays, errors, losses, ARP: every line is the same."""
    trace = analyze([path])

    assert list(trace.texts()) == _one_by_one(trace)


@pytest.mark.parametrize("parts", [1, 7])
def test_texts_of_many_connections(tmp_path: Path, parts: int) -> None:
    """Thousands of packets that are alike, in several parts, too; and some of them."""
    write_captures(tmp_path, 4_000)
    trace = analyze(tmp_path, parts=parts)
    texts = _one_by_one(trace)
    some = [7, 8, 9, 2000, 3999]

    assert list(trace.texts()) == texts
    assert list(trace.texts(some)) == [texts[number] for number in some]
    assert parts > 1 or _by_themselves(trace) < trace.packets / 2


def test_nothing_at_all() -> None:
    """Of no packets nothing is told."""
    assert list(lines([(0, [])])) == []
