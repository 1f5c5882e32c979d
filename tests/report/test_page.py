"""The page: what its heading says, what can be read without JavaScript, and that no name of others can act in it."""

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.model import Disposition
from analyzer.report.content import Content
from analyzer.report.html.page import CUT, FIRST_CONNECTIONS, FIRST_JOURNEYS, MARKS, page
from analyzer.run import Trace

ROOT = Path(__file__).parents[2]
DATA = re.compile(r'(<script type="application/octet-stream" id="data">)(.*?)(</script>)', re.DOTALL)
Change = Callable[[Content], Content]


@pytest.fixture(scope="module")
def stopped() -> Trace:
    """Return an analysis in which a rule stops something."""
    return analyze([ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst"])


@pytest.fixture(scope="module")
def seed() -> Trace:
    """Return an analysis in which all is well."""
    return analyze([ROOT / "sample_pcaps" / "seed"])


def _pieces(trace: Trace, change: Change = lambda content: content, *, explain: bool = False) -> list[str]:
    return list(page(change(trace.content()), trace.overview(), trace.named, explain=explain))


def _page(trace: Trace, change: Change = lambda content: content, *, explain: bool = False) -> str:
    return "".join(_pieces(trace, change, explain=explain))


def _data(text: str) -> dict[str, Any]:
    found = DATA.search(text)
    assert found is not None
    read: dict[str, Any] = json.loads(gzip.decompress(b64decode(found[2])))
    return read


def _markup(text: str) -> str:
    """Return a page without data, script and style."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)


def _mark(text: str) -> str:
    """Name the sign in front of the heading."""
    top = _markup(text).partition('id="heading"')[2].partition("<h1")[0]
    (found,) = [name for name, (_, _, sign) in MARKS.items() if sign in top]
    return found


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ({}, "well"),
        ({"unanswered": 1}, "unsure"),
        ({"picked": 0}, "unsure"),
        ({"dispositions": {Disposition.NOT_OBSERVABLE: 1}}, "unsure"),
        ({"dispositions": {Disposition.NOT_OBSERVABLE: 0}}, "well"),
    ],
)
def test_where_no_finding_speaks_the_heading_says_well_only_if_all_was_seen(
    seed: Trace, change: dict[str, Any], mark: str
) -> None:
    """What cannot be observed, what nobody answered, and an empty selection leave it open."""
    assert _mark(_page(seed, lambda content: replace(content, **change))) == mark


def test_the_heading_has_the_sign_of_the_worst_finding_and_what_was_counted(stopped: Trace, seed: Trace) -> None:
    """Its detail stands as the proof; without a finding, how much was looked at."""
    text = _page(stopped)

    assert _mark(text) == "error"
    assert "3 packets dropped: rule" in text.partition('<p class="proof">')[2].partition("</p>")[0]
    assert "3 points, 61 frames, 23 packets" in _page(seed).partition('<p class="proof">')[2].partition("</p>")[0]


def test_the_heading_says_when_it_was_captured_to_the_second(stopped: Trace) -> None:
    """By the first frame of all points; nothing, where there is none."""
    bare = _page(stopped, lambda content: replace(content, points=[replace(p, first_ns=None) for p in content.points]))

    assert "Captured 2026-11-24 22:14:34 UTC." in _markup(_page(stopped))
    assert "Captured" not in _markup(bare)


def test_the_first_journeys_can_be_read_without_javascript(seed: Trace) -> None:
    """A few, and how many more there are; the data has all of them, in order."""
    text = _page(seed)
    shown = [number for number in range(23) if f">J{number} <" in _markup(text)]

    assert shown == list(range(FIRST_JOURNEYS))
    assert f"{23 - FIRST_JOURNEYS} more journeys" in text
    assert [row[0] for row in _data(text)["rows"]["journeys"]] == list(range(23))


def test_a_table_of_connections_ends_somewhere(seed: Trace) -> None:
    """The rest is counted; the data has all of them."""
    many = FIRST_CONNECTIONS + 3
    text = _page(
        seed,
        lambda content: replace(content, connections=list(content.connections)[:1] * many, connection_count=many),
    )

    assert "3 more connections." in text
    assert _markup(text).count(">C0<") == FIRST_CONNECTIONS
    assert len(_data(text)["rows"]["connections"]) == many


def test_what_explains_a_journey_s_end_is_in_the_data(stopped: Trace) -> None:
    """The check is asked for each journey by its number."""
    data = _data(_page(stopped, lambda content: replace(content, explained=lambda number: f"check-{number}")))
    place = [name for name, _ in data["fields"]["ToldJourney"]].index("cause")

    assert [data["texts"][row[place]] for row in data["rows"]["journeys"]] == [f"check-{n}" for n in range(11)]
    plain = _data(_page(stopped, lambda content: replace(content, explained=None)))
    assert {row[place] for row in plain["rows"]["journeys"]} == {None}


def test_names_of_others_cannot_act(stopped: Trace) -> None:
    """Neither as markup, nor as what reorders a line, nor as the place where the data goes."""
    name = "@DATA@<b>\u202e"
    finding = replace(stopped.findings[0], title=name, detail=name)
    text = _page(stopped, lambda content: replace(content, findings=(finding,)))

    assert r"@DATA@&lt;b&gt;\u202e" in text
    assert "\u202e" not in text
    assert len(_data(text)["rows"]["journeys"]) == 11


def test_the_data_comes_in_pieces(seed: Trace) -> None:
    """None larger than a piece is to be; what stands around them is one piece each."""
    head, *data, tail = _pieces(seed)

    assert head.endswith('id="data">')
    assert tail.startswith("</script>")
    assert 0 < max(len(piece) for piece in data) <= CUT


def test_the_story_is_open_only_if_that_is_asked_for(seed: Trace) -> None:
    """The script is told so by the page."""
    opened, closed = _markup(_page(seed, explain=True)), _markup(_page(seed))

    assert " data-explain>" in opened.partition("<head>")[0]
    assert opened.count('<details class="story" open>') == FIRST_JOURNEYS
    assert " data-explain" not in closed.partition("<head>")[0]
    assert '<details class="story" open>' not in closed
