"""Captures that were taken to be of one host are of two: their times fit only with an offset that no delay explains."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.model.words import plural
from analyzer.trace.clocks import Pair


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each clock that is not the first one's, with all its points."""
    partners: dict[int, set[int]] = {}
    for pair in subject.context.two_clocks:
        partners.setdefault(pair.first, set()).add(pair.second)
        partners.setdefault(pair.second, set()).add(pair.first)
    told: set[tuple[int, ...]] = set()
    for pair in subject.context.two_clocks:
        # Points of one clock are apart from the same others.
        ends = [sorted(p for p in partners if partners[p] == partners[end]) for end in (pair.first, pair.second)]
        if (key := tuple(sorted(ends[0] + ends[1]))) not in told:
            told.add(key)
            yield _finding(subject, pair, *ends)


def _finding(subject: Subject, pair: Pair, first: list[int], second: list[int]) -> Finding:
    points, ahead = subject.context.points, pair.offset_ns / 1e9
    one, two = (", ".join(points[number].name for number in ends) for ends in (first, second))
    example = points[pair.second]
    return CHECK.finding(
        f"{one} and {two} have two clocks, {abs(ahead):,.3f} s apart",
        f"{plural(pair.packets, 'packet')}, in both directions, "
        f"{'would arrive before they were sent' if pair.rows else 'are at both'}, unless {two} is of another host, "
        f"whose clock is {abs(ahead):,.3f} s {'ahead' if ahead > 0 else 'behind'}. Until that is said, times between "
        "the two, and what seems lost or unanswered there, say nothing.",
        basis=Basis.INFERRED,
        evidence=tuple(map(subject.shown, pair.rows)) or (Evidence(points[pair.first].name), Evidence(example.name)),
        remedy=f"Say so: --point {example.name}={example.file},host=OTHER",
    )


CHECK = Check(
    "two-clocks",
    Severity.WARNING,
    "captures of two points or more",
    "The times of two points fit only with an offset: they are of two hosts, and nobody said so.",
    "Say of which host each capture is: --point NAME=FILE,host=NAME.",
    look,
)
