"""Addresses and tuples as a person reads them; tables hold the same as integers."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NewType

Address = IPv4Address | IPv6Address
"""An IP address of either family."""

Mac = NewType("Mac", int)
"""A 48-bit IEEE 802 MAC address, the first octet on the wire in the highest bits."""


class Direction(StrEnum):
    """Which of a connection's two tuples a packet has; conntrack's ``IP_CT_DIR_*``."""

    ORIGINAL = "original"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class FlowTuple:
    """One direction's addresses, as ``struct nf_conntrack_tuple`` has them."""

    protocol: str
    """Lower-case name (``tcp``, ``udp``, ``icmp``, ``icmpv6``, ...), else the IP protocol number."""
    src: Address
    dst: Address
    sport: int | None = None
    dport: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    icmp_id: int | None = None
    """Echo identifier; NAT may change it as it changes a port."""

    def reversed(self) -> "FlowTuple":
        """Return the tuple of an answer that nothing translated."""
        return FlowTuple(
            self.protocol,
            self.dst,
            self.src,
            self.dport,
            self.sport,
            ECHO_OPPOSITE.get(self.icmp_type, self.icmp_type) if self.icmp_type is not None else None,
            self.icmp_code,
            self.icmp_id,
        )

    def __str__(self) -> str:
        if self.sport is not None and self.dport is not None:
            return f"{endpoint(self.src, self.sport)} → {endpoint(self.dst, self.dport)}"
        suffix = f" id {self.icmp_id}" if self.icmp_id is not None else ""
        return f"{self.src} → {self.dst}{suffix}"


ECHO_OPPOSITE = {8: 0, 0: 8, 128: 129, 129: 128}
"""ICMP and ICMPv6 echo request and reply types (RFC 792, RFC 4443)."""


def endpoint(ip: Address | None, port: int | None) -> str:
    """Return an address with its port, if there is one: ``8.8.8.8:53``, ``[fe80::1]:53`` (RFC 5952 section 6)."""
    if ip is None:
        return "?"
    if port is None:
        return str(ip)
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"


@lru_cache(maxsize=1 << 14)
def address(version: int, high: int, low: int) -> Address:
    """Build an address from the two 64-bit halves that tables hold; *high* is 0 for IPv4."""
    return IPv6Address((high << 64) | low) if version == 6 else IPv4Address(low)


@lru_cache(maxsize=1 << 12)
def mac_text(mac: int) -> str:
    """Return a MAC as Linux tools print it, e.g. ``02:42:ac:11:00:04``."""
    return mac.to_bytes(6, "big").hex(":")
