"""Why one hop led to the next: bridging, routing and translation, told from what differs between two hops."""

from operator import attrgetter

from analyzer.decode.offsets import GROUP_BIT
from analyzer.model import (
    Address,
    ArpExchange,
    Basis,
    FdbStep,
    HostState,
    IpvlanStep,
    Mac,
    MacvlanStep,
    NatChange,
    NatStep,
    Point,
    Rewrite,
    Role,
    RouteStep,
    Step,
    mac_text,
)
from analyzer.packet.context import Context
from analyzer.packet.sight import Sight
from analyzer.schema import Layer

_WRITTEN = attrgetter(
    "layers", "eth_src", "eth_dst", "src_hi", "src", "dst_hi", "dst", "sport", "dport", "icmp_id", "ttl"
)
"""What may differ between two hops, and which of it holds a value."""


def rewrites(
    context: Context, parts_before: list[Sight], parts_after: list[Sight], *, reply: bool
) -> tuple[Rewrite, ...]:
    """List the fields that differ between two hops, each given by its frames."""
    before, after = parts_before[0], parts_after[0]
    if len(parts_before) == len(parts_after) and _WRITTEN(before) == _WRITTEN(after):
        return ()
    found: list[Rewrite] = []
    if len(parts_before) != len(parts_after):
        fragments = (before.layers | after.layers) & Layer.FRAGMENT
        by = "fragmentation" if fragments else "segmentation"
        found.append(Rewrite("frames", str(len(parts_before)), str(len(parts_after)), by))
    bits = before.layers & after.layers
    for name, layer, old, new in (
        ("eth_src", Layer.MAC_SRC, before.eth_src, after.eth_src),
        ("eth_dst", Layer.MAC_DST, before.eth_dst, after.eth_dst),
    ):
        if bits & layer and old != new:
            found.append(Rewrite(name, mac_text(old), mac_text(new), "forwarding"))
    if not bits & (Layer.IPV4 | Layer.IPV6):
        return tuple(found)
    source, target = ("DNAT", "SNAT") if reply else ("SNAT", "DNAT")
    if _copied(context, before, after):
        source = target = "copy"
    if (before.src, before.src_hi) != (after.src, after.src_hi):
        found.append(Rewrite("src", str(before.source), str(after.source), source))
    if (before.dst, before.dst_hi) != (after.dst, after.dst_hi):
        found.append(Rewrite("dst", str(before.target), str(after.target), target))
    for name, by, old, new in (
        ("sport", source, before.sport, after.sport),
        ("dport", target, before.dport, after.dport),
        ("icmp_id", target if reply else source, before.icmp_id, after.icmp_id),
        ("ttl", "forwarding", before.ttl, after.ttl),
    ):
        if old != new:
            found.append(Rewrite(name, str(old), str(new), by))
    return tuple(found)


BACK = {"SNAT": ("dst", "dport"), "DNAT": ("src", "sport")}
"""What a translation writes into packets of the other direction."""


def between(
    context: Context,
    before: Sight,
    after: Sight,
    hop: int,
    changed: tuple[Rewrite, ...],
    exchanges: list[ArpExchange],
    nat: tuple[NatChange, ...],
) -> list[Step]:
    """Tell the steps that lead from hop number ``hop - 1`` to *hop*."""
    steps: list[Step] = []
    fields = {rewrite.field for rewrite in changed}
    translated = [rewrite for rewrite in changed if rewrite.by in BACK]
    reply = any(rewrite.field in BACK[rewrite.by] for rewrite in translated)
    # PREROUTING translates the destination before the route is chosen, POSTROUTING the source after it.
    steps += _nat(translated, hop, reply, nat, ("dst", "dport"))
    if "ttl" in fields:
        steps.append(_route(context, before, after, hop, exchanges))
    elif (before.layers | after.layers) & Layer.TUNNEL:
        pass  # the tunnel's own step tells
    elif (parent := _parent(context, before, after, hop)) is not None:
        steps.append(parent)
    elif before.layers & Layer.MAC_DST and not fields & {"eth_src", "eth_dst"}:
        steps.append(_bridge(context, before, after, hop))
    steps += _nat(translated, hop, reply, nat, ("src", "sport", "icmp_id"))
    return steps


def _nat(
    translated: list[Rewrite], hop: int, reply: bool, nat: tuple[NatChange, ...], fields: tuple[str, ...]
) -> list[Step]:
    """Make one step of an endpoint's rewrites: address and port are translated together."""
    found = [rewrite for rewrite in translated if rewrite.field in fields]
    if not found:
        return []
    rule = next((change.rule for change in nat if change.kind == found[0].by), None)
    field = "+".join(rewrite.field for rewrite in found)
    before, after = (":".join(getattr(r, side) for r in found) for side in ("before", "after"))
    return [NatStep(found[0].by, reply, field, before, after, hop, rule, Basis.OBSERVED)]


