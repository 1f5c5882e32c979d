"""What is said of a verdict: what stopped a packet, what stays undecided, and what was asked on the way."""

import pytest

from analyzer.model.question import Missing, Unknown
from analyzer.model.rules import NatTarget, Rule
from analyzer.model.verdict import Account, Asked, Translation, Undecided, Why

RULE = Rule("-A FORWARD -m owner --uid-owner 0 -j DROP", "filter", "FORWARD", 1)


@pytest.mark.parametrize(
    ("undecided", "text"),
    [
        (Undecided(Unknown(Missing.FIELD, "mark"), RULE, "-m mark --mark 1"),
         "cannot tell whether “-m mark --mark 1” matches: the mark is not known"),
        (Undecided(Unknown(Missing.CHANCE, "-m statistic"), RULE, "-m statistic"),
         "cannot tell whether “-m statistic” matches: it depends on chance"),
        (Undecided(Unknown(Missing.CHANCE), RULE, "-m statistic"),
         "cannot tell whether “-m statistic” matches: it depends on chance"),
        (Undecided(Unknown(Missing.LOOP, "OWN"), RULE), "cannot tell: OWN calls itself"),
        (Undecided(Unknown(Missing.FIELD, "conntrack state"), None, "x"), "cannot tell: conntrack state is not known"),
    ],
)  # fmt: skip
def test_an_undecided_question_says_what_is_missing(undecided: Undecided, text: str) -> None:
    """What is missing is not named twice where it is the question itself; without a rule there is no question."""
    assert str(undecided) == text


def test_each_cause_has_words_and_a_place_in_the_kernel() -> None:
    """No two causes have the same words, which reports and a kernel's account are compared by."""
    assert len({why.words for why in Why}) == len(Why) == len(Why.__members__)
    assert (Why.REVERSE_PATH.words, "fib_validate_source" in Why.REVERSE_PATH.kernel) == ("reverse path filter", True)
    assert all(why.kernel and why.kernel != why.words for why in Why)


@pytest.mark.parametrize(
    ("kinds", "target", "source"),
    [
        ((), False, False),
        ((NatTarget.DNAT,), True, False),
        ((NatTarget.REDIRECT,), True, False),
        ((NatTarget.MASQUERADE,), False, True),
        ((NatTarget.DNAT, NatTarget.SNAT), True, True),
    ],
)
def test_which_ends_moved_is_told_by_the_translations(kinds: tuple[NatTarget, ...], target: bool, source: bool) -> None:
    """One of the destination, one of the source, both, or none."""
    account = Account(translations=[Translation(kind, RULE, None) for kind in kinds])

    assert (account.target_moved, account.source_moved) == (target, source)


def test_a_rule_of_which_nobody_knows_neither_matched_nor_not() -> None:
    """It is in the trail, and in neither list."""
    trail = [Asked("forward", 0, RULE, answer) for answer in (True, Unknown(Missing.SOCKET), False, True)]
    account = Account(trail=trail)

    assert account.asked(matched=True) == [trail[0], trail[3]]
    assert account.asked(matched=False) == [trail[2]]
