"""Recordings of several hosts: each question is asked of the host whose point it is."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Finding

FAULTS = Path(__file__).parents[1] / "faults"
OTHER_HOST = Path(__file__).parents[2] / "sample_pcaps" / "overlay" / "host2"

FAULTY = ["drop-rule.bridge", "no-forwarding.bridge", "native-rule.bridge", "no-masquerade.bridge"]


def _told(*paths: Path) -> list[Finding]:
    return [finding for finding in analyze(list(paths)).findings if finding.check != "mac-moved"]


def _without_folders(findings: list[Finding], folder: str) -> list[tuple[str, str, tuple[str, ...], str | None]]:
    """Return what is told, with points' names as one recording alone has them."""
    return [(f.check, f.detail.replace(f"{folder}:", ""), f.proof, f.tried) for f in findings]


@pytest.mark.parametrize(
    "fault", ["drop-rule.bridge", "no-forwarding.bridge", "native-rule.bridge", "no-masquerade.bridge"]
)
@pytest.mark.parametrize("first", [True, False])
def test_another_hosts_recording_beside_it_changes_nothing(fault: str, first: bool) -> None:
    """The same finding, with its rule, its counters, and the remedy tried."""
    recording = FAULTS / f"{fault}.tar.zst"
    alone = _told(recording)
    both = _told(recording, OTHER_HOST) if first else _told(OTHER_HOST, recording)

    assert alone
    assert _without_folders(both, fault) == _without_folders(alone, fault)
    assert [one.title.replace(f"{fault}:", "") for one in both] == [f"{one.title}, on {fault}" for one in alone]


def test_two_faults_on_two_hosts() -> None:
    """Each is found in the state of its own host."""
    faults = "drop-rule.bridge", "no-forwarding.bridge"
    found = _told(*(FAULTS / f"{fault}.tar.zst" for fault in faults))

    assert [finding.check for finding in found] == ["filtered-by-rule", "forwarding-disabled"]
    assert [finding.tried for finding in found] == [
        finding.tried for fault in faults for finding in _told(FAULTS / f"{fault}.tar.zst")
    ]


def test_hosts_states_stay_apart() -> None:
    """By host: each has its own rules and routes."""
    trace = analyze([FAULTS / "drop-rule.bridge.tar.zst", OTHER_HOST])
    states = {point.host: trace.hosts[point.host] for point in trace.points}

    assert len(states) == 2
    assert len({id(state) for state in states.values()}) == 2
    assert all(state.routes for state in states.values())
