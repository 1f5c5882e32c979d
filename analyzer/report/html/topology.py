"""Draws the topology as SVG: one column a kind of node, one band a host.

Coordinates are decided here, colours by the style sheet; each node and edge carries numbers by which the page lights a
journey's way. Everything is laid out from counts alone, so the same topology is the same picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from analyzer.model import Basis, Point
from analyzer.model.overview import Edge, Node, NodeKind, Topology
from analyzer.model.words import plural

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
    used = [kind for kind in NodeKind if any(node.kind is kind for node in topology.nodes)]
    plan = _Plan(topology, {kind: place for place, kind in enumerate(used)}, {p.name: p.frames for p in points})
    hosts = list(dict.fromkeys(node.host for node in topology.nodes if node.kind is NodeKind.HOST))
    bands: list[Band] = []
    y = float(MARGIN)
    for host in hosts:
        mine = [n for n, node in enumerate(topology.nodes) if node.host == host and node.kind not in _OUTSIDE]
        bottom = max([y + TOP, *(plan.stack([n for n in mine if topology.nodes[n].kind is k], y + TOP) for k in used)])
        last = max((plan.column[topology.nodes[n].kind] for n in mine), default=0)
        bands.append(Band(host or "Docker host", MARGIN / 2, y, last * COLUMN + NODE_WIDTH + MARGIN, bottom - y))
        y = bottom + BAND_GAP
    outside = [[n for n, node in enumerate(topology.nodes) if node.kind is kind] for kind in _OUTSIDE]
    bottom = max([y - BAND_GAP, *(plan.stack(numbers, TOP + MARGIN) for numbers in outside)])
    boxes = plan.boxes
    lines = tuple(_line(edge, boxes) for edge in topology.edges if edge.a in boxes and edge.b in boxes)
    width = MARGIN * 2 + (len(used) - 1) * COLUMN + NODE_WIDTH
    left_out = len(topology.nodes) - len(boxes)
    return Picture(width, bottom + MARGIN, tuple(boxes.values()), lines, tuple(bands), left_out)


class _Plan:
    """Places boxes, from the inside of a host to the outside."""

    def __init__(self, topology: Topology, column: dict[NodeKind, int], frames: dict[str, int]) -> None:
        self.column = column
        self.boxes: dict[int, Box] = {}
        self._topology, self._frames = topology, frames
        self._busy: dict[int, int] = {}
        for edge in topology.edges:
            for number in (edge.a, edge.b):
                self._busy[number] = self._busy.get(number, 0) + edge.frames

    def stack(self, numbers: list[int], y: float) -> float:
        """
        Put nodes one below the other, each beside what it hangs on; return where the next one would begin.

        An interface that hangs on no container, such as lo, comes below all containers: their lines pass above it.
        """
        containers = [b.y + b.height for b in self.boxes.values() if b.node.kind is NodeKind.CONTAINER and b.y >= y]
        kept = sorted(numbers, key=lambda n: (-self._busy.get(n, 0), n))[:MOST_IN_COLUMN]
        beside = {n: self._beside(n) for n in kept}
        for number in sorted(kept, key=lambda n: (beside[n] is None, beside[n] or 0, n)):
            middle = beside[number]
            if middle is None and self._topology.nodes[number].kind is NodeKind.INTERFACE:
                y = max([y, *(bottom + GAP for bottom in containers)])
            box = self._box(number, y)
            if middle is not None and middle - box.height / 2 > y:
                box = self._box(number, round(middle - box.height / 2, 1))
            self.boxes[number] = box
            y = box.y + box.height + GAP
        return y

    def _beside(self, number: int) -> float | None:
        """Return the height of the nodes that this one hangs on, as far as they are drawn."""
        inner = [self.boxes[e.a].middle for e in self._topology.edges if e.b == number and e.a in self.boxes]
        return sum(inner) / len(inner) if inner else None

    def _box(self, number: int, y: float) -> Box:
        node = self._topology.nodes[number]
        lines = list(node.details[:3])
        if node.point is not None:
            lines.append(plural(self._frames.get(node.point, 0), "frame"))
        elif node.kind in (NodeKind.INTERFACE, NodeKind.BRIDGE, NodeKind.UPLINK):
            lines.append("not captured")
        guess = ", inferred" if node.basis is Basis.INFERRED and node.kind is not NodeKind.HOST else ""
        return Box(
            number=number,
            node=node,
            x=MARGIN + self.column[node.kind] * COLUMN,
            y=y,
            height=34 + LINE * len(lines),
            title=_short(node.name.removeprefix(f"{node.host}:") if node.host else node.name, LETTERS),
            lines=tuple(_short(line, DETAIL_LETTERS) for line in lines),
            label=f"{node.kind}{guess}: {'; '.join((node.name, *lines))}",
        )


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
    right = b.x
    left = right - (COLUMN - NODE_WIDTH)  # straight on, past the columns between
    half = (left + right) / 2
    start = f"M{a.x + NODE_WIDTH} {a.middle:.1f}H{left}"
    path = f"{start}C{half} {a.middle:.1f} {half} {b.middle:.1f} {right} {b.middle:.1f}"
    return Line(edge.a, edge.b, path, width, label)


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
