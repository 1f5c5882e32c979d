"""What is known of a capture before it is read: what the user said with ``--point``, and what a manifest says."""

from dataclasses import dataclass

from analyzer.errors import SelectionError
from analyzer.model import Role
from analyzer.read.manifest import RecordedPoint


@dataclass(frozen=True, slots=True)
class PointSpec:
    """What the user said about a file with ``--point``."""

    file: str
    name: str | None = None
    role: Role | None = None
    host: str | None = None
    container: str | None = None
    recorded: RecordedPoint | None = None
    """What a bundle's manifest says of it."""
    filter: str = ""
    """Of the capture, by the manifest."""
    recorded_ns: tuple[int, int | None] | None = None
    """From when to when it was surely recording, by the manifest."""


def parse_point(text: str) -> PointSpec:
    """
    Parse ``NAME=FILE[,role=ROLE][,host=HOST][,container=CONTAINER]``.

    Raises:
        SelectionError: it is not of that form.
    """
    first, *rest = text.split(",")
    name, separator, file = first.partition("=")
    if not separator or not name or not file:
        raise SelectionError(f"--point {text}: needs NAME=FILE[,role=ROLE][,host=HOST][,container=CONTAINER]")
    given = dict(part.partition("=")[::2] for part in rest)
    unknown = sorted(set(given) - {"role", "host", "container"})
    if unknown:
        raise SelectionError(f"--point {text}: unknown {unknown[0]!r}; known are role, host, container")
    role = given.get("role")
    if role is not None and role not in set(Role):
        raise SelectionError(f"--point {text}: unknown role {role!r}; known are {', '.join(Role)}")
    return PointSpec(file, name, Role(role) if role else None, given.get("host"), given.get("container"))
