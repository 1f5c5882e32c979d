"""Reads what the kernel has counted: ``nstat -az``, ``conntrack -S``, ``ip -s link``, ``tc -s qdisc``, softnet_stat."""

import re
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct
from msgspec.json import decode

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


class _Stats(Struct):
    rx: dict[str, int]
    tx: dict[str, int]


class _Link(Struct):
    ifname: str = ""  # iproute2 lists what it left out as {}
    stats64: _Stats | None = None


def parse_link_stats(text: str) -> dict[str, int]:
    """Return what interfaces counted (``ip -s -s -j addr``), as ``link.wlan0.tx.dropped``."""
    found: dict[str, int] = {}
    for link in decode(text, type=list[_Link]) if text.strip() else ():
        ways = (("rx", link.stats64.rx), ("tx", link.stats64.tx)) if link.stats64 is not None else ()
        for way, counts in ways:
            found |= {f"link.{link.ifname}.{way}.{name}": value for name, value in counts.items()}
    return found


class _Qdisc(Struct):
    dev: str
    drops: int = 0


def parse_qdiscs(text: str) -> dict[str, int]:
    """Return what queues dropped, all of an interface together (``tc -s -j qdisc``), as ``qdisc.wlan0.drops``."""
    found: Counter[str] = Counter()
    for queue in decode(text, type=list[_Qdisc]) if text.strip() else ():
        found[f"qdisc.{queue.dev}.drops"] += queue.drops
    return dict(found)


SOFTNET = {1: "dropped", 2: "time_squeeze", 10: "flow_limit"}
"""Columns of /proc/net/softnet_stat (net/core/net-procfs.c, softnet_seq_show)."""


def parse_softnet(lines: Iterable[str]) -> dict[str, int]:
    """Return the columns that tell of losses, each summed up over processors, as ``softnet.dropped``."""
    found: Counter[str] = Counter()
    for line in lines:
        columns = line.split()
        for place, name in SOFTNET.items():
            if place < len(columns):
                found[f"softnet.{name}"] += int(columns[place], 16)
    return dict(found)
