"""What people read of a question that nobody can answer, and what two sets have to do with each other."""

import pytest

from analyzer.model.question import Elements, Field, Missing, Unknown


@pytest.mark.parametrize(
    ("unknown", "text"),
    [
        (Unknown(Missing.FIELD, Field.CT_STATE), "conntrack state is not known"),
        (Unknown(Missing.SET, "match-set bad"), "match-set bad asks a set that was not recorded"),
        (Unknown(Missing.CHANCE), "depends on chance"),
    ],
)
def test_what_is_missing_is_told_with_what_it_is_about(unknown: Unknown, text: str) -> None:
    """The field, match or set stands before the reason; without one the reason stands alone."""
    assert str(unknown) == text


def test_reasons_and_fields_are_told_apart() -> None:
    """No two reasons and no two fields have the same words."""
    assert len({reason.words for reason in Missing}) == len(Missing) == len(Missing.__members__)
    assert len({str(field) for field in Field}) == len(Field) == len(Field.__members__)


@pytest.mark.parametrize("reason", Missing)
def test_a_reason_goes_on_a_sentence_and_its_meaning_is_one(reason: Missing) -> None:
    """The words stand behind the name of a match; the meaning is for the documentation."""
    assert reason.words[0].islower()
    assert not reason.words.endswith(".")
    assert reason.meaning[0].isupper() or reason.meaning.startswith("ipset")
    assert reason.meaning.endswith(".")


def test_equal_sets_are_not_the_same_set() -> None:
    """Each set of a ruleset is itself: what was worked out for one is not taken for another."""
    one, other = Elements((80, 443)), Elements((80, 443))

    assert one != other
    assert len({one, other, one}) == 2
