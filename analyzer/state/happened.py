"""What ``docker events`` told while captures ran, as far as containers ended by it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from analyzer.model import Container
from analyzer.model.engine import Ended

MOST = 100_000
"""Lines that are read."""
ENDS = {("container", "die"): "exited", ("network", "disconnect"): "disconnected"}
"""What of ``docker events`` takes a container's address away."""
BACK = {("container", "start"): "exited", ("network", "connect"): "disconnected"}
"""What gives it back."""


def ended(lines: Iterable[str], before: Sequence[Container], after: Sequence[Container]) -> tuple[Ended, ...]:
    """
    Return the containers that ended or left a network meanwhile, in order of time, each once a network.

    *before* and *after* are what ``docker inspect`` told; lines that are no events are passed over.
    """
    there = {(one.name, one.network): one for one in after if one.status.answers}
    known, running = {one.name for one in after}, {name for name, _ in there}
    found: dict[tuple[str, str], Ended] = {}
    for kind, event, again in _events(lines):
        told = event["Actor"]["Attributes"]
        for one in before:
            key = one.name, one.network
            if again:
                of = one.name if kind == "exited" else one.network
                left = key in found and (found[key].how == "disconnected") is (kind == "disconnected")
                if left and found[key].back_ns is None and told.get("name") == of:
                    found[key] = replace(found[key], back_ns=int(event["timeNano"]))
            elif kind == "exited" and told.get("name") == one.name:
                how = "restarted" if key in there else "exited" if one.name in known else "removed"
                code = told.get("exitCode")
                found.setdefault(key, Ended(one, int(event["timeNano"]), how, _number(code)))
            elif (
                kind == "disconnected" and told.get("name") == one.network and one.name in running and key not in there
            ):
                found.setdefault(key, Ended(one, int(event["timeNano"]), kind))
    return tuple(sorted(found.values(), key=lambda one: one.time_ns))


def _events(lines: Iterable[str]) -> Iterator[tuple[str, Any, bool]]:
    """Give what takes an address away, and what gives it back."""
    for number, line in enumerate(lines):
        if number >= MOST:
            return
        try:
            event = json.loads(line)
            what = event["Type"], event["Action"]
            kind = ENDS.get(what) or BACK.get(what)
            if kind is not None and isinstance(event["Actor"]["Attributes"], dict) and int(event["timeNano"]):
                yield kind, event, what in BACK
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _number(code: object) -> int | None:
    return int(code) if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) < 10 else None
