"""Packets whose payload says what they are: in journeys, JSON and selections alike; not where nobody wants it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main

FAULTS = Path(__file__).parents[1] / "faults"
RESOLVER = FAULTS / "failing-resolver.bridge.tar.zst"
SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.mark.parametrize("parts", [1, 4])
def test_journeys_and_their_texts_say_the_same(parts: int) -> None:
    """One by one, all at once, and in parts."""
    for path in (RESOLVER, SEED):
        trace = analyze([path], parts=parts)
        told = [journey.says for journey in trace.journeys()]

        assert [json.loads(text).get("says") for text in trace.texts()] == told
        assert any(told)
        assert [trace.journey(number).says for number in range(trace.packets)] == told


def test_the_first_data_of_each_side() -> None:
    """A request and what answers it."""
    says = [journey.says for journey in analyze([SEED]).journeys() if journey.says is not None]

    assert says[:2] == ["HTTP GET /", "HTTP 200 OK"]


def test_a_selection_may_ask_for_it() -> None:
    """By protocol, and by words."""
    trace = analyze([SEED])
    found = trace.select("http")

    assert len(found) == 2
    assert trace.select('says contains "get /"') == found[:1]
    assert trace.select("tls") == []


def test_without_payloads_nothing_of_them_is_told() -> None:
    """Neither names nor first lines, in any report."""
    for words in ((), ("--json",), ("-o", "-", "--format", "html"), ("-o", "-", "--format", "ndjson")):
        told = CliRunner().invoke(main, ["analyze", str(RESOLVER), "--no-payload", "-n", "99", *words]).stdout

        assert told
        assert "servfail" not in told
    refused = CliRunner().invoke(main, ["show", str(SEED), "J3", "--dissect", "--no-payload"])
    assert (refused.exit_code, "--no-payload forbids" in refused.stderr) == (2, True)
