"""Why one hop led to the next: bridging, routing and translation, told from what differs between two hops."""

from analyzer.decode.offsets import GROUP_BIT
from analyzer.model import (
    Address,
    ArpExchange,
    Basis,
    FdbStep,
    HostState,
    Mac,
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
from analyzer.schema import Layer


def rewrites(context: Context, parts_before: list[int], parts_after: list[int], *, reply: bool) -> tuple[Rewrite, ...]:
    """List the fields that differ between two hops, each given by its frames."""
    before, after = parts_before[0], parts_after[0]
    found: list[Rewrite] = []
    if len(parts_before) != len(parts_after):
        fragments = any(context.layers(row) & Layer.FRAGMENT for row in (before, after))
        by = "fragmentation" if fragments else "segmentation"
        found.append(Rewrite("frames", str(len(parts_before)), str(len(parts_after)), by))
    bits = context.layers(before) & context.layers(after)
    for name, layer in (("eth_src", Layer.MAC_SRC), ("eth_dst", Layer.MAC_DST)):
        if bits & layer and context.value(name, before) != context.value(name, after):
            old, new = (mac_text(context.value(name, row)) for row in (before, after))
            found.append(Rewrite(name, old, new, "forwarding"))
    if not bits & (Layer.IPV4 | Layer.IPV6):
        return tuple(found)
    source, target = ("DNAT", "SNAT") if reply else ("SNAT", "DNAT")
    if _copied(context, before, after):
        source = target = "copy"
    for name, by, of in (("src", source, context.src), ("dst", target, context.dst)):
        if of(before) != of(after):
            found.append(Rewrite(name, str(of(before)), str(of(after)), by))
    for name, by in (("sport", source), ("dport", target), ("icmp_id", target if reply else source), ("ttl", "")):
        if context.value(name, before) != context.value(name, after):
            old, new = (str(context.value(name, row)) for row in (before, after))
            found.append(Rewrite(name, old, new, by or "forwarding"))
    return tuple(found)


def between(
    context: Context,
    before: int,
    after: int,
    hop: int,
    changed: tuple[Rewrite, ...],
    exchanges: list[ArpExchange],
    nat: tuple[NatChange, ...],
) -> list[Step]:
    """Tell the steps that lead from hop number ``hop - 1`` to *hop*."""
    steps: list[Step] = []
    fields = {rewrite.field for rewrite in changed}
    reply = any(rewrite.by == "SNAT" and rewrite.field in ("dst", "dport") for rewrite in changed) or any(
        rewrite.by == "DNAT" and rewrite.field in ("src", "sport") for rewrite in changed
    )
    # PREROUTING translates the destination before the route is chosen, POSTROUTING the source after it.
    steps += _nat(changed, hop, reply, nat, ("dst", "dport"))
    if "ttl" in fields:
        steps.append(_route(context, before, after, hop, exchanges))
    elif (context.layers(before) | context.layers(after)) & Layer.TUNNEL:
        pass  # the tunnel's own step tells
    elif context.layers(before) & Layer.MAC_DST and not fields & {"eth_src", "eth_dst"}:
        steps.append(_bridge(context, before, after, hop))
    steps += _nat(changed, hop, reply, nat, ("src", "sport", "icmp_id"))
    return steps


def _nat(
    changed: tuple[Rewrite, ...], hop: int, reply: bool, nat: tuple[NatChange, ...], fields: tuple[str, ...]
) -> list[Step]:
    """Make one step of an endpoint's rewrites: address and port are translated together."""
    found = [r for r in changed if r.by in ("SNAT", "DNAT") and r.field in fields]
    if not found:
        return []
    rule = next((change.rule for change in nat if change.kind == found[0].by), None)
    field = "+".join(rewrite.field for rewrite in found)
    before, after = (":".join(getattr(r, side) for r in found) for side in ("before", "after"))
    return [NatStep(found[0].by, reply, field, before, after, hop, rule, Basis.OBSERVED)]


def _route(context: Context, before: int, after: int, hop: int, exchanges: list[ArpExchange]) -> RouteStep:
    mac = context.value("eth_dst", after) if context.layers(after) & Layer.MAC_DST else None
    dst = context.dst(after)
    host = context.host_at(after)
    chosen = context.route_to(dst, after) if dst is not None else None
    out = context.point(after)
    if chosen is not None and chosen.route.dev not in (out.interface, out.name):
        behind = host.link(out.name) or host.link(out.interface or "")
        master = behind.master if behind else None
        chosen = chosen if chosen.route.dev == master or out.role is Role.VETH else None
    hop_ip = _resolved(host, mac, dst, exchanges) if mac is not None else None
    entry = host.neighbour(hop_ip) if hop_ip is not None else None
    return RouteStep(
        from_point=context.point(before).name,
        to_point=out.name,
        at_hop=hop,
        ttl_before=context.value("ttl", before),
        ttl_after=context.value("ttl", after),
        next_hop_mac=Mac(mac) if mac is not None else None,
        next_hop_ip=hop_ip,
        route=chosen.route.text if chosen else None,
        why=chosen.why if chosen else None,
        neighbour=entry.text if entry is not None and entry.mac == mac else None,
        basis=Basis.STATED if chosen else Basis.OBSERVED,
    )


def _resolved(host: HostState, mac: int, dst: Address | None, exchanges: list[ArpExchange]) -> Address | None:
    """Return the address whose answer gave *mac*: the packet's own destination, or the gateway's."""
    answered = {exchange.asked_ip for exchange in exchanges if exchange.answer_mac == mac}
    answered |= {neighbour.ip for neighbour in host.neighbours if neighbour.mac == mac}
    if dst in answered:
        return dst
    same = {ip for ip in answered if dst is not None and ip.version == dst.version}
    return next(iter(same)) if len(same) == 1 else None


def _bridge(context: Context, before: int, after: int, hop: int) -> FdbStep:
    mac = context.value("eth_dst", after)
    home = context.homes.get(mac)
    if home is not None and context.points[home[0]].host != context.point(after).host:
        home = None  # at home behind another host's bridge; this one sends it into the tunnel
    flooded = bool(mac & GROUP_BIT)
    local = not flooded and mac in context.host_macs
    copied = _copied(context, before, after)
    learnt = None if home is None or local or flooded or copied else home
    return FdbStep(
        mac=Mac(mac),
        from_point=context.point(before).name,
        to_point=context.point(after).name,
        at_hop=hop,
        learnt_point=context.points[learnt[0]].name if learnt else None,
        learnt_frame=learnt[1] if learnt else None,
        local=local,
        flooded=flooded,
        copied=copied,
        entry=_fdb_entry(context, mac, context.point(after)),
        basis=Basis.OBSERVED if learnt or flooded else Basis.INFERRED,
    )


def _copied(context: Context, before: int, after: int) -> bool:
    """Tell whether a bridge only shows what it forwards from port to port, because capturing makes it promiscuous."""
    if context.point(after).role is not Role.BRIDGE or not context.layers(before) & Layer.MAC_DST:
        return False
    same = all(context.value(name, before) == context.value(name, after) for name in ("eth_src", "eth_dst", "ttl"))
    mac = context.value("eth_dst", after)
    return same and not mac & GROUP_BIT and mac not in context.host_macs


def _fdb_entry(context: Context, mac: int, port: Point) -> str | None:
    """Return the recorded FDB entry that sends *mac* to this port."""
    names = (port.interface, port.name)
    fdb = context.hosts[port.host].fdb
    return next((entry.text for entry in fdb if entry.mac == mac and entry.dev in names), None)
