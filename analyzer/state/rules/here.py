"""The evaluator of a recorded host: its rules, its addresses, its routes."""

from analyzer.model import Address, FlowTuple, HostState
from analyzer.model.rules import Ruleset
from analyzer.state.routing import NO_WAY, choose
from analyzer.state.rules.evaluate import Evaluator, Result
from analyzer.state.rules.packet import LOCAL, Packet


def evaluator(host: HostState, version: int) -> Evaluator | None:
    """Return what runs packets of a family through the recorded rules; None where none were recorded."""
    rules = host.ruleset(version)
    if rules is None and not host.native:
        return None

    def router(packet: Packet) -> str | None:
        return _way_out(host, packet)

    return Evaluator(rules or Ruleset(version), lambda ip: address_type(host, ip), router, host.native)


def address_type(host: HostState, ip: Address) -> str:
    """Tell an address's type, as the kernel's ``inet_addr_type()`` does from table local."""
    if host.owns(ip) or ip.is_loopback:
        return "LOCAL"
    if ip.is_multicast:
        return "MULTICAST"
    broadcasts = (r for r in host.routes if r.kind == "broadcast" and r.dst.version == ip.version)
    if any(ip in route.dst for route in broadcasts) or (ip.version == 4 and int(ip) == 0xFFFF_FFFF):
        return "BROADCAST"
    return "UNICAST"


def _way_out(host: HostState, packet: Packet) -> str | None:
    if host.owns(packet.dst) or packet.dst.is_loopback:
        return LOCAL
    chosen = choose(host, packet.dst, src=packet.src, mark=packet.mark, iif=packet.iif)
    if chosen is None or chosen.route.kind in NO_WAY:
        return None
    return LOCAL if chosen.route.kind == "local" else chosen.route.dev


def first_packet(flow: FlowTuple, iif: str | None) -> Packet:
    """Return a connection's first packet, as the host gets it by *iif*, or sends it itself."""
    return Packet(
        protocol=flow.protocol,
        src=flow.src,
        dst=flow.dst,
        sport=flow.sport,
        dport=flow.dport,
        icmp_type=flow.icmp_type,
        icmp_code=flow.icmp_code,
        tcp_flags=0x02 if flow.protocol == "tcp" else None,
        iif=iif,
    )


def translate(host: HostState, flow: FlowTuple) -> Result | None:
    """Run a connection's first packet through the recorded rules; None where the way in is not known."""
    here = evaluator(host, flow.src.version)
    if here is None:
        return None
    if host.owns(flow.src) or flow.src.is_loopback:
        return here.sent(first_packet(flow, None))
    back = choose(host, flow.src)
    return None if back is None or back.route.dev is None else here.received(first_packet(flow, back.route.dev))
