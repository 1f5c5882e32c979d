"""What captures tell does not depend on how their data was cut."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.explain.cut import COMPARED, findings_in_parts
from tests.lab.faults.cases import CASES

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
RECORDINGS = [case.path for case in CASES] + sorted(path for path in SAMPLES.iterdir() if path.is_dir())


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.removesuffix(".tar.zst"))
def test_parts_tell_what_the_whole_tells(path: Path) -> None:
    """In two parts, and in as many as there are, from the last to the first: all findings, fact by fact."""
    trace = analyze([path])
    whole = trace.unworded

    for count, backwards in ((2, False), (64, True)):
        found, _ = findings_in_parts(trace, count, backwards=backwards)

        if path.name.removesuffix(".tar.zst") in COMPARED:
            assert [(one.check, one.severity) for one in found] == [(one.check, one.severity) for one in whole]
        else:
            assert found == whole


def test_many_recordings_have_parts() -> None:
    """Else the test above would show little; those with one client and one service have one."""
    parts = [findings_in_parts(analyze([path]), 64)[1] for path in RECORDINGS[::10]]

    assert sum(count > 1 for count in parts) > len(parts) / 3
    assert max(parts) >= 4
