"""The page's data: rows of values over one table of texts."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.model import Basis, Evidence, Finding, Journey, Mac, Point, Severity
from analyzer.report.html.pack import Packer, pack, told, told_finding
from analyzer.run import Trace

ROOT = Path(__file__).parents[2]
START = 1_790_000_000_000_000_000


@dataclass(frozen=True)
class _Row:
    """A row with a field of each kind."""

    at_ns: int
    latency_ns: int
    mac: Mac | None
    texts: tuple[str, ...]
    numbers: tuple[int, ...]
    gaps: tuple[int | None, ...]
    shown: tuple[Evidence, ...]
    one: Evidence | None
    good: bool


ROW = _Row(START + 5, 7, Mac(1), ("a", "b", "a"), (3, 4), (1, None), (Evidence("a", 9),), None, True)


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Return an analysis in which a rule stops something."""
    return analyze([ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst"])


@pytest.fixture(scope="module")
def data(trace: Trace) -> dict[str, Any]:
    """Return the data of its page."""
    content, points = trace.content(), {point.name: point for point in trace.points}
    journeys = (told(one, points, f"c{one.id}") for one in content.journeys)
    found: dict[str, Any] = json.loads(pack(content, content.connections, journeys, trace.overview(), ()))
    return found


def test_each_text_stands_once_and_rows_have_its_number() -> None:
    """In rows, in lists, in rows of rows, and over all rows."""
    packer = Packer(START)
    first, second = packer.row(ROW), packer.row(replace(ROW, texts=("b", "c")))
    texts = list(packer.texts)

    assert texts == ["00:00:00:00:00:01", "a", "b", "c"]
    assert [texts[number] for number in first[3]] == ["a", "b", "a"]
    assert [texts[number] for number in second[3]] == ["b", "c"]
    assert texts[first[6][0][0]] == "a"


def test_times_count_from_the_start_and_durations_do_not() -> None:
    """JavaScript's numbers end at 2**53; frame numbers, truth values and gaps stay what they are."""
    row = Packer(START).row(ROW)

    assert row[:2] == [5, 7]
    assert (row[4], row[5], row[7], row[8]) == ([3, 4], [1, None], None, True)


def test_fields_say_once_how_rows_are_read() -> None:
    """Names in order, each with its kind; a MAC is a text by then."""
    packer = Packer(START)
    packer.row(ROW)

    assert packer.fields["_Row"] == [
        ["at_ns", "number"], ["latency_ns", "number"], ["mac", "text"], ["texts", "[text"], ["numbers", "[number"],
        ["gaps", "[number"], ["shown", "[Evidence"], ["one", "Evidence"], ["good", "number"],
    ]  # fmt: skip


def test_texts_are_made_harmless() -> None:
    """A name that would turn the line round is escaped, and stands once with its like."""
    packer = Packer(START)

    assert packer.text("a\u202eb") == packer.text("a\u202eb") == packer.text(r"a\u202eb")
    assert list(packer.texts) == [r"a\u202eb"]
    assert packer.text(Severity.ERROR) == packer.text("error")


def test_a_finding_is_told_with_what_its_first_sentence_is_made_of() -> None:
    """Its title stands for a cause that it has not; what is counted otherwise is no number of packets."""
    bare = told_finding(Finding("x", Severity.INFO, Basis.STATED, {"packets": "many"}, title="the title"))
    full = told_finding(
        Finding("x", Severity.INFO, Basis.STATED, {"who": ["a"], "what": ["b:1"], "packets": 4}, title="t", cause="it")
    )

    assert (bare.cause, bare.who, bare.what, bare.packets) == ("the title", (), (), None)
    assert (full.cause, full.who, full.what, full.packets) == ("it", ("a",), ("b:1",), 4)


def test_a_journey_is_told_with_its_steps_in_words(trace: Trace) -> None:
    """The exchange that it waited for stays with the step; an answer is spoken of only where there is one."""
    points: dict[str, Point] = {point.name: point for point in trace.points}
    stopped, answered = told(trace.journey(2), points, "filtered-by-rule"), told(trace.journey(5), points)

    assert [step.kind for step in stopped.steps] == ["own-route", "arp", "fdb", "filter"]
    assert [step.exchange is not None for step in stopped.steps] == [False, True, False, False]
    assert stopped.steps[3].text.startswith("stopped: rule")
    assert (stopped.cause, stopped.answer) == ("filtered-by-rule", None)
    assert answered.answer is not None
    assert answered.answer.startswith("answered by J8")
    assert any("MASQUERADE" in step.text for step in answered.steps)
    assert stopped.lesson


def test_the_document_can_be_read_back(data: dict[str, Any], trace: Trace) -> None:
    """By kinds, fields and texts: a journey's summary, its hops, when they were, and what explains its end."""
    place = {name: number for number, (name, _) in enumerate(data["fields"][data["kinds"]["journeys"]])}
    hop = {name: number for number, (name, _) in enumerate(data["fields"]["Hop"])}
    journeys: list[Journey] = list(trace.journeys())

    assert len(data["rows"]["journeys"]) == len(journeys)
    for row, journey in zip(data["rows"]["journeys"], journeys, strict=True):
        assert data["texts"][row[place["summary"]]] == journey.summary
        assert data["texts"][row[place["cause"]]] == f"c{journey.id}"
        times = [int(data["start"]) + one[hop["time_ns"]] for one in row[place["hops"]]]
        assert times == [one.time_ns for one in journey.hops]


def test_every_table_has_rows_of_its_kind(data: dict[str, Any], trace: Trace) -> None:
    """As many as the analysis has."""
    counted = {name: len(rows) for name, rows in data["rows"].items() if name != "measures"}
    overview, content = trace.overview(), trace.content()

    assert set(data["kinds"]) == set(data["rows"])
    assert counted == {
        "points": 5, "connections": 2, "journeys": 11, "arp": len(content.arp), "findings": len(content.findings),
        "losses": 1, "decisions": len(content.decisions), "worked": len(content.worked), "notes": 0,
        "parties": len(content.parties), "learnt": len(overview.learnt), "names": len(overview.names),
        "nodes": len(overview.topology.nodes), "edges": len(overview.topology.edges),
    }  # fmt: skip
