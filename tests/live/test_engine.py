"""Records from a real Docker Engine, here and now, and follows every packet of it."""

import os
from pathlib import Path

import pytest

from analyzer import analyze
from tests.correlate.groups import IN_PARTS, packets_of, tuples_of
from tests.lab.engine import missing_programs
from tests.lab.record import record_all
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
    record_all(SCENARIOS, tmp_path)
    for folder in sorted(tmp_path.iterdir()):
        trace, truth = analyze(sorted(folder.glob("*.pcap"))), Truth(folder)

        assert tuples_of(trace) == truth.tuples(), folder.name
        if folder.name not in IN_PARTS:
            assert packets_of(trace) == truth.packets(), folder.name
