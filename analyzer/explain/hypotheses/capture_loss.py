"""Captures that are not whole: damaged files, and frames that the kernel dropped before they were recorded."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Evidence, Point, Role, Severity
from analyzer.read.records import DECODED, LINKTYPE_NONE, FileInfo, link_name

VANISHED = "vanished"
"""How a capture ended whose interface is gone."""


def causes(case: Case) -> Iterator[Cause]:
    """Give damage and drops of each file."""
    points = case.context.points
    for number, info in enumerate(case.files):
        if info.damage is not None:
            yield Cause([], partial(_damaged, info, points), key=(0, number))
    for place, kind in enumerate((_dropped, _ended, _not_decoded), 1):
        for point in points:
            if (facts := kind(point)) is not None:
                known = bool(facts.get("gone")) and _docker_says(case, point)
                yield Cause([], partial(_at, point, facts, known), Basis.STATED, (place, point.id))


def _damaged(info: FileInfo, points: list[Point], _: list[int]) -> Told:
    facts: Facts = {"file": info.name, "frames": info.frames}
    if info.damage is not None:
        facts |= {"offset": info.damage.offset, "problem": info.damage.problem, "limited": info.damage.limited}
    return Told(facts, evidence=tuple(Evidence(point.name) for point in points if point.file == info.name))


def _docker_says(case: Case, point: Point) -> bool:
    """Tell whether a container ended meanwhile, with which the interface went: nothing is missing from then on."""
    ended = case.hosts[point.host].ended
    return point.role in (Role.VETH, Role.CONTAINER) and any(
        point.container in (None, one.container.name) for one in ended
    )


def _at(point: Point, facts: Facts, known: bool, _: list[int]) -> Told:
    severity = Severity.INFO if known else None
    return Told({"where": point.name} | facts, evidence=(Evidence(point.name),), severity=severity)


def _dropped(point: Point) -> Facts | None:
    return {"dropped": point.dropped} if point.dropped else None


def _not_decoded(point: Point) -> Facts | None:
    if not point.frames or point.link_type in (*DECODED, LINKTYPE_NONE):
        return None
    return {"frames": point.frames, "link_type": link_name(point.link_type)}


def _ended(point: Point) -> Facts | None:
    if point.ended is None:
        return None
    facts: Facts = {"ended": point.ended, "uncounted": bool(point.uncounted), "gone": point.ended == VANISHED}
    return facts | ({"container": point.container} if point.container else {})


HYPOTHESIS = Hypothesis(
    "capture-loss",
    Severity.WARNING,
    "captures (manifest.json)",
    "A capture file is damaged, or the kernel dropped frames before they were written.",
    "Capture with a larger buffer (tcpdump -B 32768) and a smaller snap length (-s 256).",
    causes,
)
