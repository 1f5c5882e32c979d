"""Values and comparisons: yes, no, or unknown because of something; an unknown value never becomes a yes or no."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model.question import (
    ABSENT,
    Alike,
    Answer,
    Bits,
    Both,
    Constant,
    Either,
    Elements,
    Expression,
    Field,
    Glob,
    Joined,
    Mapped,
    Member,
    Missing,
    Named,
    Of,
    OneOf,
    Opaque,
    Operator,
    Plus,
    Question,
    Range,
    Test,
    Unknown,
)  # fmt: skip
from analyzer.state.rules.values import Asking, addresses

A, B, NET = ip_address("10.0.0.1"), ip_address("10.0.0.9"), ip_network("10.0.0.0/24")
NOBODY = Unknown(Missing.FIELD, "TTL")
KNOWN: dict[Field, Any] = {
    Field.PROTOCOL: 6, Field.VERSION: 4, Field.SRC: A, Field.DPORT: 80, Field.IIF: "docker0", Field.TTL: NOBODY,
    Field.MARK: 0xF1, Field.OIF: ABSENT, Field.SPORT: OneOf(1024, 2048),
}  # fmt: skip
YES, NO = Test(Of(Field.DPORT), Elements((80,)), ""), Test(Of(Field.DPORT), Elements((81,)), "")
MAYBE, NONE = Test(Of(Field.TTL), Elements((64,)), ""), Test(Of(Field.OIF), Elements(("eth0",)), "")


def _asking(**sets: Elements) -> Asking:
    return Asking(KNOWN.__getitem__, sets)


def _in(
    value: Any, *members: Member, excepted: tuple[Member, ...] = (), sets: Mapping[str, Elements] | None = None
) -> bool | Missing:
    """Ask whether a value is one of a set's."""
    found = _asking(**sets or {}).answer(Test(Constant(value), Elements(members, excepted), ""))
    return found.missing if isinstance(found, Unknown) else found


def _answer(question: Question) -> bool | Missing:
    found: Answer = _asking().answer(question)
    return found.missing if isinstance(found, Unknown) else found


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (Of(Field.DPORT), 80), (Of(Field.OIF), ABSENT), (Of(Field.OIF, missing=""), ""),
        (Of(Field.IIF, missing=""), "docker0"),
        (Of(Field.DPORT, protocol=6), 80), (Of(Field.DPORT, protocol=17), ABSENT), (Of(Field.SRC, version=6), ABSENT),
        (Bits(Of(Field.MARK), 0xF0, 0x5), 0xF5), (Bits(Of(Field.SRC), 0xFFFF_FFF0, 0), ip_address("10.0.0.0")),
        (Bits(Of(Field.TTL), 0, 7), 7), (Bits(Of(Field.TTL), 1, 7), NOBODY), (Bits(Of(Field.OIF), 0, 7), ABSENT),
        (Bits(Of(Field.IIF), 1), Unknown(Missing.VALUE, "bits")), (Plus(Of(Field.DPORT), -1), 79),
        (Plus(Of(Field.TTL), 1), NOBODY), (Plus(Of(Field.SRC), 1), Unknown(Missing.VALUE, "a sum")),
        (Joined((Of(Field.SRC), Of(Field.DPORT))), (A, 80)), (Joined((Of(Field.SRC), Of(Field.OIF))), ABSENT),
        (OneOf(80, 80), 80), (OneOf(80, 81), OneOf(80, 81)), (Opaque("x", Missing.CLOCK), Unknown(Missing.CLOCK, "x")),
    ],
    ids=str,
)  # fmt: skip
def test_expressions(expression: Expression, value: Any) -> None:
    """The unknown stays so, unless no bit of it is taken; the absent stays so, unless something stands for it."""
    assert _asking().value(expression) == value


