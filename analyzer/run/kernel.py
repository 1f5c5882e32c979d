"""A kernel that is asked, in the rebuilt host, what it does with packets: for replays, findings and journeys."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.errors import SelectionError, ToolError
from analyzer.model import Basis, HostState, Journey
from analyzer.model.journey import with_basis
from analyzer.model.replay import Agreement, Replay

if TYPE_CHECKING:
    from analyzer.replay.play import Player


class Kernel:
    """Of this machine; where none can be asked, findings are told all the same."""

    def __init__(self, player: "Callable[[], Player]", evidence: Callable[[], list[int]]) -> None:
        """Take what makes a player, and what gives the journeys that findings name."""
        self._make, self._evidence = player, evidence
        self.unasked = ""
        """Why none could be asked, though somebody wanted that."""

    @cached_property
    def _player(self) -> "Player":
        return self._make()

    def replay(self, numbers: Sequence[int] | None) -> Replay:
        """
        Send journeys through their hosts; without *numbers*, those that matter.

        Raises:
            ToolError: no host can be built here.
        """
        return self._player.play(self._player.usual(self._evidence()) if numbers is None else numbers)

    def ask(self, numbers: Sequence[int], change: Callable[[HostState], HostState] | None) -> Replay:
        """Ask about findings and remedies."""
        if self.unasked:
            return Replay((), ())
        try:
            return self._player.play(numbers, change)
        except ToolError as error:
            self.unasked = str(error)
            return Replay((), ())

    def script(self) -> str:
        """
        Return the last replay as a script.

        Raises:
            SelectionError: nothing was replayed.
        """
        from analyzer.replay.script import script  # noqa: PLC0415

        if not self._player.built:
            raise SelectionError("nothing was replayed that a script could show")
        return script(*self._player.built[0])

    @cached_property
    def _agreed(self) -> set[int]:
        """Journeys that it saw go the way that hoptrace says."""
        told = self.ask(self._player.usual(self._evidence()), None).journeys
        return {one.journey for one in told if one.agreement is Agreement.AGREES}

    def confirmed(self, journeys: Iterator[Journey]) -> Iterator[Journey]:
        """Give journeys, those that it agreed to as confirmed."""
        return (with_basis(one, Basis.CONFIRMED) if one.id in self._agreed else one for one in journeys)
