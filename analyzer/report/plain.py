"""Journeys as text without colours, for files and pipes: of those that differ in nothing but numbers, told once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from analyzer.model.alike import Alike
from analyzer.model.journey import Journey
from analyzer.report.lines import Batch, texts
from analyzer.report.safe import safe
from analyzer.report.story import Line, doubt, tell
from analyzer.report.units import duration, since


def stories(batches: Iterable[Batch], start_ns: int) -> Iterator[str]:
    """Give each journey as :func:`analyzer.report.story.tell` has it, in lines, in order."""
    return texts(batches, partial(_told, start_ns=start_ns), partial(_Story.of, start_ns=start_ns))


def _told(journey: Journey, start_ns: int) -> str:
    return "".join(_line(line) for line in tell(journey, start_ns))


def _line(line: Line) -> str:
    return "".join(text for _, text in line) + "\n"


@dataclass(frozen=True, slots=True)
class _Hop:
    """A hop's line, around its numbers."""

    before: str
    """What stands above it, and before the frame's number."""
    between: str
    """Behind the time."""
    behind: str | None
    """Behind the time to the next hop; None where none is told."""


@dataclass(frozen=True, slots=True)
class _Story:
    """The text of a journey, around the numbers of those like it."""

    start_ns: int
    title: str
    """Behind the summary."""
    hops: tuple[_Hop, ...]
    end: str
    """Of the last line, before whom it answers."""

    @classmethod
    def of(cls, journey: Journey, start_ns: int) -> "_Story":
        """Tell one; hops' lines begin with a mark, a point, and the number and time."""
        plain = replace(journey, answers=None, answered_by=None, retransmission_of=None)
        told = list(tell(plain, start_ns))
        hops: list[_Hop] = []
        before = ""
        for line in told[1:-1]:
            if line[0][1] != HOP:
                before += _line(line)
                continue
            hop = journey.hops[len(hops)]
            rest = line[3:] if hop.latency_ns is None else line[3:-1]
            behind = doubt(hop) if hop.latency_ns is not None else None
            hops.append(_Hop(before + line[0][1] + line[1][1] + "  #", "".join(text for _, text in rest), behind))
            before = ""
        title = "".join(text for _, text in told[0][2:])
        return cls(start_ns, title, tuple(hops), before + "".join(text for _, text in told[-1]))

    def filled(self, alike: Alike) -> list[str]:
        """Put everybody's numbers there."""
        numbers = alike.numbers
        found = [
            f"J{number} {safe(summary)}{self.title}{f'  sent again after J{first}' if first >= 0 else ''}\n"
            for number, summary, first in zip(numbers["id"], alike.summaries, numbers["retransmission_of"], strict=True)
        ]
        for place, hop in enumerate(self.hops):
            frames, times = numbers[f"frame{place}"], numbers[f"time{place}"]
            lines = [
                f"{hop.before}{frame:<4} {since(time, self.start_ns)}  {hop.between}"
                for frame, time in zip(frames, times, strict=True)
            ]
            if hop.behind is not None:
                took = numbers[f"latency{place}"]
                lines = [f"{line}  then {duration(ns)}{hop.behind}" for line, ns in zip(lines, took, strict=True)]
            found = [f"{text}{line}\n" for text, line in zip(found, lines, strict=True)]
        ends = (numbers[name] for name in ("answered_by", "reply_latency_ns", "answers"))
        return [
            f"{text}{self.end}{_answered(by, took) if by >= 0 else ''}{f'; answers J{asked}' if asked >= 0 else ''}\n"
            for text, by, took, asked in zip(found, *ends, strict=True)
        ]


HOP = "    ● "


def _answered(by: int, took: int) -> str:
    return f"; answered by J{by}" + (f" after {duration(took)}" if took >= 0 else "")
