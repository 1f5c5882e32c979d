"""What rules look at: a packet in one hook."""

from dataclasses import dataclass

from analyzer.model import Address

LOCAL = "local"
"""Instead of an outgoing interface: the packet is for the host itself."""

SOMEWHERE = "?"
"""Instead of an outgoing interface: nobody knows which; rules that ask for it are unknown."""

Original = tuple[Address, Address, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as one hook sees it; what is not known is None, and makes rules that ask for it unknown."""

    protocol: str
    """``tcp``, ``udp``, ``icmp``, ``icmpv6``, or a number."""
    src: Address
    dst: Address
    sport: int | None = None
    dport: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    tcp_flags: int | None = None
    length: int | None = None
    """Of the IP packet, bytes."""
    ttl: int | None = None
    iif: str | None = None
    """Where it came in; None for one that the host sends."""
    oif: str | None = None
    """Where it goes out; not known before it is routed."""
    physdev_in: str | None = None
    """The bridge's port, where br_netfilter shows a bridged packet to iptables."""
    physdev_out: str | None = None
    bridged: bool = False
    """It is only passed on by a bridge."""
    ct_state: str | None = "NEW"
    """``NEW``, ``ESTABLISHED``, ``RELATED``, ``INVALID`` or ``UNTRACKED``."""
    ct_reply: bool | None = None
    """It goes in conntrack's reply direction."""
    ct_dnat: bool = False
    """conntrack has translated the connection's destination."""
    ct_snat: bool = False
    ct_original: Original | None = None
    """Source, destination and ports of the connection's first packet, before anything was translated."""
    ct_to: tuple[Address, int | None] | None = None
    """Where conntrack sends a packet of a connection that it knows: its destination from nat in PREROUTING on."""
    mark: int = 0
    src_mac: int | None = None
