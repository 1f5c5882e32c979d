"""Questions to name servers, with the numbers that packets have among all, however the work is cut."""

import pickle
from dataclasses import replace

import pytest

from analyzer import Trace, analyze
from tests.lab.faults.cases import CASES

PATHS = {case.name: case.path for case in CASES}


@pytest.fixture(scope="module")
def trace() -> Trace:
    """A resolver that fails, amid healthy traffic."""
    return analyze([PATHS["failing-resolver.user.mixed"]])


def test_questions_and_answers_are_journeys(trace: Trace) -> None:
    """In order of time; the answer comes after its question, the other way."""
    assert trace.names
    assert sorted(trace.names, key=lambda one: one.journey) == trace.names
    for one in trace.names:
        assert one.answer is not None
        question, answer = trace.journey(one.journey), trace.journey(one.answer)
        assert (question.hops[0].dport, answer.hops[0].sport) == (53, 53)
        assert (answer.hops[-1].dst, one.answer > one.journey) == (question.hops[0].src, True)


def test_numbers_do_not_depend_on_how_the_work_is_cut(trace: Trace) -> None:
    """Where only packets that may hold messages are looked at, these have other numbers there."""
    parts = replace(trace, cut=64)

    assert len(parts.parts) > 1
    assert parts.names == trace.names
    assert parts._names._context.packets < trace._names._context.packets
    assert parts._names.connections.tolist() == trace._names.connections.tolist()


def test_connections_of_questions_and_answers(trace: Trace) -> None:
    """Those that the journeys have; -1 where nobody answered."""
    own = [[trace.journey(one.journey).connection, trace.journey(one.answer or 0).connection] for one in trace.names]
    silent = analyze([PATHS["silent-resolver.user.mixed"]])

    assert trace._names.connections.tolist() == own
    assert [one.answer for one in silent.names] == [None] * 4
    assert silent._names.connections[:, 1].tolist() == [-1] * 4
    assert silent._names.connections[:, 0].tolist() == [silent.journey(one.journey).connection for one in silent.names]


def test_others_are_told_what_was_found(trace: Trace) -> None:
    """They look at no capture, and need no tables."""
    names = trace._names
    told = pickle.loads(pickle.dumps(names))

    assert told() == names()
    assert vars(told).keys() == {"asked"}


def test_where_nobody_asked_there_are_none() -> None:
    """No questions, and no connections of any."""
    names = analyze([PATHS["absent.bridge"]])._names

    assert names() == []
    assert names.connections.shape == (0, 2)
