"""What conntrack makes of a packet that belongs to no connection yet."""

from analyzer.state.rules.names import ICMP, ICMP6, TCP
from analyzer.state.rules.packet import Packet

FIN, SYN, RST, ACK = 1, 2, 4, 16
QUERIES = frozenset((8, 13, 15, 17))
"""ICMP types that begin something: echo, timestamp, information and address mask (icmp_new, valid_new)."""
QUERIES6 = frozenset((128, 139))
"""Echo, and node information."""
NEVER6 = frozenset(range(130, 138)) | {143}
"""ICMPv6 types that are never tracked: multicast listeners and neighbours (nf_conntrack_proto_icmpv6.c)."""


def first_state(packet: Packet) -> str | None:
    """
    Return the state of a packet that is told to be new, which not every packet can be; all other states stay.

    TCP begins with SYN, or in its midst with ACK (``nf_conntrack_tcp_loose``, which is on unless told otherwise): with
    RST, FIN, SYN and ACK, or nothing it is invalid (nf_conntrack_proto_tcp.c, ``tcp_conntracks`` from ``sNO``).
    """
    if packet.ct_state != "NEW":
        return packet.ct_state
    if packet.protocol == TCP and packet.tcp_flags is not None:
        flags = packet.tcp_flags
        begins = flags & (SYN | ACK) == SYN or flags & (SYN | ACK) == ACK
        return "NEW" if begins and not flags & (RST | FIN) else "INVALID"
    if packet.protocol == ICMP and packet.icmp_type is not None:
        return "NEW" if packet.icmp_type in QUERIES else "INVALID"
    if packet.protocol == ICMP6 and packet.icmp_type is not None:
        if packet.icmp_type in NEVER6:
            return "UNTRACKED"
        return "NEW" if packet.icmp_type in QUERIES6 else "INVALID"
    return "NEW"
