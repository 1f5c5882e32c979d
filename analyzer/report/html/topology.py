"""Draws the topology as SVG: one column a kind of node, one band a host.

Coordinates are decided here, colours by the style sheet; each node and edge carries numbers by which the page lights a
journey's way. Everything is laid out from counts alone, so the same topology is the same picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from analyzer.model import Basis, Point
from analyzer.model.overview import Edge, Node, NodeKind, Topology
from analyzer.report.units import plural

COLUMN, NODE_WIDTH, GAP, BAND_GAP = 184, 152, 18, 40
TOP, MARGIN, LINE = 30, 16, 15
MOST_IN_COLUMN = 24
LETTERS = 19
"""Characters of a title that fit into a node; details are set smaller."""
DETAIL_LETTERS = 23
_OUTSIDE = (NodeKind.GATEWAY, NodeKind.REMOTE)


@dataclass(frozen=True, slots=True)
class Box:
    """A node where it is drawn."""

    number: int
    node: Node
    x: float
    y: float
    height: int
    title: str
    lines: tuple[str, ...]
    label: str
    """All of it in words, for the tooltip and for who cannot see it."""

    @property
    def middle(self) -> float:
        """Height of its middle."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Line:
    """An edge where it is drawn."""

    a: int
    b: int
    path: str
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Band:
    """A host's part of the picture."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """The drawing, ready for the template."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    left_out: int
    node_width: int = NODE_WIDTH


def draw(topology: Topology, points: Sequence[Point]) -> Picture:
    """Lay a topology out."""
    busy = _busy(topology)
    used = [kind for kind in NodeKind if any(node.kind is kind for node in topology.nodes)]
    column = {kind: place for place, kind in enumerate(used)}
    frames = {point.name: point.frames for point in points}
    hosts = list(dict.fromkeys(node.host for node in topology.nodes if node.kind is NodeKind.HOST))
    boxes: dict[int, Box] = {}
    bands: list[Band] = []
    left_out, y = 0, float(MARGIN)
    for host in hosts:
        mine = [n for n, node in enumerate(topology.nodes) if node.host == host and node.kind not in _OUTSIDE]
        bottom = y + TOP
        for kind in used:
            numbers = _ordered([n for n in mine if topology.nodes[n].kind is kind], topology.edges, boxes, busy)
            left_out += max(len(numbers) - MOST_IN_COLUMN, 0)
            x = MARGIN + column[kind] * COLUMN
            bottom = max(bottom, _stack(topology, numbers[:MOST_IN_COLUMN], x, y + TOP, frames, boxes))
        _centre(boxes, mine, bottom)
        last = max((column[topology.nodes[n].kind] for n in mine), default=0)
        bands.append(Band(host or "Docker host", MARGIN / 2, y, last * COLUMN + NODE_WIDTH + MARGIN, bottom - y))
        y = bottom + BAND_GAP
    bottom = y - BAND_GAP
    for kind in _OUTSIDE:
        numbers = [n for n, node in enumerate(topology.nodes) if node.kind is kind][:MOST_IN_COLUMN]
        x = MARGIN + column.get(kind, 0) * COLUMN
        bottom = max(bottom, _stack(topology, numbers, x, TOP + MARGIN, frames, boxes))
    outside = [n for n, node in enumerate(topology.nodes) if node.kind in _OUTSIDE and n in boxes]
    _centre(boxes, outside, bottom)
    lines = [_line(edge, boxes) for edge in topology.edges if edge.a in boxes and edge.b in boxes]
    width = MARGIN * 2 + (len(used) - 1) * COLUMN + NODE_WIDTH
    return Picture(width, bottom + MARGIN, tuple(boxes.values()), tuple(lines), tuple(bands), left_out)


def _busy(topology: Topology) -> dict[int, int]:
    found: dict[int, int] = {}
    for edge in topology.edges:
        for number in (edge.a, edge.b):
            found[number] = found.get(number, 0) + edge.frames
    return found


def _ordered(numbers: list[int], edges: Sequence[Edge], boxes: dict[int, Box], busy: dict[int, int]) -> list[int]:
    """Put nodes beside what they hang on, as far as that is drawn; of too many, the busiest."""
    kept = set(sorted(numbers, key=lambda n: (-busy.get(n, 0), n))[:MOST_IN_COLUMN])

    def place(number: int) -> float:
        inner = [boxes[e.a].middle for e in edges if e.b == number and e.a in boxes]
        return sum(inner) / len(inner) if inner else float("inf")

    return sorted(numbers, key=lambda n: (n not in kept, place(n), n))


def _stack(
    topology: Topology, numbers: list[int], x: float, y: float, frames: dict[str, int], boxes: dict[int, Box]
) -> float:
    """Put boxes one below the other; return where the next one would begin."""
    for number in numbers:
        node = topology.nodes[number]
        lines = list(node.details[:3])
        if node.point is not None:
            lines.append(plural(frames.get(node.point, 0), "frame"))
        elif node.kind in (NodeKind.INTERFACE, NodeKind.BRIDGE, NodeKind.UPLINK):
            lines.append("not captured")
        height = 34 + LINE * len(lines)
        guess = ", inferred" if node.basis is Basis.INFERRED and node.kind is not NodeKind.HOST else ""
        label = f"{node.kind}{guess}: {'; '.join((node.name, *lines))}"
        shown = tuple(_short(line, DETAIL_LETTERS) for line in lines)
        title = _short(node.name.removeprefix(f"{node.host}:") if node.host else node.name, LETTERS)
        boxes[number] = Box(number, node, x, y, height, title, shown, label)
        y += height + GAP
    return y


def _centre(boxes: dict[int, Box], numbers: list[int], bottom: float) -> None:
    """Move each column of *numbers* to the middle of its band."""
    for x in {boxes[n].x for n in numbers if n in boxes}:
        column = [n for n in numbers if n in boxes and boxes[n].x == x]
        end = max(boxes[n].y + boxes[n].height for n in column) + GAP
        for n in column:
            box = boxes[n]
            moved = round((bottom - end) / 2, 1)
            boxes[n] = Box(n, box.node, box.x, box.y + moved, box.height, box.title, box.lines, box.label)


def _line(edge: Edge, boxes: dict[int, Box]) -> Line:
    a, b = boxes[edge.a], boxes[edge.b]
    if a.x > b.x:
        a, b = b, a
    width = round(1.5 + min(log10(edge.frames + 1), 6) * 0.9, 2)
    size = f", {edge.length:,} bytes" if edge.length else ""
    label = f"{a.node.name} to {b.node.name}: {plural(edge.frames, 'frame')}{size}"
    if a.x == b.x:  # two uplinks: around the right side
        right, bend = a.x + NODE_WIDTH, a.x + NODE_WIDTH + 30
        path = f"M{right} {a.middle:.1f}C{bend} {a.middle:.1f} {bend} {b.middle:.1f} {right} {b.middle:.1f}"
        return Line(edge.a, edge.b, path, width, label)
    left, right = a.x + NODE_WIDTH, b.x
    half = (left + right) / 2
    path = f"M{left} {a.middle:.1f}C{half} {a.middle:.1f} {half} {b.middle:.1f} {right} {b.middle:.1f}"
    return Line(edge.a, edge.b, path, width, label)


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
