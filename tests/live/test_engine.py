"""Records from a real Docker Engine, here and now, and follows every packet of it."""

import os
from pathlib import Path

import pytest

from analyzer import analyze
from tests.correlate.groups import packets_of, tuples_of
from tests.lab.engine import Lab, missing_programs
from tests.lab.record import record
from tests.lab.scenarios import SCENARIOS
from tests.oracle import Truth

MISSING = missing_programs()
IN_CI = bool(os.environ.get("CI"))
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root"),
    pytest.mark.skipif(bool(MISSING) and not IN_CI, reason=f"the lab needs {', '.join(MISSING)}"),
]


def test_what_is_recorded_now_is_grouped_exactly(tmp_path: Path) -> None:
    """All scenarios, recorded anew: kernel, engine and timing are never quite the same."""
    with Lab() as lab:
        for scenario in SCENARIOS:
            record(lab, scenario, tmp_path / scenario.name)
    for scenario in SCENARIOS:
        folder = tmp_path / scenario.name
        trace, truth = analyze(sorted(folder.glob("*.pcap"))), Truth(folder)

        assert packets_of(trace) == truth.packets(), scenario.name
        assert tuples_of(trace) == truth.tuples(), scenario.name
