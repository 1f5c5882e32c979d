"""A folder of dumps to HostState. Every dump is optional; a damaged one is named and left out."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.model import Address, ConntrackEntry, HostState, Network, RoutingRule
from analyzer.model.drop import Drop
from analyzer.model.engine import DOCKER, NERDCTL, PODMAN, Ended
from analyzer.state import podman
from analyzer.state.cri import parse_pods
from analyzer.state.docker import parse_containers, parse_makes_rules, parse_networks, parse_on_host, parse_sidecars
from analyzer.state.drops import parse_drops
from analyzer.state.dumps import COUNTED, NAMES, OVERLAYS, Dumps
from analyzer.state.firewalld import parse_zones
from analyzer.state.happened import ended
from analyzer.state.iproute import (
    parse_fdb,
    parse_links,
    parse_neighbours,
    parse_ports,
    parse_queues,
    parse_routes,
    parse_rules,
    parse_vlans,
)
from analyzer.state.queues import parse_readers, unread
from analyzer.state.retis import FILE, parse_retis
from analyzer.state.sockets import parse_listeners, parse_resolvers
from analyzer.state.spaces import containers_in
from analyzer.state.sysctl import parse_sysctls
from analyzer.state.vpn import parse_peers, parse_policies, parse_states

_JSON_DUMPS: tuple[tuple[str, str, Callable[[Any], tuple[Any, ...]]], ...] = (
    ("links", "ip-addr.json", parse_links),
    ("routes", "ip-route.json", parse_routes),
    ("neighbours", "ip-neigh.json", parse_neighbours),
    ("fdb", "bridge-fdb.json", parse_fdb),
    ("ports", "bridge-link.json", parse_ports),
    ("queues", "tc-qdisc.json", parse_queues),
    ("vlans", "bridge-vlan.json", parse_vlans),
    ("containers", "docker-inspect.json", parse_containers),
    ("sidecars", "docker-inspect.json", parse_sidecars),
    ("on_host", "docker-inspect.json", parse_on_host),
    ("networks", "docker-network-inspect.json", parse_networks),
    ("containers", "podman-inspect.json", partial(parse_containers, engine=PODMAN)),
    ("sidecars", "podman-inspect.json", parse_sidecars),
    ("on_host", "podman-inspect.json", parse_on_host),
    ("networks", "podman-network-inspect.json", podman.parse_networks),
    ("containers", "nerdctl-inspect.json", partial(parse_containers, engine=NERDCTL)),
    ("sidecars", "nerdctl-inspect.json", parse_sidecars),
    ("on_host", "nerdctl-inspect.json", parse_on_host),
    ("networks", "nerdctl-network-inspect.json", partial(parse_networks, engine=NERDCTL)),
    ("containers", "crictl-inspect.json", parse_pods),
)
"""Part of the state, file, and what reads it; several engines' are all there."""
EVENTS = "docker-events.json"
LONGEST_EVENT, MOST_EVENTS = 1 << 20, 4_000_000
"""Characters of a line of retis', and its lines that are read."""
_CONNTRACK_DUMPS = ("conntrack.txt", "conntrack6.txt", "conntrack-events.txt")


def load_host(
    folder: Path,
    *,
    events: Path | None = None,
    drops: Path | None = None,
    retis: Path | None = None,
    name: str | None = None,
) -> HostState:
    """
    Read the dumps in *folder*, those of before beside it, conntrack's events, and the kernel's drops.

    Drops are told by the kernel's own account, or by what retis traced.

    A dump that is missing, as after a recording that was killed, is taken as it was before.

    Raises:
        InputError: neither is there.
    """
    dumps = Dumps(folder, folder.parent / f"{folder.name}-before")
    if not dumps.folder.is_dir() and not dumps.before.is_dir():
        raise InputError(f"{folder}: no such folder of host dumps")
    host = _with_gateways(_state(dumps, name, events))
    inside = {container: _state(of) for container, of in dumps.inside().items()}
    overlays = {network: _state(of) for network, of in dumps.inside(OVERLAYS).items()}
    spaces = [*inside.items(), *overlays.items()]
    told = (f"{name}: {problem}" for name, state in spaces for problem in state.problems)
    host = replace(host, containers=(*host.containers, *containers_in(host, inside)))
    dropped, lost = parse_drops((dumps.text_of(drops) or "").splitlines() if drops is not None else ())
    dropped = dropped or _of_retis(retis, dumps)
    untold = (f"{drops.name}: the kernel could not tell {lost:,} events",) if drops is not None and lost else ()
    return replace(
        host,
        inside=inside,
        overlays=overlays,
        drops=dropped,
        ended=_ended(dumps, host),
        problems=(*host.problems, *untold, *told),
    )


