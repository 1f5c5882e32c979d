"""What a packet is, in a few words."""

from functools import cache

from analyzer.decode import offsets as o
from analyzer.model import mac_text
from analyzer.model.tuple import address
from analyzer.packet.context import Context
from analyzer.schema import Layer

PROTOCOLS = {
    1: "icmp",
    2: "igmp",
    4: "ipip",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    89: "ospf",
    103: "pim",
    112: "vrrp",
    132: "sctp",
    136: "udplite",
}
_FLAGS = ((0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"), (0x08, "PSH"), (0x10, "ACK"), (0x20, "URG"))
_ICMP = {
    (4, 3, 0): "network unreachable",
    (4, 3, 1): "host unreachable",
    (4, 3, 2): "protocol unreachable",
    (4, 3, 3): "port unreachable",
    (4, 3, 4): "fragmentation needed",
    (4, 3, 9): "network administratively prohibited",
    (4, 3, 10): "host administratively prohibited",
    (4, 3, 13): "communication administratively prohibited",
    (4, 5, 1): "redirect for host",
    (4, 11, 0): "time to live exceeded in transit",
    (4, 11, 1): "fragment reassembly time exceeded",
    (6, 1, 0): "no route to destination",
    (6, 1, 1): "administratively prohibited",
    (6, 1, 3): "address unreachable",
    (6, 1, 4): "port unreachable",
    (6, 2, 0): "packet too big",
    (6, 3, 0): "hop limit exceeded in transit",
    (6, 130, 0): "multicast listener query",
    (6, 131, 0): "multicast listener report",
    (6, 133, 0): "router solicitation",
    (6, 134, 0): "router advertisement",
    (6, 143, 0): "multicast listener report v2",
}
UNREAD = {4, 41, 47, 97, 115}
"""Protocols that carry packets of their own, which are not read: IPIP, 6in4 (SIT), GRE, EtherIP, L2TPv3."""
ENCRYPTED = {50}
MACSEC = 0x88E5
_ETHERTYPES = {
    0x0806: "ARP", 0x8035: "RARP", 0x88CC: "LLDP", 0x8863: "PPPoE", 0x8864: "PPPoE", 0x8847: "MPLS", MACSEC: "MACsec",
}  # fmt: skip


def protocol_name(number: int) -> str:
    """Return the lower-case name of an IP protocol, else its number."""
    return PROTOCOLS.get(number, str(number))


def protocol_of(context: Context, row: int) -> str:
    """Return the protocol that a journey is listed under."""
    layers = context.layers(row)
    if layers & (Layer.IPV4 | Layer.IPV6):
        return protocol_name(context.value("proto", row))
    if layers & Layer.ARP:
        return "arp"
    return f"0x{context.value('eth_type', row):04x}" if layers & Layer.ETH_TYPE else "unknown"


def icmp_text(version: int, kind: int, code: int) -> str:
    """Name an ICMP message."""
    return _ICMP.get((version, kind, code), f"type {kind} code {code}")


def summary(context: Context, rows: list[int]) -> str:
    """Describe the packet that *rows* show, the parts of its first hop."""
    row = rows[0]
    layers = context.layers(row)
    if layers & Layer.NEIGHBOUR:
        return _neighbour(context, row)
    if layers & Layer.FRAGMENT:
        length = sum(context.value("payload_len", part) for part in rows)
        return f"{protocol_of(context, row).upper()} {length} bytes in {len(rows)} fragments"
    if layers & Layer.TCP:
        flags = 0
        for part in rows:
            flags |= context.value("tcp_flags", part)
        return tcp_text(flags, sum(context.value("payload_len", part) for part in rows))
    if layers & Layer.ICMP:
        return _icmp(context, row)
    if layers & (Layer.IPV4 | Layer.IPV6):
        proto = context.value("proto", row)
        known = ", what it carries is not read" if proto in UNREAD else ", encrypted" if proto in ENCRYPTED else ""
        return f"{protocol_of(context, row).upper()} {context.value('payload_len', row)} bytes{known}"
    name = _ETHERTYPES.get(context.value("eth_type", row), f"EtherType {protocol_of(context, row)}")
    sealed = ", encrypted" if context.value("eth_type", row) == MACSEC else ""
    return f"{name} {context.value('orig_len', row)} bytes{sealed}"


@cache
def _flags(flags: int) -> str:
    return ",".join(name for bit, name in _FLAGS if flags & bit) or "no flags"


def tcp_text(flags: int, length: int) -> str:
    """Describe a TCP segment by its flags and the bytes that it carries."""
    return f"TCP {_flags(flags)} {length} bytes" if length else f"TCP {_flags(flags)}"


def _icmp(context: Context, row: int) -> str:
    version = 6 if context.layers(row) & Layer.IPV6 else 4
    name = "ICMPv6" if version == 6 else "ICMP"
    kind = context.value("icmp_type", row)
    if context.layers(row) & Layer.ECHO:
        asks = kind in (o.ICMP_ECHO, o.ICMP6_ECHO)
        return f"{name} echo {'request' if asks else 'reply'} seq {context.value('icmp_seq', row)}"
    return f"{name} {icmp_text(version, kind, context.value('icmp_code', row))}"


def _neighbour(context: Context, row: int) -> str:
    table = context.neighbours
    index = int(table["row"].searchsorted(row))
    version = 4 if context.layers(row) & Layer.ARP else 6
    asked = address(version, int(table["asked_hi"][index]), int(table["asked"][index]))
    name = "ARP" if version == 4 else "NDP"
    if table["op"][index] == 1:
        return f"{name} who has {asked}?"
    if table["op"][index] == 2:
        return f"{name} {asked} is at {mac_text(int(table['mac'][index]))}"
    return f"{name} operation {int(table['op'][index])}"
