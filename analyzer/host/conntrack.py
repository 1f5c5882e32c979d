"""Reads ``conntrack -L -o extended,id`` and ``conntrack -E -o timestamp,extended,id``."""

import re
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

from analyzer.model import ConntrackEntry, FlowTuple

_TIME = re.compile(r"^\[(\d+)\.(\d{1,9})\]")
_PAIR = re.compile(r"\b(src|dst|sport|dport|type|code|id)=(\S+)")
_PROTOCOL = re.compile(r"\bipv[46]\s+\d+\s+(\S+)\s+(\d+)|^\s*(?:\[\w+\]\s*)?(\w+)\s+(\d+)\s")


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
        entries[key] = replace(known, last_ns=entry.last_ns) if known else entry
    return list(entries.values()), unreadable


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
            entry_id = int(value)  # an echo id belongs to a tuple, the last id= to the entry
        elif groups:
            groups[-1][key] = value
    if len(groups) < 2:
        raise ValueError(line)
    time = _TIME.match(line)
    time_ns = int(time[1]) * 1_000_000_000 + int(time[2].ljust(9, "0")) if time else None
    original, reply = _tuple(protocol, groups[0]), _tuple(protocol, groups[1])
    if len({ip.version for ip in (original.src, original.dst, reply.src, reply.dst)}) > 1:
        raise ValueError(line)  # nobody translates between families here
    return ConntrackEntry(original, reply, entry_id, time_ns, time_ns)


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
