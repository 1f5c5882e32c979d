"""The kernel's own answer: ``expected.json`` from conntrack's events. Nothing of hoptrace is used here."""

import json
import re
from pathlib import Path

_PAIR = re.compile(r"\b(src|dst|sport|dport|type|id)=(\S+)")
_HEAD = re.compile(r"^\[(\d+)\.(\d+)\]\s+\[NEW\]\s+ipv[46]\s+\d+\s+(\S+)")

Tuple = dict[str, str | int]
Connection = dict[str, str | int | Tuple]


def expected_connections(events: Path) -> list[Connection]:
    """Return time, protocol, original and reply tuple of every new connection, in order."""
    found: list[Connection] = []
    for line in events.read_text().splitlines():
        head = _HEAD.search(line)
        if head is None:
            continue
        tuples: list[Tuple] = []
        for key, value in _PAIR.findall(line):
            if key == "src":
                tuples.append({})
            if key in ("src", "dst"):
                tuples[-1][key] = value
            elif key in ("sport", "dport"):
                tuples[-1][key] = int(value)
            elif key == "id" and "type" in tuples[-1] and "icmp_id" not in tuples[-1]:
                tuples[-1]["icmp_id"] = int(value)
            elif key == "type":
                tuples[-1]["type"] = int(value)
        for one in tuples:
            one.pop("type", None)
        time_ns = int(head[1]) * 1_000_000_000 + int(head[2].ljust(9, "0"))
        found.append({"time_ns": time_ns, "protocol": head[3], "original": tuples[0], "reply": tuples[1]})
    return found


def write_expected(folder: Path) -> None:
    """Write ``expected.json`` beside the events."""
    connections = expected_connections(folder / "conntrack-events.txt")
    lines = ",\n".join(f"    {json.dumps(connection)}" for connection in connections)
    (folder / "expected.json").write_text(f'{{"connections": [\n{lines}\n]}}\n')
