"""Reads ``conntrack -L -o extended,id`` and ``conntrack -E -o timestamp,extended,id``."""

import re
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from analyzer.model import ConntrackEntry, FlowTuple

_TIME = re.compile(r"^\[(\d+)\.(\d{1,9})\]")
_PAIR = re.compile(r"\b(src|dst|sport|dport|type|code|id)=(\S+)")
_DETAIL = re.compile(r"\s\d+\s+(?:(\d+)\s+)?(?:([A-Z_0-9]+)\s+)?src=")
"""Before the tuples: the protocol's number, seconds left, and a state where the protocol has one."""
_FLAG = re.compile(r"\[([A-Z]+)\]")
_PROTOCOL = re.compile(r"\bipv[46]\s+\d+\s+(\S+)\s+(\d+)|^\s*(?:\[\w+\]\s*)?(\w+)\s+(\d+)\s")


MOST_SECONDS = 9_000_000_000
"""Since the epoch: what int64 holds in ns."""


def parse_conntrack(lines: Iterable[str]) -> tuple[list[ConntrackEntry], int]:
    """
    Read a listing, or events as they were printed.

    Returns:
        One entry per connection (of several events of one, the first time and the last are kept), and how many
        lines could not be read.
    """
    entries: dict[tuple[object, ...], ConntrackEntry] = {}
    unreadable = 0
    for line in lines:
        if not line.strip() or line.startswith(("conntrack v", "#")):
            continue
        try:
            entry = _entry(line)
        except (ValueError, LookupError):
            unreadable += 1
            continue
        key = (entry.id, entry.original, entry.reply)
        known = entries.get(key)
        entries[key] = _later(known, entry) if known else entry
    return list(entries.values()), unreadable


def _later(known: ConntrackEntry, entry: ConntrackEntry) -> ConntrackEntry:
    """Add another event of a connection: the last one that tells a state, tells it."""
    detail = entry if entry.state or entry.timeout_s is not None else known
    return replace(
        known,
        last_ns=entry.last_ns,
        state=detail.state,
        timeout_s=detail.timeout_s,
        flags=tuple(dict.fromkeys((*known.flags, *entry.flags))),
    )


def _entry(line: str) -> ConntrackEntry:
    found = _PROTOCOL.search(line)
    if found is None:
        raise ValueError(line)
    protocol = (found[1] or found[3]).lower()
    groups: list[dict[str, str]] = []
    entry_id: int | None = None
    for key, value in _PAIR.findall(line):
        if key == "src":
            groups.append({})
        if key == "id" and (not groups or "id" in groups[-1] or "type" not in groups[-1]):
            entry_id = _within(int(value), 1 << 63)  # an echo id belongs to a tuple, the last id= to the entry
        elif groups:
            groups[-1][key] = value
    if len(groups) < 2:
        raise ValueError(line)
    time = _TIME.match(line)
    time_ns = _within(int(time[1]), MOST_SECONDS) * 1_000_000_000 + int(time[2].ljust(9, "0")) if time else None
    original, reply = _tuple(protocol, groups[0]), _tuple(protocol, groups[1])
    if len({ip.version for ip in (original.src, original.dst, reply.src, reply.dst)}) > 1:
        raise ValueError(line)  # nobody translates between families here
    detail = _DETAIL.search(line)
    return ConntrackEntry(
        original,
        reply,
        entry_id,
        time_ns,
        time_ns,
        state=detail[2] if detail else None,
        timeout_s=_within(int(detail[1]), 1 << 63) if detail and detail[1] else None,
        flags=tuple(_FLAG.findall(line[found.end() :])),
    )


def _within(value: int, bound: int) -> int:
    if not 0 <= value < bound:
        raise ValueError(value)
    return value


def _tuple(protocol: str, fields: dict[str, str]) -> FlowTuple:
    def number(name: str) -> int | None:
        if name not in fields:
            return None
        value = int(fields[name])
        if not 0 <= value <= 0xFFFF:
            raise ValueError(f"{name}={value}")
        return value

    return FlowTuple(
        protocol,
        ip_address(fields["src"]),
        ip_address(fields["dst"]),
        number("sport"),
        number("dport"),
        number("type"),
        number("code"),
        number("id"),
    )
