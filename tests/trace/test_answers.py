"""What was acknowledged before it was sent again: counted in columns, and one by one."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.trace.answers import acknowledged_before, find_answers, sent_again

ROOT = Path(__file__).parents[1]
LOSSY = sorted(ROOT.glob("faults/lossy-internet.*")) + sorted(ROOT.glob("faults/silent-path.*")) + sorted(
    ROOT.glob("faults/vanishing-*")
) + [ROOT.parent / "sample_pcaps" / "lossy"]  # fmt: skip


@pytest.mark.parametrize("path", LOSSY, ids=lambda path: path.name)
def test_acknowledged_before_the_copy(path: Path) -> None:
    """The same as the answers of each connection say."""
    context = analyze([path]).context
    again, originals = sent_again(context)
    connection = context.hops["connection"][context.packet_start[:-1]]
    found = acknowledged_before(context, originals, again)
    answers = {int(n): find_answers(context, context.packets_of(int(n))).answered_by for n in set(connection[again])}

    assert len(again)
    for copy, original, ack in zip(again.tolist(), originals.tolist(), found.tolist(), strict=True):
        answer = answers[int(connection[original])].get(original)
        assert (ack >= 0) == (answer is not None and answer < copy)
        assert ack < copy


def test_nothing_was_sent_again() -> None:
    """Empty arrays give empty arrays."""
    context = analyze([ROOT.parent / "sample_pcaps" / "seed"]).context
    again, originals = sent_again(context)

    assert len(acknowledged_before(context, originals, again)) == len(again) == 0
