"""A folder of dumps to HostState. Every dump is optional; a damaged one is named and left out."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.model import ConntrackEntry, HostState, RoutingRule
from analyzer.state.docker import parse_containers, parse_networks
from analyzer.state.dumps import COUNTED, NAMES, Dumps
from analyzer.state.iproute import parse_fdb, parse_links, parse_neighbours, parse_ports, parse_routes, parse_rules

_JSON_DUMPS: dict[str, tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    "links": ("ip-addr.json", parse_links),
    "routes": ("ip-route.json", parse_routes),
    "neighbours": ("ip-neigh.json", parse_neighbours),
    "fdb": ("bridge-fdb.json", parse_fdb),
    "ports": ("bridge-link.json", parse_ports),
    "containers": ("docker-inspect.json", parse_containers),
    "networks": ("docker-network-inspect.json", parse_networks),
}
_CONNTRACK_DUMPS = ("conntrack.txt", "conntrack6.txt", "conntrack-events.txt")


def load_host(folder: Path, *, events: Path | None = None, name: str | None = None) -> HostState:
    """
    Read the dumps in *folder*, those of before beside it, and conntrack's events.

    A dump that is missing, as after a recording that was killed, is taken as it was before.

    Raises:
        InputError: neither is there.
    """
    dumps = Dumps(folder, folder.parent / f"{folder.name}-before")
    if not dumps.folder.is_dir() and not dumps.before.is_dir():
        raise InputError(f"{folder}: no such folder of host dumps")
    found: dict[str, Any] = {}
    for part, (file, parse) in _JSON_DUMPS.items():
        parsed = dumps.parsed(file, partial(_from_json, parse=parse))
        if parsed is not None:
            found[part] = parsed
    routing: list[RoutingRule] = []
    for file, version in (("ip-rule.json", 4), ("ip6-rule.json", 6)):
        routing += dumps.parsed(file, partial(_from_json, parse=partial(parse_rules, version=version))) or ()
    sysctls: dict[str, str] = {}
    for file in ("sysctl.txt", "sysctl-interfaces.txt"):
        pairs = (line.partition("=") for line in dumps.lines(file))
        sysctls |= {name.strip(): value.strip() for name, equals, value in pairs if equals}
    conntrack: list[ConntrackEntry] = []
    for path in (*map(dumps.place, _CONNTRACK_DUMPS), *([events] if events is not None else [])):
        conntrack += dumps.entries(path)
    tables, ruled = dumps.rules(dumps.place)
    counters = dumps.counters(dumps.place)
    # What stands in for a dump of after cannot be compared with itself.
    compared = dumps.before.is_dir() and not dumps.stand_in & COUNTED
    tables_before = dumps.rules(dumps.place_before)[0] if compared else ()
    return HostState(
        name=name,
        routing_rules=tuple(routing),
        tables=tables,
        tables_before=tables_before,
        ruled=ruled,
        sysctls=sysctls,
        counters=counters,
        counters_before=dumps.counters(dumps.place_before) if compared else {},
        conntrack=tuple(conntrack),
        problems=(*dumps.problems, *dumps.told_of_before()),
        files=tuple(name for name in NAMES if dumps.place(name).is_file()),
        **found,
    )


def _from_json(text: str, parse: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
    return parse(json.loads(text)) if text.strip() else ()
