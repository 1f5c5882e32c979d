"""The page's data: model objects as short rows over one table of texts, so that JavaScript reads them on demand.

Takes the content of a report, gives JSON. A dataclass becomes the list of its fields' values; ``fields`` tells their
names and kinds, once. Every text stands once in ``texts``. JavaScript's numbers end at 2**53, so times are relative to
``start``, itself a text.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, get_args, get_origin

from analyzer.model import (
    ArpExchange,
    ArpStep,
    Basis,
    Connection,
    Direction,
    Disposition,
    Evidence,
    Finding,
    Hop,
    Journey,
    Mac,
    Point,
    Severity,
    mac_text,
)
from analyzer.model.decision import Decision
from analyzer.model.finding import Other
from analyzer.model.loss import Loss
from analyzer.model.overview import Edge, LearntMac, NameQuery, Node, Overview
from analyzer.model.worked import Party, Worked
from analyzer.report.content import Content
from analyzer.report.fields import hints
from analyzer.report.html.quality import Note
from analyzer.report.lesson import lesson
from analyzer.report.safe import safe
from analyzer.report.story import answered, explain, stated
from analyzer.report.words.sentence import texts

LATENCIES = ("latency_ns", "reply_latency_ns", "latency_uncertainty_ns", "bin_ns", "least_ns", "median_ns", "p90_ns",
             "p99_ns", "most_ns", "uncertainty_ns", "offset_ns", "edges_ns", "medians_ns",
             "first_answer_ns")  # fmt: skip
"""Durations; all other ``_ns`` are times."""


@dataclass(slots=True)
class ToldStep:
    """A step, and what is said of it."""

    kind: str
    at_hop: int
    basis: Basis
    text: str
    details: tuple[str, ...]
    exchange: ArpExchange | None


@dataclass(slots=True)
class ToldJourney:
    """A journey as the page shows it."""

    id: int
    connection: int | None
    direction: Direction | None
    protocol: str
    summary: str
    disposition: Disposition
    reason: str
    basis: Basis
    latency_ns: int | None
    hops: tuple[Hop, ...]
    answers: int | None
    answered_by: int | None
    reply_latency_ns: int | None
    retransmission_of: int | None
    rejected_by: int | None
    error_about: int | None
    ambiguous: bool
    candidates: tuple[int, ...] | None
    payload_len: int | None
    seq: int | None
    ack: int | None
    window: int | None
    tcp_flags: int | None
    says: str | None
    steps: tuple[ToldStep, ...]
    answer: str | None
    """What is said of it."""
    lesson: tuple[str, ...]
    cause: str | None
    """Check that explains why it did not get through."""


@dataclass(frozen=True, slots=True)
class ToldFinding:
    """A finding as the page shows it."""

    check: str
    severity: Severity
    basis: Basis
    title: str
    cause: str
    """What acts; the whole title where nobody is kept from anything."""
    who: tuple[str, ...]
    what: tuple[str, ...]
    packets: int | None
    detail: str
    explanation: str
    proof: tuple[str, ...]
    tried: str | None
    remedy: str
    commands: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    alternatives: tuple[Other, ...]
    refuted: tuple[Other, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows of a dataclass are made."""

    values: Callable[[Any], tuple[Any, ...]]
    """Gives its fields' values, in order."""
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Those that are no JSON yet, and what makes it of them; None stays."""


class Packer:
    """Makes rows; texts are numbered as they come."""

    def __init__(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self.texts: dict[str, int] = {}
        self.fields: dict[str, list[list[str]]] = {}
        self._known: dict[Hashable, int] = {}
        """Numbers by what their texts were made of."""
        self._macs: dict[int, int] = {}
        self._plans: dict[type, Plan] = {}
        self._converters: dict[str, Callable[[Any], Any]] = {
            "text": self.text,
            "mac": self._mac,
            "texts": lambda items: [self.text(one) for one in items],
            "time": lambda time: time - start_ns,
            "numbers": list,
            "rows": lambda items: [self.row(one) for one in items],
            "list": lambda items: [self._item(one) for one in items],
            "row": self.row,
        }

    def row(self, value: Any) -> list[Any]:
        """Return the values of a dataclass's fields, in order."""
        kind: type = type(value)
        plan = self._plans.get(kind) or self._describe(kind)
        found = list(plan.values(value))
        for place, convert in plan.converted:
            item = found[place]
            if item is not None:
                found[place] = convert(item)
        return found

    def _item(self, item: Any) -> Any:
        if item is None or isinstance(item, int):
            return item
        return self.row(item) if is_dataclass(item) else self.text(item)

    def _mac(self, mac: int) -> int:
        number = self._macs.get(mac)
        if number is None:
            number = self._macs[mac] = self.text(mac_text(mac))
        return number

    def text(self, value: Hashable) -> int:
        """Return the number of a text, made harmless."""
        number = self._known.get(value)
        if number is None:
            plain = safe(value.value if isinstance(value, Enum) else value)
            number = self._known[value] = self.texts.setdefault(plain, len(self.texts))
        return number

    def _describe(self, kind: type) -> "Plan":
        told = {name: _code(name, hint) for name, hint in hints(kind).items()}
        self.fields[kind.__name__] = [[name, described] for name, (_, described) in told.items()]
        codes = enumerate(code for code, _ in told.values())
        converted = tuple((place, self._converters[code]) for place, code in codes if code != "number")
        values = attrgetter(*told) if len(told) > 1 else lambda one: (getattr(one, *told),)
        plan = self._plans[kind] = Plan(values, converted)
        return plan


