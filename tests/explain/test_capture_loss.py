"""Captures that are not whole: what is told of each file and each point."""

import pytest

from analyzer.explain.case import Case
from analyzer.explain.hypotheses.capture_loss import HYPOTHESIS
from analyzer.explain.rank import Asked, explain
from analyzer.journey.build import Tracer
from analyzer.model import Basis, Evidence, Finding, Hosts, Point, Role, Severity
from analyzer.packet.context import Context
from analyzer.read.records import Damage, FileInfo
from analyzer.report.words import worded


def tell(files: list[FileInfo], points: list[Point]) -> list[Finding]:
    """Put into words what is told of them, in order."""
    context = Context.without_frames(points, Hosts())
    asked = Asked(Case(context, Tracer(context), files, []), [HYPOTHESIS])
    return list(worded(explain([asked.groups(asked.totals())], asked.failures)))


def _point(name: str, **fields: object) -> Point:
    known = {"id": 0, "name": name, "file": f"{name}.pcap", "interface": None, "role": Role.VETH, **fields}
    return Point(role_basis=Basis.INFERRED, link_type=1, **known)  # type: ignore[arg-type]


def test_a_damaged_file() -> None:
    """Where it breaks off, and at which points that matters; whole ones are not told."""
    whole = FileInfo("whole.pcap", frames=9)
    broken = FileInfo("a.pcap", frames=7, damage=Damage(1234, "cut off"))
    points = [_point("a"), _point("whole"), _point("b", file="a.pcap")]
    (finding,) = tell([whole, broken], points)

    assert (finding.check, finding.severity) == ("capture-loss", Severity.WARNING)
    assert finding.detail == "a.pcap is damaged after 7 frames"
    assert finding.explanation == "At byte 1234: cut off. What came before is used."
    assert finding.evidence == (Evidence("a"), Evidence("b"))
    assert finding.remedy.startswith("Record it again, and end tcpdump with SIGINT")


@pytest.mark.parametrize(("dropped", "told"), [(None, False), (0, False), (2, True), (12, True)])
def test_frames_that_the_kernel_dropped(dropped: int | None, told: bool) -> None:
    """None is told where there are none, or nobody says."""
    found = tell([], [_point("a", dropped=dropped)])

    assert [(f.detail, f.basis, f.evidence) for f in found] == [
        (f"{dropped} frames were dropped at a", Basis.STATED, (Evidence("a"),))
    ] * told


@pytest.mark.parametrize(
    ("container", "said"),
    [(None, ""), ("web", " Container web stopped, or its network was taken away.")],
)
def test_a_capture_that_ended_early(container: str | None, said: str) -> None:
    """With its interface, as when a container stops."""
    whole, ended = _point("a"), _point("b", ended="vanished", container=container)
    (finding,) = tell([], [whole, ended])

    assert finding.detail == "the capture at b ended before the others: vanished"
    assert finding.explanation == f"What came after is not known there.{said}"
    assert (finding.basis, finding.evidence) == (Basis.STATED, (Evidence("b"),))
    assert finding.remedy.startswith("See docker-events.json ")


def test_a_capture_that_ended_for_want_of_room() -> None:
    """Nothing is said of its container."""
    (finding,) = tell([], [_point("b", ended="disk reserve reached", container="web")])

    assert finding.explanation == "What came after is not known there."
    assert finding.remedy.startswith("Record it again; if the disk was full, ")


def test_a_capture_that_did_not_end_in_good_order() -> None:
    """It may have missed anything, at any time."""
    (finding,) = tell([], [_point("b", ended="stood still: it had to be killed", container="web", uncounted=True)])

    assert finding.detail == "the capture at b did not end in good order: stood still: it had to be killed"
    assert finding.explanation.endswith("absence there proves nothing.")
    assert finding.remedy == "Record it again."


def test_all_of_it() -> None:
    """Damage, drops and ends, the surest first; a point may have both."""
    broken = FileInfo("a.pcap", damage=Damage(1, "x"))
    titles = [
        finding.detail
        for finding in tell([broken], [_point("a", dropped=2, ended="full"), _point("b", dropped=3, id=1)])
    ]

    assert titles == [
        "2 frames were dropped at a",
        "3 frames were dropped at b",
        "the capture at a ended before the others: full",
        "a.pcap is damaged after 0 frames",
    ]
