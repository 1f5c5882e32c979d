"""Packets that left the host with a container's address, which nobody outside can answer: three hypotheses ask.

nat is asked for a connection's first packet only, and what conntrack calls INVALID is never translated
(nf_nat_core.c, nf_nat_packet): so whether a rule would translate such a packet today tells what went wrong.
"""

from dataclasses import dataclass
from ipaddress import ip_network

import numpy as np

from analyzer.decode.offsets import RST, SYN
from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.link.identity import has
from analyzer.model import Address, Container, FlowTuple, HostState, Network, Role
from analyzer.model.engine import Prefix
from analyzer.model.rules import Verdict
from analyzer.packet.prove import Translated
from analyzer.schema import Addresses, Array, Layer
from analyzer.state.path import translate
from analyzer.state.routing import Sought, choose

LOCAL = ip_network("fc00::/7")
"""Unique local addresses (RFC 4193)."""
Ends = tuple[str, Address, Address, int | None, int | None]
"""What a conntrack entry is recognised by."""


@dataclass(slots=True)
class Leaving:
    """Packets of one kind, from one container address."""

    packets: list[int]
    translated: Translated


def leaving(case: Case) -> dict[str, Leaving]:
    """Return unanswered packets that left untranslated, by what is the matter: missing, routed, invalid, stale."""
    found: dict[str, Leaving] = {}
    for packet, kind, translated in case.once(_told_apart):
        found.setdefault(kind, Leaving([], translated)).packets.append(packet)
    return found


def _told_apart(case: Case) -> list[tuple[int, str, Translated]]:
    """Ask the rules about each packet, once for all."""
    found: list[tuple[int, str, Translated]] = []
    for packet in _candidates(case):
        translated = case.tracer.prover.translated(packet, case.context.rows_of(packet))
        found.append((packet, _kind(case, packet, translated), translated))
    return found


def _candidates(case: Case) -> list[int]:
    """Return packets that were routed from a container to the uplink, source unchanged, and never answered."""
    if case.one_sided:
        return []
    context, first, last = case.context, case.first_row, case.last_row
    frames = context.frames
    src = Addresses.of(frames, "src")
    same = src[first].same(src[last])
    routed = frames["ttl"][first] > frames["ttl"][last]
    layers = case.first("layers")
    plain = has(layers, Layer.IPV4 | Layer.IPV6) & ~has(layers, Layer.TUNNEL | Layer.QUOTE)
    plain &= ~has(frames["layers"][last], Layer.TUNNEL)  # it leaves in a packet of the host's own
    outward = case.context.with_role(first, *NEAR_CONTAINERS) & case.context.with_role(last, Role.UPLINK)
    answered = np.append(context.connections["seen_reply"], False)[case.connection]
    packets = np.flatnonzero(same & routed & plain & outward & (~answered | _alone(case)))
    return [packet for packet in packets.tolist() if not _public(case, packet)]


def _alone(case: Case) -> Array:
    """(packets,) bool: untranslated although the connection is: conntrack did not know the packet."""
    return np.append(case.source_moved, False)[case.connection] & ~case.reply


def _public(case: Case, packet: int) -> bool:
    src = case.context.src(int(case.first_row[packet]))
    if src is None or src.is_link_local or case.host_of(packet).owns(src):
        return True
    return src.version == 4 and src.is_global


def is_public(src: Address | None) -> bool:
    """Tell whether an address of IPv6 may be reached from everywhere, so that it needs a route, and no translation."""
    return src is not None and src.version == 6 and src not in LOCAL


def network_of(case: Case, packet: int) -> Network | None:
    """Return the Docker network of a packet's source."""
    src = case.context.src(int(case.first_row[packet]))
    networks = case.host_of(packet).networks
    return next((n for n in networks if n.holds(src)), None)


