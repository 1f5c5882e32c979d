"""Records from a real Docker Engine, here and now, and follows every packet of it."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.lab.record import record_all
from tests.lab.scenarios import SCENARIOS
from tests.link.test_hosts import found_inner, inner_truth
from tests.oracle import Truth
from tests.packet.groups import IN_PARTS, UNROUTED, packets_of, tuples_of
from tests.packet.test_samples import UNTRACKED

pytestmark = pytest.mark.live


def test_what_is_recorded_now_is_grouped_exactly(tmp_path: Path) -> None:
    """All scenarios, recorded anew: kernel, engine and timing are never quite the same."""
    record_all(SCENARIOS, tmp_path)
    for folder in sorted(tmp_path.iterdir()):
        inputs = [folder] if folder.name == UNROUTED else sorted(folder.glob("*.pcap"))
        trace, truth = analyze(inputs), Truth(folder)

        tuples = tuples_of(trace)
        if folder.name == UNTRACKED:
            tuples = [pair for pair in tuples if pair in truth.tuples()]
        assert tuples == truth.tuples(), folder.name
        if folder.name not in IN_PARTS:
            assert packets_of(trace) == truth.packets(), folder.name


def test_an_overlay_of_two_engines(tmp_path: Path) -> None:
    """A swarm set up here and now: every inner packet at all eight points."""
    record_all([], tmp_path, ["overlay"])

    assert found_inner(analyze([tmp_path / "overlay"])) == inner_truth(tmp_path / "overlay")
