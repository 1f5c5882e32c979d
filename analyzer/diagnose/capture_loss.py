"""Captures that are not whole: damaged files, and frames that the kernel dropped before they were recorded."""

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Evidence, Finding, Point, Severity
from analyzer.model.words import plural
from analyzer.read.records import DECODED, LINKTYPE_NONE, Damage, FileInfo, link_name

VANISHED = "vanished"
"""How a capture ended whose interface is gone."""


def look(subject: Subject) -> list[Finding]:
    """Report damage and drops of each file."""
    return tell(subject.files, subject.context.points)


def tell(files: list[FileInfo], points: list[Point]) -> list[Finding]:
    """Report those of *files*, and of *points*."""
    return [
        *(_damaged(info, points) for info in files if info.damage is not None),
        *(_dropped(point) for point in points if point.dropped),
        *(_ended(point) for point in points if point.ended is not None),
        *(_not_decoded(point) for point in points if point.frames and point.link_type not in (*DECODED, LINKTYPE_NONE)),
    ]


def _damaged(info: FileInfo, points: list[Point]) -> Finding:
    damage = info.damage or Damage(0, "")
    if damage.limited:
        return CHECK.finding(
            f"only {plural(info.frames, 'frame')} of {info.name} {'was' if info.frames == 1 else 'were'} read",
            f"At byte {damage.offset}: {damage.problem}.",
            remedy="Give a part of the captures, or more memory.",
            evidence=tuple(Evidence(point.name) for point in points if point.file == info.name),
        )
    return CHECK.finding(
        f"{info.name} is damaged after {plural(info.frames, 'frame')}",
        f"At byte {damage.offset}: {damage.problem}. What came before is used.",
        remedy="Record it again, and end tcpdump with SIGINT, so that it writes its last block.",
        evidence=tuple(Evidence(point.name) for point in points if point.file == info.name),
    )


def _dropped(point: Point) -> Finding:
    return CHECK.finding(
        f"{plural(point.dropped or 0, 'frame')} {'was' if point.dropped == 1 else 'were'} dropped at {point.name}",
        "The kernel dropped them before the capture wrote them: absence there proves nothing.",
        basis=Basis.STATED,
        evidence=(Evidence(point.name),),
    )


def _not_decoded(point: Point) -> Finding:
    return CHECK.finding(
        f"{plural(point.frames, 'frame')} of {link_name(point.link_type)} at {point.name} "
        f"{'was' if point.frames == 1 else 'were'} not looked into",
        "Frames of this link type are not decoded: nothing is known of their packets.",
        basis=Basis.STATED,
        evidence=(Evidence(point.name),),
        remedy="Capture where the packets have Ethernet headers, or none: on a veth, a bridge, an uplink, or any.",
    )


def _ended(point: Point) -> Finding:
    if point.uncounted:
        return CHECK.finding(
            f"the capture at {point.name} did not end in good order: {point.ended}",
            "What it did not record, and since when, is not known: absence there proves nothing.",
            basis=Basis.STATED,
            evidence=(Evidence(point.name),),
            remedy="Record it again.",
        )
    gone = point.ended == VANISHED
    container = f" Container {point.container} stopped, or its network was taken away." if point.container else ""
    return CHECK.finding(
        f"the capture at {point.name} ended before the others: {point.ended}",
        f"What came after is not known there.{container if gone else ''}",
        basis=Basis.STATED,
        evidence=(Evidence(point.name),),
        remedy="See docker-events.json for what happened to the container, and docker logs for why."
        if gone
        else "Record it again; if the disk was full, elsewhere, or with fewer bytes of each frame (-s).",
    )


CHECK = Check(
    "capture-loss",
    Severity.WARNING,
    "captures (manifest.json)",
    "A capture file is damaged, or the kernel dropped frames before they were written.",
    "Capture with a larger buffer (tcpdump -B 32768) and a smaller snap length (-s 256).",
    look,
)
