"""What the kernel makes of addresses: their types, and which of its own it takes."""

from typing import Any

from analyzer.model import Address, HostState
from analyzer.model.question import ABSENT, Missing, OneOf, Unknown, Value
from analyzer.state.rules.packet import Packet

UNROUTED = (0, 0xFFFF_FFFF)
"""0.0.0.0 and 255.255.255.255: broadcast, whatever routes say (``__inet_dev_addr_type``)."""


def address_type(host: HostState, ip: Address) -> str:
    """Tell an address's type, as the kernel's ``inet_addr_type()`` does from table local."""
    if host.owns(ip) or ip.is_loopback:
        return "LOCAL"
    if ip.is_multicast:
        return "MULTICAST"
    broadcasts = (r for r in host.routes if r.kind == "broadcast" and r.dst.version == ip.version)
    if any(ip in route.dst for route in broadcasts) or (ip.version == 4 and int(ip) in UNROUTED):
        return "BROADCAST"
    if any(ip in route.dst for route in host.routes if route.kind == "local"):
        return "LOCAL"
    return "UNICAST"


def type_of(host: HostState, ip: Address | OneOf | None, what: str) -> Value:
    """Tell the type of a packet's end, which may not be known."""
    if ip is None or isinstance(ip, OneOf):
        return Unknown(Missing.FIELD, what)
    return address_type(host, ip)


def redirected(host: HostState, packet: Packet) -> Any:
    """
    Return where REDIRECT sends a packet: loopback, or the first address of the interface that it came in by.

    (``nf_nat_redirect_ipv4``.)
    """
    return _first(host, "lo" if packet.iif is ABSENT else packet.iif, packet.version)


def masqueraded(host: HostState, packet: Packet) -> Any:
    """Return the address that MASQUERADE takes: one of the interface that the packet leaves by, the only one."""
    return _first(host, packet.oif, packet.version)


def _first(host: HostState, interface: Any, version: int) -> Value:
    link = host.link(interface) if isinstance(interface, str) else None
    own = [ip for ip in link.addresses if ip.version == version and not ip.is_link_local] if link is not None else []
    return own[0] if len(own) == 1 else Unknown(Missing.FIELD, "address of the interface")
