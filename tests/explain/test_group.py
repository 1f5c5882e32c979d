"""Groups of several parts to one: what is added, what the first one says, and what is told together."""

from dataclasses import replace
from itertools import permutations

import pytest

from analyzer.explain.group import NOWHERE, Group, merge, settle
from analyzer.explain.hypothesis import Crowd, Hypothesis
from analyzer.explain.tally import Count, Texts
from analyzer.explain.told import Moved, Rise
from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.model.finding import Other

ONE = Hypothesis("loss-inside-host", Severity.ERROR, "captures", "It speaks.", "Do it.", lambda case: ())


def _group(first: int, packets: int = 1, key: tuple[str, ...] = ("a",), **fields: object) -> Group:
    facts = {"packets": Count(packets), "said": f"of {first}", "who": Texts.of([(f"c{first}", first)])}
    known = {"severity": Severity.WARNING, "evidence": ((first, Evidence("p", first, first)),), **fields}
    return Group(ONE, key, first, basis=Basis.OBSERVED, facts=facts, **known)  # type: ignore[arg-type]


PARTS = [
    _group(7, 2),
    _group(3, severity=Severity.ERROR, alternatives={"x": Other("x", "why")}),
    _group(NOWHERE, 0, evidence=()),
]


@pytest.mark.parametrize("parts", list(permutations(PARTS)))
def test_one_cause_in_several_parts(parts: tuple[Group, ...]) -> None:
    """Counts are added, the first packet is spoken of, the worst severity stays; in any order."""
    (group,) = merge([[part] for part in parts])
    (found,) = settle([group])

    assert (found.severity, found.facts["said"], found.facts["packets"]) == (Severity.ERROR, "of 3", 3)
    assert found.facts["who"][:2] == ["c3", "c7"]  # type: ignore[index]
    assert [evidence.frame for evidence in found.evidence] == [3, 7]
    assert found.alternatives == (Other("x", "why"),)


def test_other_keys_are_other_causes() -> None:
    """They are told one by one, the first packet's first."""
    found = settle(merge([[_group(5, key=("b",)), _group(4)], [_group(2, key=("b",))]]))

    assert [finding.facts["said"] for finding in found] == ["of 2", "of 4"]


@pytest.mark.parametrize(("count", "told"), [(8, 8), (9, 1)])
def test_a_crowd(count: int, told: int) -> None:
    """More than eight of whom the same is said stand together, without a name."""
    crowded = replace(ONE, crowd=Crowd("said", "many"))
    groups = [replace(_group(number, key=(str(number), "x")), hypothesis=crowded) for number in range(count)]
    found = settle(groups)

    assert len(found) == told
    if told == 1:
        assert (found[0].facts["many"], found[0].facts["packets"]) == (9, 9)
        assert "said" not in found[0].facts


@pytest.mark.parametrize(
    ("packets", "told"),
    [(1, "it went up by 3, and 1 packets are missing"), (3, "it went up by 3, just the packets that are missing"),
     (4, "it went up by 3, but 4 packets are missing: others may have another cause")],
)  # fmt: skip
def test_what_a_counter_comes_to(packets: int, told: str) -> None:
    """It is compared with all packets, when nothing is to be added any more."""
    (found,) = settle([_group(1, packets, moved=Moved("it", 0, 3), rises=(Rise(3, "n", "m", "h"),))])

    assert found.proof == (told,)
    assert found.facts.get("counter") == ("n" if packets == 3 else None)


def test_what_is_nothing_in_the_end() -> None:
    """Too little of it is not told."""

    def enough(finding: Finding) -> Finding | None:
        return finding if finding.facts["packets"] == 2 else None

    groups = [replace(_group(number), hypothesis=replace(ONE, complete=enough)) for number in range(2)]

    assert not settle(groups[:1])
    assert len(settle(merge([groups]))) == 1


def test_names_that_were_reached_otherwise() -> None:
    """It is an info only if all of it was."""
    reached = Texts.of([("a.example", 1)])
    both = settle(merge([[_group(1, reached=reached)], [_group(2, reached=reached)]]))
    one = settle(merge([[_group(1, reached=reached)], [_group(2)]]))

    assert (both[0].severity, both[0].facts["reached"]) == (Severity.INFO, ["a.example"])
    assert one[0].severity is Severity.WARNING
