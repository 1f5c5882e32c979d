"""A folder of dumps to HostState. Every dump is optional; a damaged one is named and left out."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from analyzer.errors import InputError
from analyzer.host.conntrack import parse_conntrack
from analyzer.host.counters import parse_conntrack_stats, parse_nstat
from analyzer.host.docker import parse_containers, parse_networks
from analyzer.host.iproute import parse_fdb, parse_links, parse_neighbours, parse_ports, parse_routes, parse_rules
from analyzer.host.netfilter.nft import parse_native
from analyzer.host.netfilter.ruleset import parse_ruleset, parse_sets
from analyzer.model import ConntrackEntry, HostState, RoutingRule
from analyzer.model.netfilter import NativeTable, Ruleset

Parsed = TypeVar("Parsed")
MAX_DUMP = 256 << 20
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
NAMES = (
    "ip-addr.json", "ip-route.json", "ip-rule.json", "ip6-rule.json", "ip-neigh.json", "bridge-fdb.json",
    "bridge-link.json", "iptables-save.txt", "ip6tables-save.txt", "nft-ruleset.json", "ipset.txt", "conntrack.txt",
    "conntrack6.txt", "conntrack-stats.txt", "nstat.txt", "sysctl.txt", "sysctl-interfaces.txt", "docker-version.json",
    "docker-inspect.json", "docker-network-inspect.json",
)  # fmt: skip
"""Dumps that there may be."""
_WRONG_SHAPE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


def load_host(folder: Path, *, events: Path | None = None, name: str | None = None) -> HostState:
    """
    Read the dumps in *folder*, and conntrack's events beside it.

    Raises:
        InputError: *folder* is not there.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of host dumps")
    found: dict[str, Any] = {}
    problems: list[str] = []
    for part, (file, parse) in _JSON_DUMPS.items():
        parsed = _parsed(folder / file, partial(_from_json, parse=parse), problems)
        if parsed is not None:
            found[part] = parsed
    routing: list[RoutingRule] = []
    for file, version in (("ip-rule.json", 4), ("ip6-rule.json", 6)):
        read = partial(_from_json, parse=partial(parse_rules, version=version))
        routing += _parsed(folder / file, read, problems) or ()
    sysctls: dict[str, str] = {}
    for file in ("sysctl.txt", "sysctl-interfaces.txt"):
        lines = (_read(folder / file, problems) or "").splitlines()
        sysctls |= {
            name.strip(): value.strip() for name, equals, value in (line.partition("=") for line in lines) if equals
        }
    conntrack: list[ConntrackEntry] = []
    for path in (*(folder / name for name in _CONNTRACK_DUMPS), events):
        text = _read(path, problems) if path is not None else None
        entries, unreadable = parse_conntrack((text or "").splitlines())
        conntrack += entries
        if path is not None and unreadable:
            problems.append(f"{path.name}: {unreadable} lines not as conntrack prints them")
    rulesets = _rulesets(folder, problems)
    before = folder.parent / f"{folder.name}-before"
    return HostState(
        name=name,
        routing_rules=tuple(routing),
        rulesets=rulesets,
        native=_native(folder, rulesets, problems),
        rulesets_before=_rulesets(before, problems) if before.is_dir() else (),
        native_before=_native(before, rulesets, problems) if before.is_dir() else (),
        sysctls=sysctls,
        counters=_counters(folder, problems),
        counters_before=_counters(before, problems) if before.is_dir() else {},
        conntrack=tuple(conntrack),
        problems=tuple(problems),
        files=tuple(name for name in NAMES if (folder / name).is_file()),
        **found,
    )


def _from_json(text: str, parse: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
    return parse(json.loads(text)) if text.strip() else ()


def _rulesets(folder: Path, problems: list[str]) -> tuple[Ruleset, ...]:
    found: list[Ruleset] = []
    sets = parse_sets((_read(folder / "ipset.txt", problems) or "").splitlines())
    for file, version in (("iptables-save.txt", 4), ("ip6tables-save.txt", 6)):
        read = partial(_ruleset, version=version)
        if (rules := _parsed(folder / file, read, problems)) is not None:
            rules.sets = sets
            found.append(rules)
    return tuple(found)


def _ruleset(text: str, version: int) -> Ruleset:
    return parse_ruleset(text.splitlines(), version)


def _counters(folder: Path, problems: list[str]) -> dict[str, int]:
    nstat = (_read(folder / "nstat.txt", problems) or "").splitlines()
    conntrack = (_read(folder / "conntrack-stats.txt", problems) or "").splitlines()
    return parse_nstat(nstat) | parse_conntrack_stats(conntrack)


def _native(folder: Path, rulesets: tuple[Ruleset, ...], problems: list[str]) -> tuple[NativeTable, ...]:
    elsewhere = ["ip6" if rules.version == 6 else "ip" for rules in rulesets]

    def read(text: str) -> list[NativeTable]:
        return parse_native(text, elsewhere) if text.strip() else []

    return tuple(_parsed(folder / "nft-ruleset.json", read, problems) or ())


def _parsed(path: Path, parse: Callable[[str], Parsed], problems: list[str]) -> Parsed | None:
    """Read and parse a dump; None if it is not there, or damaged, which is a problem."""
    text = _read(path, problems)
    if text is None:
        return None
    try:
        return parse(text)
    except _WRONG_SHAPE as error:
        problems.append(f"{path.name}: not as its command prints it: {_short(error)}")
        return None


def _read(path: Path, problems: list[str]) -> str | None:
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_DUMP:
            problems.append(f"{path.name}: larger than {MAX_DUMP >> 20} MiB")
            return None
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
        return None


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:120]
