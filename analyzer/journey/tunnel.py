"""Overlay networks: where a packet goes into a VXLAN tunnel, and where it comes out (drivers/net/vxlan)."""

from analyzer.model import TunnelStep, address
from analyzer.packet.context import Context
from analyzer.packet.sight import Sight
from analyzer.schema import Layer


def through_tunnel(context: Context, before: Sight | None, after: Sight, hop: int) -> list[TunnelStep]:
    """Tell what a tunnel did between two sightings, or before the first one (*before* is None)."""
    was = before is not None and bool(before.layers & Layer.TUNNEL)
    if after.layers & Layer.TUNNEL:
        return [_step(context, "carried" if was else "encapsulated", after.row, hop)]
    return [_step(context, "decapsulated", before.row, hop)] if was and before is not None else []


def _step(context: Context, action: str, row: int, hop: int) -> TunnelStep:
    table, place = context.tunnels, context.tunnel_of_row[row]
    version = 6 if int(table["layers"][place]) & Layer.IPV6 else 4
    src, dst = (address(version, int(table[f"{end}_hi"][place]), int(table[end][place])) for end in ("src", "dst"))
    return TunnelStep(
        action=action,
        vni=int(table["vni"][place]),
        src=src,
        dst=dst,
        sport=int(table["sport"][place]),
        dport=int(table["dport"][place]),
        at_hop=hop,
    )
