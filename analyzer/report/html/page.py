"""One analysis as one HTML file: no network, no inline style, nothing from the wire that could act.

All texts go through Jinja2's escaping and ``safe``; the data is compressed JSON in base64; the Content-Security-Policy
allows the page's own script and style, by their hashes, and nothing else.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import DEFLATED, MAX_WBITS, compressobj, crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analyzer.model import Connection, Disposition, Point, Severity
from analyzer.model.overview import Overview
from analyzer.model.words import plural
from analyzer.report.answer import WORDS, answer, counts, since, well
from analyzer.report.content import Content
from analyzer.report.html.pack import ToldJourney, pack, told
from analyzer.report.html.quality import quality
from analyzer.report.html.topology import draw
from analyzer.report.lesson import lesson
from analyzer.report.safe import safe
from analyzer.report.story import tell
from analyzer.report.units import duration

HERE = Path(__file__).parent
SCRIPTS = ("data", "text", "state", "table", "lists", "graph", "ladder", "waterfall", "hops", "journey", "plots", "app")
STYLES = ("colours", "page", "parts", "print")
MOST_JOURNEYS = 20_000
"""Journeys that a page holds."""
FIRST_JOURNEYS = 8
"""Journeys that can be read without JavaScript, and on paper."""
FIRST_CONNECTIONS = 20
LETTERS = {
    Disposition.DELIVERED: "D",
    Disposition.LEFT_HOST: "O",
    Disposition.REJECTED: "R",
    Disposition.DROPPED: "X",
    Disposition.LOST: "L",
    Disposition.NOT_OBSERVABLE: "?",
}
CUT = 1 << 16
"""Characters of base64 in a piece of output."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many journeys ended in one way."""

    key: str
    letter: str
    word: str
    count: int


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
    rest = (told(journey, points) for journey in journeys)
    connections = list(content.connections)
    data = _data(content, connections, chain((told(j, points) for j in first), rest), overview)
    start = overview.measures.start_ns
    style, script, library = _style(), _script(), _library()
    text = _environment().get_template("page.html.j2").render(
        policy=_policy((library, script), style),
        style=Markup(style),
        library=Markup(library),
        script=Markup(script),
        sources=list(sources),
        content=content,
        verdicts=_verdicts(content),
        answer=answer(content),
        counts=counts(content),
        since=since(content),
        well=well(content),
        quality=quality(content.points, overview.topology, content.host_problems, content.left_out),
        picture=draw(overview.topology, content.points),
        first=[(list(tell(journey, start)), list(lesson(journey, points))) for journey in first],
        explain=explain,
        connections=connections[:FIRST_CONNECTIONS],
        letters={severity: severity.value[0].upper() for severity in Severity},
        data_here="@DATA@",
    )  # fmt: skip
    head, _, tail = text.rpartition("@DATA@")  # the last one: the others are somebody's names
    yield head
    for place in range(0, len(data), CUT):
        yield data[place : place + CUT]
    yield tail


def _data(
    content: Content, connections: Iterable[Connection], journeys: Iterable[ToldJourney], overview: Overview
) -> str:
    packed = pack(content.points, connections, journeys, content.arp, content.findings, overview)
    return b64encode(_gzipped(packed.encode())).decode()


def _gzipped(data: bytes) -> bytes:
    """Compress (RFC 1952), with a header that is always the same: Python's own differs from version to version."""
    raw = compressobj(6, DEFLATED, -MAX_WBITS)
    check, size = (number.to_bytes(4, "little") for number in (crc32(data), len(data) & 0xFFFF_FFFF))
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + raw.compress(data) + raw.flush() + check + size


def _verdicts(content: Content) -> list[Verdict]:
    ended = content.dispositions
    return [Verdict(kind.value, LETTERS[kind], WORDS[kind], ended.get(kind, 0)) for kind in Disposition]


def _span(point: Point) -> str:
    if point.first_ns is None or point.last_ns is None:
        return "no frame"
    return duration(point.last_ns - point.first_ns)


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
    found.filters.update(frame=str, span=_span, plural=plural)
    return found


def _harmless(value: Any) -> Any:
    """Escape what could reorder or hide text; Markup is this package's own."""
    return value if isinstance(value, Markup | int | float) else safe(value)


def _policy(scripts: Sequence[str], style: str) -> str:
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _script() -> str:
    return "\n".join((HERE / "assets" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def _library() -> str:
    return (HERE / "vendor" / "uPlot.iife.min.js").read_text(encoding="utf-8")


@cache
def _style() -> str:
    own = [(HERE / "assets" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES]
    return "\n".join([(HERE / "vendor" / "uPlot.min.css").read_text(encoding="utf-8"), *own])
