"""What a report tells: of all journeys, or of some."""

from pathlib import Path

from analyzer import analyze

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def test_of_all() -> None:
    """Numbers of everything, and at most so many of each."""
    content = analyze(SEED).content(journeys=2, connections=1)

    assert (content.packets, content.picked, content.shown, content.connection_count) == (23, 23, 2, 2)
    assert len(list(content.journeys)) == len(list(content.journey_texts)) == 2
    assert len(list(content.connections)) == 1


def test_of_some() -> None:
    """Their connections and points, and the number of all."""
    trace = analyze(SEED)
    content = trace.content(numbers=trace.select("tcp"), journeys=3)

    assert (content.packets, content.picked, content.shown, content.connection_count) == (23, 12, 3, 1)
    assert [one.id for one in content.connections] == [1]
    assert len(list(content.connection_texts)) == 1
    assert content.unanswered == 0