@pytest.mark.parametrize(
    ("value", "members", "answer"),
    [
        (80, (22, 80), True), (81, (22, 80), False), (85, (Range(80, 90),), True), (80, (Range(80, 90),), True),
        (90, (Range(80, 90),), True), (91, (Range(80, 90),), False), (79, (Range(80, 90), 22), False),
        (95, (Range(80, 100), Range(85, 90)), True), (A, (addresses(NET),), True),
        (ip_address("10.0.1.0"), (addresses(NET),), False), (ip_address("::1"), (addresses(NET),), False),
        ("docker0", (Glob("docker"),), True), ("eth0", (Glob("docker"), "eth0"), True),
        ("eth1", (Glob("docker"),), False),
        ((A, 80), (Alike((A, 80)),), True), ((A, 81), (Alike((A, 80)),), False),
        ((A, 85), (Alike((addresses(NET), Range(80, 90))),), True), ((A, 95), (Alike((A, Range(80, 90))),), False),
        (80, (), False),
    ],
    ids=str,
)  # fmt: skip
def test_members_of_sets(value: Any, members: tuple[Member, ...], answer: bool) -> None:
    """Plain values, ranges with both ends, also within each other, beginnings of names, and concatenations."""
    assert _in(value, *members) is answer


@pytest.mark.parametrize(
    ("value", "members", "answer"),
    [
        (80, (A,), Missing.VALUE), (A, (80, Range(1, 9)), Missing.VALUE), ("eth0", (80,), Missing.VALUE),
        ((A, 80), (Alike((Range(A, B), Range(1, 99), 6)),), Missing.VALUE),
        (80, (Opaque("x", Missing.RATE),), Missing.RATE),
        (80, (Opaque("x", Missing.RATE), 80), True), (80, (Named("gone"),), Missing.SET),
        ((A, NOBODY), (Alike((A, 80)),), Missing.FIELD), ((A, NOBODY), (Alike((B, 80)),), False),
        ((A, OneOf(1, 9)), (Alike((A, 5)),), Missing.FIELD), ((B, OneOf(1, 9)), (Alike((A, 5)),), False),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_compared_is_unknown(value: Any, members: tuple[Member, ...], answer: Any) -> None:
    """A port is no address; a set that is not there may hold anything; but what is in already needs nothing else."""
    assert _in(value, *members) is answer


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ((Range(1000, 3000),), True), ((Range(1024, 2048),), True), ((Range(1025, 3000),), Missing.FIELD),
        ((Range(1, 1023),), False), ((Range(2048, 3000),), Missing.FIELD), ((1500,), Missing.FIELD), ((80,), False),
        ((Range(1000, 1500), Range(1500, 3000)), True),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_a_range_is_in_if_all_are(members: tuple[Member, ...], answer: Any) -> None:
    """And out if none is; else it depends on which is taken."""
    assert _answer(Test(Of(Field.SPORT), Elements(members), "")) is answer


def test_of_networks_with_exceptions_the_longest_counts() -> None:
    """Whichever it is, an exception or an exception of that."""
    wide, narrow, one = (addresses(ip_network(text)) for text in ("10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32"))

    assert [_in(A, wide, excepted=(narrow,)), _in(A, wide, one, excepted=(narrow,))] == [False, True]
    assert [_in(ip_address("10.9.9.9"), wide, excepted=(narrow,)), _in(A, narrow, excepted=(wide,))] == [True, True]
    assert _in(ip_address("11.0.0.1"), wide, excepted=(narrow,)) is False
    assert _in(OneOf(A, B), wide, excepted=(narrow,)) is Missing.FIELD


def test_sets_in_sets_are_followed_so_far() -> None:
    """Deeper ones, and those that hold each other, are unknown."""
    chain = {f"s{n}": Elements((Named(f"s{n + 1}"),)) for n in range(20)}

    assert _in(80, Named("ports"), sets={"ports": Elements((80,))}) is True
    assert _in(80, Named("s0"), sets={**chain, "s7": Elements((80,))}) is True
    assert _in(80, Named("s0"), sets={**chain, "s8": Elements((80,))}) is Missing.SET


@pytest.mark.parametrize(
    ("operator", "answers"),
    [
        (Operator.LESS, [False, False, True]), (Operator.AT_MOST, [False, True, True]),
        (Operator.GREATER, [True, False, False]), (Operator.AT_LEAST, [True, True, False]),
    ],
)  # fmt: skip
def test_numbers_are_put_in_order(operator: Operator, answers: list[bool]) -> None:
    """With one number of the same kind; else it is unknown."""

    def ask(value: Expression, *operands: Member) -> bool | Missing:
        return _answer(Test(value, Elements(operands), "", operator))

    assert [ask(Of(Field.DPORT), operand) for operand in (79, 80, 81)] == answers
    assert ask(Of(Field.SRC), B) is (operator in (Operator.LESS, Operator.AT_MOST))
    assert ask(Of(Field.TTL), 64) is Missing.FIELD
    assert [ask(Of(Field.SRC), 5), ask(Of(Field.IIF), 5), ask(Of(Field.DPORT), 1, 2)] == [Missing.VALUE] * 3
    assert ask(Of(Field.OIF), 5) is False


@pytest.mark.parametrize(
    ("parts", "either", "both"),
    [
        ((YES, NO), True, False), ((YES, MAYBE), True, Missing.FIELD), ((NO, MAYBE), Missing.FIELD, False),
        ((YES, NONE), True, False), ((NO, NONE), False, False), ((MAYBE, NONE), Missing.FIELD, False),
        ((NONE, NONE), False, False), ((YES, YES), True, True), ((NO, NO), False, False), ((), False, True),
    ],
)  # fmt: skip
def test_answers_are_joined_by_or_and_and(parts: tuple[Question, ...], either: Any, both: Any) -> None:
    """What decides for all needs no other answer; what is absent is no yes."""
    assert _answer(Either(parts, "")) is either
    assert _answer(Both(parts, "")) is both


def test_a_negated_question_turns_yes_and_no_around() -> None:
    """Not what is unknown, and what is absent matches neither way."""
    turned = [_answer(Both((one,), "", negated=True)) for one in (YES, NO, MAYBE, NONE)]

    assert turned == [False, True, Missing.FIELD, False]
    assert _answer(Test(Of(Field.OIF), Elements(("eth0",)), "", negated=True)) is False
    assert _answer(Test(Of(Field.DPORT), Elements((81,)), "", negated=True)) is True
    assert _answer(Opaque("x", Missing.CHANCE)) is Missing.CHANCE


def test_a_map_gives_what_stands_for_its_key() -> None:
    """The first that fits; a key that may fit is unknown, and one that is nowhere has nothing."""
    ports = Elements(pairs=((22, Constant("ssh")), (Range(81, 90), Constant("web")), (80, Constant("exact"))))
    again = Elements(pairs=((80, Constant("first")), (80, Constant("second"))))

    def told(key: Expression, of: Elements | str) -> Any:
        found = _asking(ports=ports).value(Mapped(key, of))
        return found.missing if isinstance(found, Unknown) else found

    assert [told(Of(Field.DPORT), "ports"), told(Constant(85), ports), told(Constant(99), ports)] == [
        "exact",
        "web",
        ABSENT,
    ]
    assert told(Of(Field.DPORT), again) == "first"
    assert [told(Of(Field.TTL), ports), told(Of(Field.DPORT), "gone"), told(Of(Field.OIF), ports)] == [
        Missing.FIELD, Missing.SET, ABSENT,
    ]  # fmt: skip
    pairs = ((1500, 1), (Range(1, 9999), 2), (Range(1000, 3000), 3))
    maybe = [
        (isinstance(answer, Unknown), one) for answer, one in _asking().results(Of(Field.SPORT), Elements(pairs=pairs))
    ]
    assert maybe == [(True, 1), (False, 2)]


def test_a_network_of_one_address_is_that_address() -> None:
    """Others are ranges from their first to their last."""
    assert addresses(ip_network("10.0.0.1/32")) == A
    assert addresses(NET) == Range(ip_address("10.0.0.0"), ip_address("10.0.0.255"))