def _route(context: Context, before: Sight, after: Sight, hop: int, exchanges: list[ArpExchange]) -> RouteStep:
    mac = after.eth_dst if after.layers & Layer.MAC_DST else None
    dst, out = after.target, context.points[after.point]
    host = context.hosts[out.host]
    chosen = context.route_to(dst, after.row) if dst is not None else None
    if chosen is not None and chosen.route.dev not in (out.interface, out.name):
        behind = host.link(out.name) or host.link(out.interface or "")
        master = behind.master if behind else None
        chosen = chosen if chosen.route.dev == master or out.role is Role.VETH else None
    hop_ip = resolved(host, mac, dst, exchanges) if mac is not None else None
    entry = host.neighbour(hop_ip) if hop_ip is not None else None
    return RouteStep(
        from_point=context.points[before.point].name,
        to_point=out.name,
        at_hop=hop,
        ttl_before=before.ttl,
        ttl_after=after.ttl,
        next_hop_mac=Mac(mac) if mac is not None else None,
        next_hop_ip=hop_ip,
        route=chosen.route.text if chosen else None,
        why=chosen.why if chosen else None,
        neighbour=entry.text if entry is not None and entry.mac == mac else None,
        basis=Basis.STATED if chosen else Basis.OBSERVED,
    )


def resolved(host: HostState, mac: int, dst: Address | None, exchanges: list[ArpExchange]) -> Address | None:
    """Return the address whose answer gave *mac*: the packet's own destination, or the gateway's."""
    answered = {exchange.asked_ip for exchange in exchanges if exchange.answer_mac == mac}
    answered |= {neighbour.ip for neighbour in host.neighbours if neighbour.mac == mac}
    if dst in answered:
        return dst
    same = {ip for ip in answered if dst is not None and ip.version == dst.version}
    return next(iter(same)) if len(same) == 1 else None


def _bridge(context: Context, before: Sight, after: Sight, hop: int) -> FdbStep:
    mac, port = after.eth_dst, context.points[after.point]
    home = context.homes.get(mac)
    if home is not None and context.points[home[0]].host != port.host:
        home = None  # at home behind another host's bridge; this one sends it into the tunnel
    flooded = bool(mac & GROUP_BIT)
    local = not flooded and mac in context.host_macs
    copied = _copied(context, before, after)
    learnt = None if home is None or local or flooded or copied else home
    return FdbStep(
        mac=Mac(mac),
        from_point=context.points[before.point].name,
        to_point=port.name,
        at_hop=hop,
        learnt_point=context.points[learnt[0]].name if learnt else None,
        learnt_frame=learnt[1] if learnt else None,
        local=local,
        flooded=flooded,
        copied=copied,
        entry=_fdb_entry(context, mac, port),
        basis=Basis.OBSERVED if learnt or flooded else Basis.INFERRED,
    )


def _parent(context: Context, before: Sight, after: Sight, hop: int) -> MacvlanStep | IpvlanStep | None:
    """Tell of a frame that goes between a container's own end and what that lies on; None of all others."""
    ends = context.points[before.point], context.points[after.point]
    inner = next((one for one in ends if one.role is Role.CONTAINER and one.container is not None), None)
    outer = next((one for one in ends if one.role is Role.UPLINK), None)
    if inner is None or outer is None or inner.host != outer.host:
        return None
    host = context.hosts[inner.host]
    for container in (one for one in host.containers if one.name == inner.container):
        network = host.network_of(container)
        lies_on = network.parent if network is not None else None
        if network is not None and network.on_parent and lies_on in (None, outer.interface, outer.name):
            parent = lies_on or outer.interface or outer.name
            made = MacvlanStep if network.driver == "macvlan" else IpvlanStep
            return made(container.name, parent, network.mode, inner is ends[0], hop)
    return None


def _copied(context: Context, before: Sight, after: Sight) -> bool:
    """Tell whether a bridge only shows what it forwards from port to port, because capturing makes it promiscuous."""
    if context.points[after.point].role is not Role.BRIDGE or not before.layers & Layer.MAC_DST:
        return False
    same = (before.eth_src, before.eth_dst, before.ttl) == (after.eth_src, after.eth_dst, after.ttl)
    return same and not after.eth_dst & GROUP_BIT and after.eth_dst not in context.host_macs


def _fdb_entry(context: Context, mac: int, port: Point) -> str | None:
    """Return the recorded FDB entry that sends *mac* to this port."""
    names = (port.interface, port.name)
    fdb = context.hosts[port.host].fdb
    return next((entry.text for entry in fdb if entry.mac == mac and entry.dev in names), None)
