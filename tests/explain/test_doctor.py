"""A host's own state, without captures: every hypothesis is asked, whatever becomes of one of them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from analyzer.explain import doctor
from analyzer.explain.doctor import examine
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Basis, HostState, Severity
from tests.explain.host.state import HOST, RULES, rules


def _raises(error: type[BaseException]) -> Hypothesis:
    def state(_: Host) -> Iterator[Told]:
        yield Told({"a": 1})
        raise error("no")

    return Hypothesis("failing", Severity.INFO, "", "", "", lambda case: (), state=state)


def _tells(name: str, severity: Severity) -> Hypothesis:
    return Hypothesis(name, severity, "", "", "", lambda case: (), state=lambda host: [Told()])


SILENT = Hypothesis("silent", Severity.ERROR, "captures", "", "", lambda case: ())


def test_a_host_with_which_all_is_well_and_one_with_which_it_is_not() -> None:
    """The recorded state alone states it."""
    ill = replace(HOST, sysctls={"net.ipv4.ip_forward": "0"}, tables=rules(RULES.replace("--dport 8080", "--dport 1")))

    assert examine(HOST) == examine(HostState()) == ()
    assert {(one.check, one.basis) for one in examine(ill)} >= {
        ("forwarding-disabled", Basis.STATED),
        ("published-port-not-translated", Basis.STATED),
    }


def test_the_worst_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order in which hypotheses are asked; what needs captures is not asked."""
    ones = (_tells("a", Severity.INFO), SILENT, _tells("b", Severity.ERROR), _tells("c", Severity.WARNING))
    monkeypatch.setattr(doctor, "HYPOTHESES", ones)

    assert [one.check for one in examine(HOST)] == ["b", "c", "a"]


def test_a_mistake_is_told_and_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the hypothesis that made it; all others are asked."""
    ones = (_tells("a", Severity.ERROR), _raises(KeyError), _tells("b", Severity.ERROR))
    monkeypatch.setattr(doctor, "HYPOTHESES", ones)
    found = examine(HOST)

    assert [one.check for one in found] == ["a", "b", "failing"]
    assert found[2].facts["mistake"] == "KeyError: 'no'"


def test_a_lack_of_memory_is_no_mistake_of_one_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the work."""
    monkeypatch.setattr(doctor, "HYPOTHESES", (_raises(MemoryError),))

    with pytest.raises(MemoryError):
        examine(HOST)