def _code(name: str, hint: Any) -> tuple[str, str]:
    """Return how a field is packed, and how the page is told to unpack it."""
    options = [one for one in (get_args(hint) if get_origin(hint) is not tuple else (hint,)) if one is not type(None)]
    one = options[0] if options else hint
    if Mac in options or hint is Mac:
        return "mac", "text"
    if get_origin(one) is tuple:
        kinds = _parts(get_args(one)[0])
        items, single = [kind for kind in kinds if kind is not type(None)], len(kinds) == 1
        if is_dataclass(items[0]):
            return "rows" if single else "list", f"[{items[0].__name__}"  # type: ignore[union-attr]
        if items[0] is int:
            return "numbers" if single else "list", "[number"
        return "texts" if single else "list", "[text"
    if is_dataclass(one):
        return "row", one.__name__  # type: ignore[union-attr]
    if one in (int, bool, float):
        timed = name.endswith("_ns") and name not in LATENCIES
        return ("time", "number") if timed else ("number", "number")
    return "text", "text"


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is not tuple and get_args(hint) else (hint,)


_as_it_is = attrgetter(*(name for name in hints(ToldJourney) if name not in ("steps", "answer", "lesson", "cause")))
"""Returns what the page shows of a journey as it is: the first fields of ToldJourney."""


def told(journey: Journey, points: Mapping[str, Point], cause: str | None = None) -> ToldJourney:
    """Return a journey with its steps in words, its lesson, and the check that explains its end."""
    steps = tuple(
        ToldStep(
            step.kind,
            step.at_hop,
            step.basis,
            explain(step),
            tuple(stated(step)),
            step.exchange if isinstance(step, ArpStep) else None,
        )
        for step in journey.steps
    )
    answer = answered(journey) if journey.answered_by is not None else None
    return ToldJourney(*(*_as_it_is(journey), steps, answer, tuple(lesson(journey, points)), cause))


def told_finding(finding: Finding) -> ToldFinding:
    """Return a finding with what its first sentence is made of."""
    names = [name for name in hints(ToldFinding) if name not in ("cause", "who", "what", "packets")]
    packets = finding.facts.get("packets")
    return ToldFinding(
        **{name: getattr(finding, name) for name in names},
        cause=finding.cause or finding.title,
        who=tuple(texts(finding.facts, "who")),
        what=tuple(texts(finding.facts, "what")),
        packets=packets if isinstance(packets, int) else None,
    )


def pack(
    content: Content,
    connections: Iterable[Connection],
    journeys: Iterable[ToldJourney],
    overview: Overview,
    notes: Iterable[Note],
) -> str:
    """Return the page's data as JSON."""
    packer = Packer(overview.measures.start_ns)
    tables: dict[str, tuple[type, Iterable[Any]]] = {
        "points": (Point, content.points),
        "connections": (Connection, connections),
        "journeys": (ToldJourney, journeys),
        "arp": (ArpExchange, content.arp),
        "findings": (ToldFinding, map(told_finding, content.findings)),
        "losses": (Loss, content.losses),
        "decisions": (Decision, content.decisions),
        "worked": (Worked, content.worked),
        "parties": (Party, content.parties),
        "notes": (Note, notes),
        "learnt": (LearntMac, overview.learnt),
        "names": (NameQuery, overview.names),
        "nodes": (Node, overview.topology.nodes),
        "edges": (Edge, overview.topology.edges),
    }
    # A row is text at once: a hundred thousand lists would be looked through for cycles again and again.
    rows = {name: f"[{','.join(_json(packer.row(item)) for item in items)}]" for name, (_, items) in tables.items()} | {
        "measures": _json(packer.row(overview.measures))
    }
    document = {
        "start": _json(str(packer.start_ns)),
        "kinds": _json({name: kind.__name__ for name, (kind, _) in tables.items()} | {"measures": "Measures"}),
        "fields": _json(packer.fields),
        "texts": _json(list(packer.texts)),
        "rows": _object(rows),
    }
    return _object(document)


_json = json.JSONEncoder(separators=(",", ":")).encode


def _object(members: Mapping[str, str]) -> str:
    """Return a JSON object of members that are JSON already."""
    return f"{{{','.join(f'{_json(name)}:{value}' for name, value in members.items())}}}"
