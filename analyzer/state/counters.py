"""Reads what the kernel has counted: ``nstat -az`` and ``conntrack -S``."""

import re
from collections import Counter
from collections.abc import Iterable

_NSTAT = re.compile(r"^(\w+)\s+(\d+)\s+[\d.]+$")
_CONNTRACK = re.compile(r"(\w+)=(\d+)")


def parse_nstat(lines: Iterable[str]) -> dict[str, int]:
    """Return every counter by its name (``nstat -az``: all, also those that are 0)."""
    found = (_NSTAT.match(line.strip()) for line in lines)
    return {match[1]: int(match[2]) for match in found if match}


def parse_conntrack_stats(lines: Iterable[str]) -> dict[str, int]:
    """Return conntrack's counters, each summed up over processors, as ``conntrack.insert_failed``."""
    found: Counter[str] = Counter()
    for line in lines:
        for name, value in _CONNTRACK.findall(line):
            if name != "cpu":
                found[f"conntrack.{name}"] += int(value)
    return dict(found)
