"""The first sentence of a finding, and what several sentences share."""

import pytest

from analyzer.report.words.sentence import (
    Facts,
    Verb,
    Words,
    affected,
    by_xdp,
    commands,
    heading,
    number,
    offered,
    packets,
    reached_otherwise,
    texts,
)

ONE: Facts = {"who": ["c1"], "what": ["db:5432"], "protocols": ["TCP"], "tries": 3, "failed": 3, "packets": 3,
              "of_packets": 9}  # fmt: skip
TWO: Facts = {**ONE, "who": ["c1", "c2"]}
TRIED: Facts = {"commands": ["a", "b"]}


def _said(facts: Facts, verb: Verb = Verb.REACH) -> str:
    return heading(facts, Words("the detail", cause="it acts", verb=verb)).removesuffix(": it acts")


@pytest.mark.parametrize(
    ("facts", "cause"), [({**ONE, "who": []}, "x"), ({**ONE, "what": []}, "x"), (ONE, ""), ({**ONE, "who": "c1"}, "x")]
)
def test_without_somebody_something_and_a_cause_what_was_counted_is_the_title(facts: Facts, cause: str) -> None:
    """All three are needed to say who cannot do what, and why."""
    assert heading(facts, Words("the detail", cause=cause)) == "the detail"


@pytest.mark.parametrize(
    ("facts", "verb", "said"),
    [
        (ONE, Verb.REACH, "c1 cannot reach db:5432 (TCP)"),
        (ONE, Verb.ANSWER, "c1 gets no answer from db:5432 (TCP)"),
        (TWO, Verb.ANSWER, "c1, c2 get no answer from db:5432 (TCP)"),
        ({**ONE, "who": ["c1", "c1"]}, Verb.ANSWER, "c1 gets no answer from db:5432 (TCP)"),
        ({**ONE, "asked_names": ["a.b"]}, Verb.RESOLVE, "c1 cannot resolve a.b"),
        (ONE, Verb.RESOLVE, "c1 cannot resolve names"),
        (ONE, Verb.OPEN, "c1 cannot open connections"),
        ({**ONE, "protocols": []}, Verb.USE, "c1 cannot use db:5432"),
        (ONE, Verb.KEEP, "c1 loses its connection to db:5432 (TCP)"),
        (TWO, Verb.KEEP, "c1, c2 lose their connections to db:5432 (TCP)"),
        ({**ONE, "mtu": 1300}, Verb.SEND, "c1 cannot send more than 1300 bytes to db"),
        ({**ONE, "mtu": 1300, "least": 1401}, Verb.SEND, "c1 cannot send 1401 bytes or more to db"),
    ],
)  # fmt: skip
def test_each_verb_says_what_cannot_be_done(facts: Facts, verb: Verb, said: str) -> None:
    """Of one or of several; names are told once, and bytes are sent to a machine, not to a port."""
    assert _said(facts, verb) == said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"failed": 2}, "c1 reaches db:5432 (TCP) only sometimes, 1 of 3 tries"),
        ({"failed": 2, "who": ["c1", "c2"]}, "c1, c2 reach db:5432 (TCP) only sometimes, 1 of 3 tries"),
        ({"failed": 0}, "c1 loses 3 of 9 packets to db:5432 (TCP)"),
        ({"failed": 0, "of_replies": True}, "c1 loses 3 of 9 answers from db:5432 (TCP)"),
        ({"failed": 0, "packets": 9}, "c1 cannot use db:5432 (TCP)"),
        ({"failed": 0, "tries": 0}, "c1 cannot reach db:5432 (TCP)"),
    ],
)
def test_who_gets_through_sometimes_is_not_said_to_be_kept_out(changed: Facts, said: str) -> None:
    """Every try, some of them, or only packets; without any try it was never reached."""
    assert _said({**ONE, **changed}) == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (["db:1", "db:2"], "db:1, db:2"), (["db:1", "db:2", "db:3"], "db"), (["db", "db:1"], "db"),
        (["db:1", "web:1", "db:1"], "db:1, web:1"), (["a:1", "b:1", "c:1", "d:1"], "a:1, b:1 and 2 more"),
        (["[fe80::1]:1", "[fe80::1]:2", "[fe80::1]:3"], "fe80::1"),
    ],
)  # fmt: skip
def test_ports_are_left_out_where_many_of_them_or_none_were_asked(what: list[str], said: str) -> None:
    """Two ends are named, the others counted."""
    assert _said({**ONE, "what": what, "protocols": []}) == f"c1 cannot reach {said}"


def test_the_host_is_named_last_where_there_are_several() -> None:
    """Behind what acts there."""
    assert heading({**ONE, "host": "h2"}, Words("x", cause="it acts")).endswith("(TCP): it acts, on h2")


@pytest.mark.parametrize(
    ("facts", "cause", "told"),
    [({"xdp": "drop", "xdp_at": "wlan0"}, "it acts", True), ({"xdp": "drop"}, "", False), ({}, "it acts", False)],
    ids=["there", "nobodys-trouble", "none"],
)
def test_who_takes_answers_before_captures_may_drop_them(facts: Facts, cause: str, told: bool) -> None:
    """Then it is looked at first; what was to be done otherwise comes after."""
    words = by_xdp(facts, Words("the detail", cause=cause), "Ask.")

    assert words.cause.endswith("XDP program drop on wlan0 sees answers before any capture, and may drop them") is told
    assert (words.remedy is not None and words.remedy.endswith("If it does not: Ask.")) is told


def test_what_was_reached_by_another_address_was_noticed_by_nobody() -> None:
    """That is said only where it is so."""
    assert reached_otherwise({}) == ""
    assert reached_otherwise({"reached": ["db"]}).startswith(" db was reached by another of its addresses")


@pytest.mark.parametrize(
    ("outcome", "typed", "said"),
    [
        ("helps", ("a", "b"), "Do it."),
        ("", ("a", "b"), "Do it."),
        ("undecided", ("a", "b"), "Do it. Whether that is enough, the recorded rules do not decide."),
        ("not-enough", (), "Not enough, for something else stops the packet after it: a; b"),
    ],
)
def test_what_was_tried_and_does_not_help_is_not_offered(outcome: str, typed: tuple[str, ...], said: str) -> None:
    """Nor is anything to type; nothing to try is no advice at all."""
    assert commands({**TRIED, "outcome": outcome}) == typed
    assert offered({**TRIED, "outcome": outcome}, "Do it.") == said
    assert offered({"outcome": outcome}, "Do it.") is None


@pytest.mark.parametrize(
    ("facts", "said"),
    [({}, ""), ({"more_connections": 3}, ""), ({"connections": ["a", "b"], "more_connections": 0}, "Of a, b."),
     ({"connections": ["a", "b"], "more_connections": 3}, "Of a, b and 3 more.")],
)  # fmt: skip
def test_connections_are_named_and_those_beyond_counted(facts: Facts, said: str) -> None:
    """Nothing is said of none."""
    assert affected(facts) == said


def test_a_fact_that_is_absent_is_nothing() -> None:
    """No list, or zero; a text is no list of texts."""
    assert (texts({}, "x"), texts({"x": "abc"}, "x"), number({}, "x")) == ([], [], 0)
    assert [packets({"packets": count}, "SYN") for count in (1, 1_000)] == ["1 SYN", "1,000 SYNs"]
