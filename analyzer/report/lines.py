"""Journeys as JSON, one a line: of those that differ in nothing but numbers, the text is made once."""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from analyzer.model.alike import Alike
from analyzer.model.journey import Journey
from analyzer.report.fields import text_of

Batch = tuple[int, Iterable[tuple[Sequence[int], Journey | Alike]]]
"""How many journeys, and what some of them have in common, with their places."""
OPTIONAL = ("answers", "answered_by", "reply_latency_ns", "retransmission_of", "ack")
"""Fields that some of them do not have; others follow each."""


class Filled(Protocol):
    """What journeys have in common, in some form."""

    def filled(self, alike: Alike) -> list[str]:
        """Put everybody's numbers there."""


def lines(batches: Iterable[Batch]) -> Iterator[str]:
    """Give the JSON of each journey, in order."""
    return texts(batches, text_of, _Pattern.of)


def texts(
    batches: Iterable[Batch], told_alone: Callable[[Journey], str], in_common: Callable[[Journey], Filled]
) -> Iterator[str]:
    """Give the text of each journey, in order: as one is *told_alone*, or by what it has *in_common* with others."""
    patterns: dict[Hashable, Filled] = {}
    for size, parts in batches:
        found = [""] * size
        for places, told in parts:
            if isinstance(told, Journey):
                found_here = [told_alone(told)]
            else:
                if told.kind not in patterns:
                    if len(patterns) >= MOST:
                        patterns.clear()
                    patterns[told.kind] = in_common(told.one())
                found_here = patterns[told.kind].filled(told)
            for place, text in zip(places, found_here, strict=True):
                found[place] = text
        yield from found


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The text of a journey, with ``%s`` where those like it have something else."""

    text: str
    names: tuple[str, ...]
    """What is there, in order."""

    @classmethod
    def of(cls, journey: Journey) -> "_Pattern":
        """Make the text of one with marks in place of numbers, that stand nowhere else in it."""
        for base in count(FIRST, STEP):
            marks = _Marks(base)
            example = _marked(journey, marks)
            text = text_of(example).replace("%", "%%")
            if text.count(str(base // MANY)) == len(marks.of):
                break
        for name in OPTIONAL:
            if name in marks.of:
                text = text.replace(f'"{name}": {marks.of[name]}, ', str(marks.of[name]), 1)
        text = text.replace(json.dumps(example.summary), example.summary, 1)
        names = {str(mark): name for name, mark in marks.of.items()}
        return cls(marks.pattern.sub("%s", text), tuple(names[found] for found in marks.pattern.findall(text)))

    def filled(self, alike: Alike) -> list[str]:
        """Put everybody's numbers there."""
        columns = [_column(alike, name) for name in self.names]
        return [self.text % values for values in zip(*columns, strict=True)]


class _Marks:
    """Numbers that stand for others, by name."""

    def __init__(self, base: int) -> None:
        self._base = base
        self.pattern = re.compile(rf"{self._base // MANY}\d{{{len(str(MANY)) - 1}}}")
        self.of: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        self.of[name] = self._base + len(self.of)
        return self.of[name]


MOST = 20_000
"""Texts that are kept, some 2 kB each."""
FIRST, STEP, MANY = 8_888_000_000_000_000_000, 1_000_000_000_000, 10_000
"""Marks to try; of each as many as hops have fields."""


def _marked(first: Journey, mark: _Marks) -> Journey:
    hops = tuple(
        replace(
            hop,
            frames=(mark(f"frame{place}"),),
            time_ns=mark(f"time{place}"),
            latency_ns=None if hop.latency_ns is None else mark(f"latency{place}"),
            length=mark(f"length{place}"),
            ip_id=None if hop.ip_id is None else mark(f"ip_id{place}"),
        )
        for place, hop in enumerate(first.hops)
    )
    return replace(
        first,
        id=mark("id"),
        summary=str(mark("summary")),
        latency_ns=None if first.latency_ns is None else mark("latency"),
        hops=hops,
        answers=mark("answers"),
        answered_by=mark("answered_by"),
        reply_latency_ns=mark("reply_latency_ns"),
        retransmission_of=mark("retransmission_of"),
        payload_len=None if first.payload_len is None else mark("payload_len"),
        seq=None if first.seq is None else mark("seq"),
        ack=None if first.seq is None else mark("ack"),
        window=None if first.window is None else mark("window"),
        tcp_flags=None if first.tcp_flags is None else mark("tcp_flags"),
    )


def _column(alike: Alike, name: str) -> Sequence[int | str]:
    if name == "summary":
        return [json.dumps(text) for text in alike.summaries]
    numbers = alike.numbers[name]
    return [f'"{name}": {number}, ' if number >= 0 else "" for number in numbers] if name in OPTIONAL else numbers
