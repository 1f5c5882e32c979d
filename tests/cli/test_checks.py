"""The list of what is looked for."""

import re

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from analyzer.explain.hypotheses import HYPOTHESES

NAMES = sorted(one.name for one in HYPOTHESES)


def _checks(*words: str) -> Result:
    return CliRunner().invoke(main, ["checks", *words], env={"COLUMNS": "200"})


def _named(text: str) -> list[str]:
    """Return the checks that begin a line, in their order."""
    firsts = [line.split()[0].rstrip(":") for line in text.splitlines() if re.match(r"[a-z]", line)]
    return [word for word in firsts if word in NAMES]


def test_all_checks_are_listed_by_name() -> None:
    """Each once, in the order of the alphabet."""
    told = _checks()

    assert told.exit_code == 0
    assert _named(told.stdout) == NAMES


def test_only_those_that_are_named_are_told_in_the_order_that_was_asked_for() -> None:
    """Nothing else."""
    asked = [NAMES[5], NAMES[2]]

    assert _named(_checks(*asked).stdout) == asked


@pytest.mark.parametrize("names", [("no-such-check",), (NAMES[0], "no-such-check")])
def test_a_check_that_there_is_not_is_refused(names: tuple[str, ...]) -> None:
    """By name, and nothing is listed of those that there are."""
    told = _checks(*names)

    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == "hoptrace: no check no-such-check; hoptrace checks lists them\n"


def test_what_of_rules_is_evaluated_is_listed_instead() -> None:
    """What is evaluated, why something cannot be decided, and what stops a packet; no checks."""
    told = _checks("--rules")
    titles = ("What of rules is evaluated", "Why something cannot be decided", "What stops a packet")
    places = [told.stdout.index(title) for title in titles]

    assert (told.exit_code, places) == (0, sorted(places))
    assert "fib_validate_source" in told.stdout[places[2] :]
    assert "depends on chance" in told.stdout[places[1] : places[2]]
    assert _named(told.stdout) == []
