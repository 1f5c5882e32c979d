"""Numbers of the packet formats, under the names of their RFCs and registries."""

ETH_HEADER = 14
GROUP_BIT = 1 << 40
"""Of a MAC as a number: broadcast or multicast (IEEE 802)."""
ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_VLAN = 0x8100
ETHERTYPE_QINQ = 0x88A8
ETHERTYPE_QINQ_OLD = 0x9100
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_PPPOE = 0x8864
"""A session's frames; discovery has another type, and no packets."""
PPPOE_HEADER = 6
PPP_ADDRESS = 0xFF03
"""Address and control of HDLC-like framing (RFC 1662), which may be there or not."""
PPP_IPV4, PPP_IPV6 = 0x21, 0x57
VLAN_TYPES = (ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_QINQ_OLD)
VLAN_TAG = 4
MAX_LENGTH_FIELD = 1500
"""IEEE 802.3: up to this the type field is a length, and LLC follows."""

SLL_HEADER = 16

SLL2_HEADER = 20
SLL2_INTERFACE_AT = 4

NULL_HEADER = 4
AF_INET = 2
AF_INET6 = (10, 24, 28, 30)
"""AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin."""

ARP_LENGTH = 28
ARP_ETHERNET_IPV4 = 0x0001_0800_0604
"""Hardware type, protocol type, and both lengths of RFC 826 over Ethernet and IPv4."""

IPV4_HEADER = 20
IPV6_HEADER = 40
EXT_HOP_BY_HOP, EXT_ROUTING, EXT_FRAGMENT, EXT_AUTH, EXT_DESTINATION, EXT_MOBILITY = 0, 43, 44, 51, 60, 135
EXTENSIONS = (EXT_HOP_BY_HOP, EXT_ROUTING, EXT_FRAGMENT, EXT_AUTH, EXT_DESTINATION, EXT_MOBILITY)

PROTO_ICMP, PROTO_TCP, PROTO_UDP, PROTO_DCCP, PROTO_GRE, PROTO_ESP = 1, 6, 17, 33, 47, 50
PROTO_ICMP6, PROTO_SCTP, PROTO_UDPLITE = 58, 132, 136
PORTS_LENGTH = 4
TRANSPORT_MINIMUM = 8
"""Bytes an ICMP error quotes at least behind the IP header (RFC 792): ports and TCP's sequence number."""
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
"""TCP flags (RFC 9293)."""
ECN = 0xC0
"""ECE and CWR together, by which a SYN offers explicit congestion notification (RFC 3168, section 6.1.1)."""
TCP_HEADER, UDP_HEADER, SCTP_HEADER, ICMP_HEADER, GRE_HEADER, ESP_HEADER = 20, 8, 12, 8, 4, 8
TRANSPORT_HEADERS = {
    PROTO_TCP: TCP_HEADER,
    PROTO_UDP: UDP_HEADER,
    PROTO_UDPLITE: UDP_HEADER,
    PROTO_DCCP: TRANSPORT_MINIMUM,
    PROTO_SCTP: SCTP_HEADER,
    PROTO_ICMP: ICMP_HEADER,
    PROTO_ICMP6: ICMP_HEADER,
    PROTO_GRE: GRE_HEADER,
    PROTO_ESP: ESP_HEADER,
}
"""Bytes of the fixed header of each protocol that is decoded."""
TCPOPT_EOL, TCPOPT_NOP, TCPOPT_TIMESTAMP, TCPOLEN_TIMESTAMP = 0, 1, 8, 10
GRE_CHECKSUM, GRE_KEY = 0x8000, 0x2000

ICMP_ECHO_REPLY, ICMP_ECHO = 0, 8
ICMP6_ECHO, ICMP6_ECHO_REPLY = 128, 129
ICMP_ERRORS = (3, 4, 5, 11, 12)
"""Destination unreachable, source quench, redirect, time exceeded, parameter problem."""
ICMP6_ERRORS = (1, 2, 3, 4)
ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, ICMP6_TOO_BIG = 3, 4, 2
NDP_SOLICITATION, NDP_ADVERTISEMENT = 135, 136
NDP_OPT_SOURCE, NDP_OPT_TARGET = 1, 2

VXLAN_PORTS = (4789, 8472)
"""IANA's, which Docker's overlay networks use, and Linux's default."""
VXLAN_HEADER = 8
VXLAN_FLAGS = 0x0800_0000
"""The I flag and nothing else, reserved bits zero (RFC 7348 section 5)."""
