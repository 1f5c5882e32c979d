"""What every report is made from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analyzer.model import ArpExchange, Connection, Finding, Journey, Point
from analyzer.model.decision import Decision
from analyzer.model.loss import Loss
from analyzer.model.worked import Party, Worked


@dataclass(frozen=True, slots=True)
class Content:
    """One analysis, ready to be told."""

    points: list[Point]
    connections: Iterable[Connection]
    journeys: Iterable[Journey]
    arp: list[ArpExchange]
    findings: tuple[Finding, ...]
    frames: int
    packets: int
    connection_count: int
    dispositions: dict[str, int]
    """Journeys by disposition; of a selection, those that were selected."""
    picked: int
    """Journeys that were selected."""
    shown: int
    """Journeys in *journeys*."""
    journey_texts: Iterable[str] = ()
    """The same journeys, each as JSON on one line."""
    connection_texts: Iterable[str] = ()
    """All connections, likewise."""
    host_problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Inputs that gave nothing, or frames that stand in two of them: what is not in all these numbers, and why."""
    losses: tuple[Loss, ...] = ()
    """Where packets were lost; empty where that needs the whole analysis."""
    unanswered: int = 0
    """Pings and TCP connections of which no capture has an answer."""
    decisions: tuple[Decision, ...] = ()
    """What the recorded hosts decide about packets that findings name, and about connections' first ones."""
    worked: tuple[Worked, ...] = ()
    """What was shown to work."""
    parties: tuple[Party, ...] = ()
    """Whose addresses are."""
    stories: Callable[[int], Iterable[str]] | None = None
    """The same journeys as text in lines, with times relative to a start; None where each has to be built."""
    explained: Callable[[int], str | None] | None = None
    """Tells the check whose finding explains why a journey did not get through."""