def subnet_and_bridge(case: Case, packet: int) -> tuple[Prefix, str]:
    """Return what a rule would be for: the engine's network, else what the host's own route to it says."""
    network = network_of(case, packet)
    src, host = case.context.src(int(case.first_row[packet])), case.host_of(packet)
    found = next((s for s in network.subnets if src in s), None) if network is not None else None
    chosen = choose(host, Sought(src)) if src is not None and network is None else None
    route = chosen.route if chosen is not None and chosen.route.gateway is None and chosen.route.dst.prefixlen else None
    bridge = network.bridge if network is not None else route.dev if route is not None else None
    return found or (route.dst if route is not None else ip_network(str(src))), bridge or "docker0"


def _kind(case: Case, packet: int, translated: Translated) -> str:
    network, row = network_of(case, packet), int(case.first_row[packet])
    src = case.context.src(row)
    if network is not None and src is not None and src.version in network.routed:
        return "routed"
    if is_public(src):
        return "missing" if translated is Translated.NO and network is None else "public"
    tcp = bool(case.context.layers(row) & Layer.TCP)
    flags = case.context.value("tcp_flags", row)
    midway = tcp and not (flags & SYN and not flags & RST)
    if translated is Translated.UNKNOWN:
        return "invalid" if midway and case.source_moved.any() else "missing"
    if translated is Translated.NO:
        return "missing"
    return "invalid" if midway or not _has_entry(case, packet) else "stale"


def _has_entry(case: Case, packet: int) -> bool:
    """Tell whether conntrack knew the connection, as far as its table or events were recorded."""
    number = int(case.connection[packet])
    entries = case.hosts.everywhere.conntrack
    if not entries or number < 0:
        return not entries
    return _ends(case.tracer.connection(number).original) in case.once(_entries)


def _entries(case: Case) -> set[Ends]:
    return {_ends(entry.original) for entry in case.hosts.everywhere.conntrack}


def _ends(flow: FlowTuple) -> Ends:
    return flow.protocol, flow.src, flow.dst, flow.sport, flow.dport


def left_as_asked(case: Case) -> list[tuple[int, Container, str]]:
    """Return first packets from outside for published ports that no rule translates, and whose ports these are."""
    context, table = case.context, case.context.connections
    published = {
        (host.name, *key): (container, port)
        for host in case.hosts.states
        for container in reversed(host.containers)
        for key, port in container.published_ports().items()
    }
    straight = ~case.target_moved & (table["orig_dport"] == table["reply_sport"])
    found: list[tuple[int, Container, str]] = []
    for number in np.flatnonzero(straight).tolist() if published else ():
        protocol = {6: "tcp", 17: "udp"}.get(int(table["proto"][number]), "")
        packet = int(context.packets_of(number)[0])
        host = context.host_at(int(case.first_row[packet]))
        known = published.get((host.name, protocol, int(table["orig_dport"][number])))
        if known is None or context.point(int(case.first_row[packet])).role is not Role.UPLINK:
            continue
        if _untranslated(host, *known, case.tracer.connection(number).original):
            found.append((packet, *known))
    return found


def _untranslated(host: HostState, container: Container, port: str, flow: FlowTuple) -> bool:
    """Tell whether Docker should have a rule for it, by the container's addresses, and has none."""
    dst: Address = flow.dst
    if not host.owns(dst) or not any(ip.version == dst.version for ip in container.addresses):
        return False
    if dst.version == 6 and not _keeps_rules_for_ipv6(host):
        return False  # docker-proxy relays then, as is meant
    outside = port.partition("->")[0].rpartition(":")[0]
    if outside.startswith(("127.", "[::1]", "::1")):
        return False
    result = translate(host, flow)
    return result is not None and result.verdict is not Verdict.UNKNOWN and not result.target_moved


def _keeps_rules_for_ipv6(host: HostState) -> bool:
    """Tell whether the engine makes rules for IPv6, too: Docker until 26 does only with ``"ip6tables": true``."""
    return any(
        "DOCKER" in table.chains or table.name == "docker-bridges" for table in host.tables if 4 not in table.versions
    )
