"""A journey's frames in full."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.run.dissected import dissected

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.mark.tshark
def test_each_hop() -> None:
    """By its point, and the frame's number there."""
    trace = analyze(SEED)
    told = list(dissected(trace, trace["J3"]))  # type: ignore[arg-type]

    assert [(point, number) for point, number, _ in told] == [
        (hop.point, number) for hop in trace.journey(3).hops for number in hop.frames
    ]
    assert all("ICMP" in lines for _, _, lines in told)


def test_what_cannot_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe is gone."""
    trace = analyze(SEED)
    monkeypatch.setattr("analyzer.run.dissected.needs_spool", lambda _: True)

    with pytest.raises(SelectionError, match="cannot be read again"):
        next(dissected(trace, trace.journey(3)))