def _of_retis(path: Path | None, dumps: Dumps) -> tuple[Drop, ...]:
    """Read retis' events, which may be many: line by line."""
    try:
        if path is None:
            return ()
        with path.open(encoding="utf-8", errors="replace") as file:
            return parse_retis(islice(iter(lambda: file.readline(LONGEST_EVENT), ""), MOST_EVENTS))
    except OSError as error:
        dumps.problems.append(f"{FILE}: {error.strerror}")
        return ()


def _ended(dumps: Dumps, host: HostState) -> tuple[Ended, ...]:
    """Compare what Docker told before with its events."""
    events = dumps.text_of(dumps.folder.parent / EVENTS)
    before = dumps.text_of(dumps.place_before("docker-inspect.json")) if events else None
    try:
        return (
            ended((events or "").splitlines(), parse_containers(json.loads(before)), host.containers) if before else ()
        )
    except ValueError:
        return ()


def _with_gateways(host: HostState) -> HostState:
    """
    Fill in the gateways of networks that Docker chose itself: it tells them with the containers alone.

    Others' networks have no bridge before somebody is on them, and are left out until then.
    """

    def told(network: Network) -> tuple[Address, ...]:
        found = (ip for one in host.containers if one.network == network.name for ip in one.gateways)
        return network.gateways or tuple(dict.fromkeys(found))

    def used(network: Network) -> bool:
        return network.engine == DOCKER or not network.bridge or not host.links or host.link(network.bridge) is not None

    return replace(host, networks=tuple(replace(one, gateways=told(one)) for one in host.networks if used(one)))


def _state(dumps: Dumps, name: str | None = None, events: Path | None = None) -> HostState:
    """Read what is recorded of one network namespace."""
    found: dict[str, Any] = {}
    for part, file, parse in _JSON_DUMPS:
        parsed = dumps.parsed(file, partial(_from_json, parse=parse))
        if parsed is not None:
            found[part] = (*found.get(part, ()), *parsed)
    routing: list[RoutingRule] = []
    for file, version in (("ip-rule.json", 4), ("ip6-rule.json", 6)):
        routing += dumps.parsed(file, partial(_from_json, parse=partial(parse_rules, version=version))) or ()
    sysctls: dict[str, str] = {}
    for file in ("sysctl.txt", "sysctl-interfaces.txt"):
        sysctls |= parse_sysctls(dumps.lines(file))
    listeners = parse_listeners(dumps.lines("ss.txt"))
    resolvers, search = parse_resolvers(dumps.lines("resolv.conf"))
    conntrack: list[ConntrackEntry] = []
    for path in (*map(dumps.place, _CONNTRACK_DUMPS), *([events] if events is not None else [])):
        conntrack += dumps.entries(path)
    tables, ruled = dumps.rules(dumps.place)
    unread(tables, parse_readers(dumps.lines("nfnetlink_queue.txt")))
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
        peers=parse_peers(dumps.lines("wg.txt")),
        zones=parse_zones(dumps.lines("firewalld.txt")),
        ipsec=parse_policies(dumps.lines("xfrm-policy.txt")),
        ipsec_states=parse_states(dumps.lines("xfrm-state.txt")),
        makes_rules=dumps.parsed("daemon.json", parse_makes_rules),
        sysctls=sysctls,
        counters=counters,
        counters_before=dumps.counters(dumps.place_before) if compared else {},
        conntrack=tuple(conntrack),
        problems=(*dict.fromkeys(dumps.problems), *dumps.told_of_before()),
        listeners=listeners,
        resolvers=resolvers,
        search=search,
        files=tuple(name for name in NAMES if dumps.place(name).is_file()),
        **found,
    )


def _from_json(text: str, parse: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
    return parse(json.loads(text)) if text.strip() else ()
