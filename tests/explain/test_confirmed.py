"""What a kernel is asked, and what its answers make of findings and remedies."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from analyzer.explain.case import Case
from analyzer.explain.confirmed import MOST_REMEDIES, Change, confirmed, helped
from analyzer.model import Basis, Evidence, Finding, HostState, Severity
from analyzer.model.replay import Account, Agreement, End, Replay, Replayed
from tests.build import udp
from tests.explain.scene import Scene

AGREES, DIFFERS, UNSAID = Agreement.AGREES, Agreement.DIFFERS, Agreement.UNSAID
Answer = tuple[End | None, Agreement]


class _Kernel:
    """Answers as it was told to, and notes what it was asked."""

    def __init__(self, answers: dict[int, Answer]) -> None:
        self._answers = answers
        self.asked: list[list[int]] = []

    def __call__(self, journeys: Sequence[int], change: Change | None) -> Replay:
        self.asked.append(list(journeys))
        answers = ((number, *self._answers[number]) for number in journeys if number in self._answers)
        return Replay(
            tuple(
                Replayed(number, "", None if end is None else Account(end, "a rule", "wlan0", ""), None, agreement, "")
                for number, end, agreement in answers
            ),
            (),
        )


def _finding(*journeys: int | None, basis: Basis = Basis.STATED, check: str = "filtered-by-rule") -> Finding:
    shown = tuple(Evidence("p", 1, journey=number) for number in journeys)
    return Finding(check, Severity.ERROR, basis, evidence=shown, proof=("a line",))


@pytest.mark.parametrize(
    ("check", "answers", "told"),
    [
        ("filtered-by-rule", [(End.DROPPED, AGREES), (End.REJECTED, AGREES)], Basis.CONFIRMED),
        ("filtered-by-rule", [(End.DROPPED, AGREES), (End.DROPPED, DIFFERS)], Basis.STATED),
        ("filtered-by-rule", [(End.DROPPED, AGREES), (None, UNSAID)], Basis.CONFIRMED),
        ("filtered-by-rule", [(None, UNSAID), (End.DROPPED, UNSAID)], Basis.STATED),
        ("filtered-by-rule", [(End.DROPPED, AGREES), (End.FORWARDED, AGREES)], Basis.STATED),
        ("filtered-by-rule", [(End.DROPPED, AGREES), (None, AGREES)], Basis.STATED),
        ("masquerade-missing", [(End.FORWARDED, AGREES)], Basis.CONFIRMED),
        ("published-port-not-translated", [(End.DELIVERED, AGREES)], Basis.CONFIRMED),
        ("masquerade-missing", [(End.FORWARDED, DIFFERS)], Basis.STATED),
        ("filtered-by-rule", [], Basis.STATED),
    ],
    ids=["stopped", "one-differs", "one-unsaid", "nothing-said", "one-goes-on", "no-account", "goes-on-as-said",
         "comes-to-the-host", "otherwise", "not-replayed"],
)  # fmt: skip
def test_a_finding_is_confirmed_if_the_kernel_does_just_as_it_says(
    check: str, answers: list[Answer], told: Basis
) -> None:
    """With all that it says anything of; and stops the packets, unless they are to go on."""
    (found,) = confirmed(_Kernel(dict(enumerate(answers))), [_finding(0, 1, check=check)])

    assert found.basis is told
    assert found.proof[:1] == ("a line",)
    assert any("a kernel, asked in the rebuilt host" in line for line in found.proof) is (told is Basis.CONFIRMED)


def test_the_kernel_is_asked_once_and_only_of_what_dumps_state() -> None:
    """Each journey of stated findings once, in order; each finding gets its own answers."""
    kernel = _Kernel({2: (End.DROPPED, AGREES), 9: (End.DROPPED, DIFFERS), 7: (End.DROPPED, AGREES)})
    found = confirmed(kernel, [_finding(9, None, 9), _finding(7, basis=Basis.INFERRED), _finding(2, 2)])

    assert kernel.asked == [[2, 9]]
    assert [one.basis for one in found] == [Basis.STATED, Basis.INFERRED, Basis.CONFIRMED]


@pytest.mark.parametrize("findings", [[_finding(None)], [_finding(3, basis=Basis.OBSERVED)], []])
def test_where_there_is_nothing_to_ask_no_kernel_is_started(findings: list[Finding]) -> None:
    """All stays as it is."""
    kernel = _Kernel({})

    assert confirmed(kernel, findings) == findings
    assert kernel.asked == []


def _same(host: HostState) -> HostState:
    return host


@pytest.fixture
def tried(tmp_path: Path) -> Callable[[Answer | None], tuple[str | None, Case]]:
    """Return what tries a remedy for a packet in a kernel that answers so."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(4000, 53, b"ask"))
    case = scene.case()

    def try_it(answer: Answer | None) -> tuple[str | None, Case]:
        case.ask = _Kernel({} if answer is None else {0: answer})
        return helped(case, 0, _same, "it passes"), case

    return try_it


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((End.FORWARDED, AGREES), "it passes; in a kernel, it then leaves by wlan0"),
        ((End.DELIVERED, AGREES), "it passes; in a kernel, it then is delivered to the host itself"),
        ((End.DROPPED, DIFFERS), None),
        ((End.REJECTED, DIFFERS), None),
        ((End.UNKNOWN, UNSAID), "it passes"),
        ((None, UNSAID), "it passes"),
        (None, "it passes"),
    ],
    ids=["leaves", "delivered", "dropped", "rejected", "unknown", "no-account", "not-replayed"],
)
def test_a_remedy_with_which_the_kernel_still_stops_the_packet_is_none(
    tried: Callable[[Answer | None], tuple[str | None, Case]], answer: Answer | None, told: str | None
) -> None:
    """What it says of a way is added; where it says nothing, what was said before stays."""
    assert tried(answer)[0] == told


def test_only_so_many_remedies_are_tried(tried: Callable[[Answer | None], tuple[str | None, Case]]) -> None:
    """Beyond that, and without a kernel, what hoptrace says stays."""
    told = [tried((End.DROPPED, AGREES))[0] for _ in range(MOST_REMEDIES + 1)]
    _, case = tried(None)
    case.ask, case.asked = None, 0

    assert told == [None] * MOST_REMEDIES + ["it passes"]
    assert helped(case, 0, _same, "it passes") == "it passes"
    assert case.asked == 0
