"""Who asks a kernel: what is replayed, what is told where none can be asked, and what it confirms."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import SelectionError, ToolError
from analyzer.model import Basis, HostState, Journey
from analyzer.model.replay import Agreement, Replay, Replayed
from analyzer.run.kernel import Kernel

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


class _Player:
    """Stands where a host cannot be rebuilt: journey 1 goes as it was said, journey 2 does not."""

    def __init__(self, *, able: bool = True) -> None:
        self.able, self.asked = able, list[list[int]]()
        self.built: list[object] = []

    def usual(self, evidence: Sequence[int]) -> list[int]:
        return [*evidence, 2]

    def play(self, numbers: Sequence[int], change: Callable[[HostState], HostState] | None = None) -> Replay:
        self.asked.append(list(numbers))
        if not self.able:
            raise ToolError("no namespaces here")
        agreements = {1: Agreement.AGREES, 2: Agreement.DIFFERS}
        return Replay(tuple(Replayed(n, "", None, None, agreements[n], "") for n in numbers), ())


def _stated(journey: Journey) -> Journey:
    """Say that dumps told all of it."""
    return replace(journey, steps=tuple(replace(step, basis=Basis.STATED) for step in journey.steps))


def _kernel(player: _Player) -> Kernel:
    return Kernel(lambda: player, lambda: [1])  # type: ignore[arg-type, return-value]


def test_what_is_replayed() -> None:
    """What somebody names, else what matters: what findings name, and some more."""
    player = _Player()
    kernel = _kernel(player)

    assert [one.journey for one in kernel.replay([2]).journeys] == [2]
    assert [one.journey for one in kernel.replay(None).journeys] == [1, 2]


def test_where_none_can_be_asked() -> None:
    """Findings go without, and it is not tried again; whoever wants a replay is told."""
    player = _Player(able=False)
    kernel = _kernel(player)

    assert kernel.ask([1], None) == kernel.ask([2], None) == Replay((), ())
    assert (kernel.unasked, player.asked) == ("no namespaces here", [[1]])
    with pytest.raises(ToolError, match="no namespaces here"):
        kernel.replay([1])


def test_only_what_it_agreed_to_is_confirmed() -> None:
    """Each journey by itself, and the kernel is asked once for all."""
    player = _Player()
    stated = map(_stated, analyze(SEED).journeys([1, 2]))
    told = [{step.basis for step in one.steps} for one in _kernel(player).confirmed(stated)]

    assert told == [{Basis.CONFIRMED}, {Basis.STATED}]
    assert player.asked == [[1, 2]]


def test_a_script_of_nothing() -> None:
    """There is none before something was replayed."""
    with pytest.raises(SelectionError):
        _kernel(_Player()).script()
