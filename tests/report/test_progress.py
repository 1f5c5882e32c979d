"""How far an analysis is: one line, where somebody sees it."""

import io
import sys

import pytest

from analyzer.report import progress as module
from analyzer.report.progress import progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nobody_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written to a file or a pipe."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress() as hears:
        assert hears is None


def test_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading, then stage by stage; a stage of one task is not worth a line."""
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(module, "REFRESH_S", 0)
    with progress() as hears:
        assert hears is not None
        hears.reading(1_000, 50, 100)
        hears.reading(2_000, 100, 100)
        hears.stage("ballots", 3, 7)
        hears.stage("_explain", 1, 1)
        hears.stage("deal_range", 2, 7)
    told = terminal.getvalue()

    for text in ("reading", "1,000 frames", "correlating", "voting", "2,000 frames, 3 of 7 parts", "dealing"):
        assert text in told
    assert "explaining" not in told
