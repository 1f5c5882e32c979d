"""The JSON document: its sections and their order, and that it can be written while it is made."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.report.answer import answer
from analyzer.report.content import Content
from analyzer.report.json_report import SCHEMA, json_lines, json_schema

ROOT = Path(__file__).parents[2]
SECTIONS = ["points", "connections", "journeys", "arp", "findings", "losses", "decisions", "worked"]


@pytest.fixture(scope="module")
def content() -> Content:
    """Return an analysis of which every section tells something; its texts are kept, to be read again and again."""
    found = analyze([ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst"]).content(decisions=True)
    return replace(
        found, journey_texts=list(found.journey_texts), connection_texts=list(found.connection_texts)
    )  # fmt: skip


def test_every_section_tells_what_it_is_named_for(content: Content) -> None:
    """As many items as the analysis has, each under its own name; the summary is the answer."""
    document = json.loads("".join(json_lines(content)))

    assert list(document) == ["schema", "summary", *SECTIONS]
    assert document["schema"] == SCHEMA == "hoptrace/1"
    assert document["summary"] == answer(content)
    assert [one["name"] for one in document["points"]] == [one.name for one in content.points]
    assert [one["id"] for one in document["journeys"]] == list(range(content.packets))
    assert [one["original"]["dport"] for one in document["connections"]] == [7, 80]
    assert [one["check"] for one in document["findings"]] == [one.check for one in content.findings]
    assert [one["asked_ip"] for one in document["arp"]] == [str(one.asked_ip) for one in content.arp]
    assert [one["cause"] for one in document["losses"]] == ["filtered-by-rule"]
    assert [len(one["stages"]) for one in document["decisions"]] == [len(one.stages) for one in content.decisions]
    assert [(one["who"], one["what"]) for one in document["worked"]] == [(w.who, w.what) for w in content.worked]
    assert all(document[name] for name in SECTIONS)


def test_each_item_is_a_line_of_its_own(content: Content) -> None:
    """So that grep finds it; items are told apart by commas, of which the last one has none."""
    lines = "".join(json_lines(content)).splitlines()
    journeys = lines[lines.index('"journeys": [') + 1 :][: content.packets]

    assert [json.loads(line.rstrip(",]"))["id"] for line in journeys] == list(range(content.packets))
    assert [line.endswith("},") for line in journeys] == [True] * (content.packets - 1) + [False]


def test_an_analysis_of_nothing_is_a_document_as_well() -> None:
    """Every section is there, and empty."""
    nothing = Content([], (), (), [], (), 0, 0, 0, {}, 0, 0)
    document = json.loads("".join(json_lines(nothing)))

    assert {name: document[name] for name in SECTIONS} == {name: [] for name in SECTIONS}


def test_it_is_given_before_the_last_journey_is_made(content: Content) -> None:
    """One journey after the other is asked for, none ahead of what was taken."""
    made = []

    def journeys() -> Iterator[str]:
        for number in range(3):
            made.append(number)
            yield f'{{"id": {number}}}'

    for piece in json_lines(replace(content, journey_texts=journeys())):
        if piece.strip() == '{"id": 0}':
            break

    assert made == [0]


def test_the_schema_asks_for_every_section_and_no_other() -> None:
    """Each is a list of its own kind of item."""
    schema = json_schema()

    assert schema["required"] == ["schema", "summary", *SECTIONS]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["schema"] == {"const": SCHEMA}
    kinds = [schema["properties"][name]["items"]["$ref"].rpartition("/")[2] for name in SECTIONS]
    assert kinds == ["Point", "Connection", "Journey", "ArpExchange", "Finding", "Loss", "Decision", "Worked"]
    assert set(kinds) < set(schema["$defs"])
