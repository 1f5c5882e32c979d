"""Reads ``firewall-cmd --list-all-zones`` (firewall-cmd(1))."""

import re
from collections.abc import Iterable, Mapping

from analyzer.model.firewalld import Zone

_HEAD = re.compile(r"^([\w-]+)(?: \(([a-z, ]+)\))?$")


def parse_zones(lines: Iterable[str]) -> tuple[Zone, ...]:
    """Return the zones: each begins in the first column, what belongs to it is indented, lists of ports once more."""
    found: list[Zone] = []
    name, marks, fields, last = "", "", dict[str, list[str]](), ""
    for line in (*lines, "end"):
        text = line.rstrip()
        if (head := _HEAD.match(text)) is not None:
            if name:
                found.append(_zone(name, marks, fields))
            name, marks, fields, last = head[1], head[2] or "", {}, ""
        elif line.startswith("\t") and last:
            fields[last].append(text.strip())
        elif ":" in text:
            last, _, value = text.strip().partition(":")
            fields[last] = value.split()
    return tuple(found)


def _zone(name: str, marks: str, fields: Mapping[str, list[str]]) -> Zone:
    return Zone(
        name,
        tuple(fields.get("interfaces", ())),
        default="default" in marks,
        masquerades=fields.get("masquerade") == ["yes"],
        forward_ports=tuple(fields.get("forward-ports", ())),
    )
