"""One analysis as one HTML file: no network, no inline style, nothing from the wire that could act.

All texts go through Jinja2's escaping and ``safe``; the data is compressed JSON in base64; the Content-Security-Policy
allows the page's own script and style, by their hashes, and nothing else.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import DEFLATED, MAX_WBITS, compressobj, crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analyzer.model import Disposition, Journey, Point
from analyzer.model.overview import Overview
from analyzer.model.words import plural
from analyzer.report.answer import answer, causes, counts, well
from analyzer.report.content import Content
from analyzer.report.html.pack import ToldJourney, pack, told
from analyzer.report.html.quality import quality
from analyzer.report.lesson import lesson
from analyzer.report.safe import safe
from analyzer.report.story import tell
from analyzer.report.units import moment

HERE = Path(__file__).parent
SCRIPTS = (
    "data", "text", "marks", "model", "state", "filter", "complete", "table", "list", "way", "ladder", "hops",
    "sequence", "why", "life", "time", "markdown", "topology", "tables", "walk", "app",
)  # fmt: skip
STYLES = ("colours", "page", "parts", "print")
MOST_JOURNEYS = 10_000
"""Journeys that a page holds."""
FIRST_JOURNEYS = 8
"""Journeys that can be read without JavaScript, and on paper."""
FIRST_CONNECTIONS = 20
OCTAGON = "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"
RING = "M8 1a7 7 0 1 0 .01 0z"
MARKS = {
    "error": ("bad full", OCTAGON, "M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2"),
    "warning": ("warn", "M8 1.2l7 13H1z", "M8 6v4.4m0 1.6v.4"),
    "well": ("ok", RING, "M4.8 8.2l2.3 2.4 4.2-4.8"),
    "unsure": ("dim dashed", RING, "M6 6.2q0-2 2-2t2 1.8q0 1.2-2 2.2v1m0 1.9v.3"),
}
"""Of the heading: tone, shape and sign."""
CUT = 1 << 16
"""Characters of base64 in a piece of output."""


def page(content: Content, overview: Overview, sources: Sequence[str], *, explain: bool = False) -> Iterator[str]:
    """
    Give the page, piece by piece.

    Args:
        content: what is told; of the journeys, those that the page shall hold.
        overview: what is drawn.
        sources: names of what was analysed.
        explain: journeys are shown with their story open.
    """
    points = {point.name: point for point in content.points}
    journeys = iter(content.journeys)
    first = [journey for _, journey in zip(range(FIRST_JOURNEYS), journeys, strict=False)]
    told_journey = partial(_told, content, points)
    connections = list(content.connections)
    notes = quality(content.points, overview.topology, content.host_problems, content.left_out)
    packed = pack(content, connections, map(told_journey, chain(first, journeys)), overview, notes)
    data = b64encode(_gzipped(packed.encode())).decode()
    start = overview.measures.start_ns
    style, script = _style(), _script()
    found = causes(content)
    text = _environment().get_template("page.html.j2").render(
        policy=_policy(script, style),
        style=Markup(style),
        script=Markup(script),
        sources=list(sources),
        version=version("hoptrace"),
        content=content,
        answer=answer(content),
        headline=found,
        severity=found[0].severity.value if found else "unsure" if _unsure(content) else "well",
        marks=MARKS,
        proof=_proof(content),
        captured=_captured(content),
        well=well(content),
        quality=notes,
        first=[(list(tell(journey, start)), list(lesson(journey, points))) for journey in first],
        explain=explain,
        connections=connections[:FIRST_CONNECTIONS],
        data_here="@DATA@",
    )  # fmt: skip
    head, _, tail = text.rpartition("@DATA@")  # the last one: the others are somebody's names
    yield head
    for place in range(0, len(data), CUT):
        yield data[place : place + CUT]
    yield tail


def _told(content: Content, points: Mapping[str, Point], journey: Journey) -> ToldJourney:
    cause = content.explained(journey.id) if content.explained is not None else None
    return told(journey, points, cause)


def _proof(content: Content) -> str:
    """Return the line under the heading: what was counted, and of how much."""
    found = causes(content)
    return f"{found[0].detail}." if found and found[0].detail != found[0].title else f"{counts(content)}."


def _captured(content: Content) -> str:
    """Say when that was."""
    start = min((point.first_ns for point in content.points if point.first_ns is not None), default=None)
    return "" if start is None else f"Captured {moment(start).partition('.')[0]} UTC."


def _unsure(content: Content) -> bool:
    """Tell whether captures leave open how things are."""
    return not content.picked or bool(content.dispositions.get(Disposition.NOT_OBSERVABLE)) or bool(content.unanswered)


def _gzipped(data: bytes) -> bytes:
    """Compress (RFC 1952), with a header that is always the same: Python's own differs from version to version."""
    raw = compressobj(6, DEFLATED, -MAX_WBITS)
    check, size = (number.to_bytes(4, "little") for number in (crc32(data), len(data) & 0xFFFF_FFFF))
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + raw.compress(data) + raw.flush() + check + size


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    found.filters.update(frame=str, plural=plural)
    return found


def _harmless(value: Any) -> Any:
    """Escape what could reorder or hide text; Markup is this package's own."""
    return value if isinstance(value, Markup | int | float) else safe(value)


def _policy(script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _script() -> str:
    return "\n".join((HERE / "assets" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def _style() -> str:
    return "\n".join((HERE / "assets" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)
