"""A row of CONNECTIONS to a Connection, with the recorded rules behind its translations."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from analyzer.model import (
    Address,
    Basis,
    Connection,
    FlowTuple,
    Hosts,
    HostState,
    NatChange,
    NatKind,
    address,
    endpoint,
)
from analyzer.model.question import Constant, Missing
from analyzer.model.verdict import Account, Translation
from analyzer.packet.context import Context
from analyzer.packet.text import protocol_name
from analyzer.schema import Layer
from analyzer.state.path import translate


def build_connection(context: Context, number: int) -> Connection:
    """Build one connection."""
    table = context.connections
    original, reply = _tuple(context, number, "orig"), _tuple(context, number, "reply")
    stated = int(table["stated"][number])
    entry = context.hosts.everywhere.conntrack[stated] if stated >= 0 else None
    seen = Basis.OBSERVED if table["seen_reply"][number] else Basis.INFERRED
    basis = Basis.STATED if stated >= 0 else seen
    return Connection(
        id=number,
        protocol=original.protocol,
        original=original,
        reply=reply,
        nat=tuple(_changes(_ways(context, number, original), original, reply, basis)),
        basis=basis,
        first_ns=int(table["first_ns"][number]),
        last_ns=int(table["last_ns"][number]),
        frames=int(table["frames"][number]),
        packets=int(table["packets"][number]),
        ambiguous=bool(table["ambiguous"][number]),
        conntrack_id=entry.id if entry is not None else None,
        conntrack_state=entry.state if entry is not None else None,
        conntrack_timeout_s=entry.timeout_s if entry is not None else None,
        published=_published(context.hosts, original, reply),
        candidates=tuple(sorted(context.doubts.candidates[number])) if number in context.doubts.candidates else None,
        relayed_to=_other(table["relayed_to"][number]),
        relayed_from=_other(table["relayed_from"][number]),
    )


def _other(connection: int) -> int | None:
    return int(connection) if connection >= 0 else None


def _tuple(context: Context, number: int, way: str) -> FlowTuple:
    table = context.connections
    version = int(table["version"][number])
    src, dst = (
        address(version, int(table[f"{way}_{end}_hi"][number]), int(table[f"{way}_{end}"][number]))
        for end in ("src", "dst")
    )
    protocol = protocol_name(int(table["proto"][number]))
    first, second = int(table[f"{way}_sport"][number]), int(table[f"{way}_dport"][number])
    if protocol in ("icmp", "icmpv6"):
        return FlowTuple(protocol, src, dst, icmp_type=second >> 8, icmp_code=second & 255, icmp_id=first)
    if protocol in ("tcp", "udp", "sctp", "dccp", "udplite"):
        return FlowTuple(protocol, src, dst, first, second)
    return FlowTuple(protocol, src, dst)


def _ways(context: Context, number: int, original: FlowTuple) -> list[tuple[HostState, FlowTuple]]:
    """Return the hosts that may have translated a connection, and how its first packet came to each."""
    if len(context.hosts.states) < 2:
        return [(host, original) for host in context.hosts.states]
    found: dict[str | None, tuple[HostState, FlowTuple]] = {}
    packet = int(context.packets_of(number)[0]) if context.frames else -1
    if packet < 0 or context.hops["reply"][context.packet_start[packet]]:
        return []
    for row in context.rows_of(packet):
        src, dst, ports = context.src(row), context.dst(row), context.layers(row) & Layer.PORTS
        if src is not None and dst is not None:
            sport, dport = (context.value(name, row) if ports else None for name in ("sport", "dport"))
            flow = replace(original, src=src, dst=dst, sport=sport, dport=dport)
            found.setdefault(context.point(row).host, (context.host_at(row), flow))
    return list(found.values())


def _changes(
    ways: list[tuple[HostState, FlowTuple]], original: FlowTuple, reply: FlowTuple, basis: Basis
) -> list[NatChange]:
    found: list[NatChange] = []
    source = (original.src, original.sport or original.icmp_id), (reply.dst, reply.dport or reply.icmp_id)
    target = (original.dst, original.dport), (reply.src, reply.sport)
    if source[0] == source[1] and target[0] == target[1]:
        return found
    results = [(host, translate(host, flow)) for host, flow in ways]
    accounts = [(host, one) for host, result in results if result is not None for one in (result, *_by_chance(result))]
    translations = [(host, one) for host, account in accounts for one in account.translations]
    for kind, kinds, ends in (
        (NatKind.SNAT, ("SNAT", "MASQUERADE"), source),
        (NatKind.DNAT, ("DNAT", "REDIRECT"), target),
    ):
        if ends[0] != ends[1]:
            by = next(((h, one.rule) for h, one in translations if one.kind in kinds and _gives(one, ends[1][0])), None)
            rule = by[1] if by is not None else None
            counted = (by[1].packets, by[0].counted_before(by[1])) if by is not None else (None, None)
            found.append(NatChange(kind, *_texts(ends), basis, rule.text if rule else None, *counted))
    return found


def _by_chance(account: Account) -> list[Account]:
    """Return the other ways that a packet may have gone by chance: what was observed tells which one it was."""
    undecided = account.undecided
    return account.cases if undecided is None or undecided.unknown.missing is Missing.CHANCE else []


def _gives(translation: Translation, target: Address) -> bool:
    """Tell whether a rule may have given an address: an entry may be older than the rules, which say another one."""
    nat = translation.rule.nat
    given = nat.address.value if nat is not None and isinstance(nat.address, Constant) else None
    return not isinstance(given, IPv4Address | IPv6Address) or given == target


def _published(hosts: Hosts, original: FlowTuple, reply: FlowTuple) -> str | None:
    """Return the published port that a connection came to, by the address that it reached or meant."""
    for host, container in ((state, one) for state in hosts.states for one in state.containers):
        for port in container.published:
            outside, _, inside = port.partition("->")
            number, _, protocol = inside.partition("/")
            wanted = outside.rpartition(":")[2]
            if protocol != original.protocol or wanted != str(original.dport) or original.dst in container.addresses:
                continue
            if (reply.src in container.addresses and number == str(reply.sport)) or host.owns(original.dst):
                return f"{container.name} {port}"
    return None


def _texts(ends: tuple[tuple[Address, int | None], tuple[Address, int | None]]) -> tuple[str, str]:
    """Print both ends; the port only where it changed or the addresses did not."""
    (before, port), (after, new_port) = ends
    if port is None or (port == new_port and before != after):
        return str(before), str(after)
    return endpoint(before, port), endpoint(after, new_port)
