"""What a packet is called, by what was decoded of it."""

from typing import Any

import pytest

from analyzer.model import Role
from analyzer.packet.text import icmp_text, protocol_of, summary
from analyzer.schema import Layer
from tests.packet.tables import ARP, ECHO, ERROR, ETHERNET, TCP, UDP, Frame, at, context, packet, seen

V6 = {"src": "fd00::2", "dst": "fd00::1"}
UDP6 = UDP & ~Layer.IPV4 | Layer.IPV6


def _told(*frames: Frame) -> tuple[str, str]:
    told = context([at(0, "veth-c1", Role.VETH)], [packet(list(frames))])
    return protocol_of(told, 0), summary(told, told.rows_of(0))


@pytest.mark.parametrize(
    ("columns", "protocol", "text"),
    [
        ({}, "udp", "UDP 20 bytes"),
        ({"layers": UDP6, **V6}, "udp", "UDP 20 bytes"),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 47}, "gre", "GRE 20 bytes, what it carries is not read"),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 4}, "ipip", "IPIP 20 bytes, what it carries is not read"),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 41}, "ipv6", "IPV6 20 bytes, what it carries is not read"),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 50}, "esp", "ESP 20 bytes, encrypted"),
        ({"layers": ETHERNET, "eth_type": 0x88E5, "orig_len": 99}, "0x88e5", "MACsec 99 bytes, encrypted"),
        ({"layers": ETHERNET | Layer.IPV4, "proto": 200}, "200", "200 20 bytes"),
        ({"layers": TCP, "tcp_flags": 0x12, "payload_len": 0}, "tcp", "TCP SYN,ACK"),
        ({"layers": TCP, "tcp_flags": 0x3F, "payload_len": 1}, "tcp", "TCP SYN,FIN,RST,PSH,ACK,URG 1 bytes"),
        ({"layers": TCP, "tcp_flags": 0x40, "payload_len": 0}, "tcp", "TCP no flags"),
        ({"layers": ECHO, "proto": 1, "icmp_type": 8, "icmp_seq": 3}, "icmp", "ICMP echo request seq 3"),
        ({"layers": ECHO, "proto": 1, "icmp_type": 0, "icmp_seq": 3}, "icmp", "ICMP echo reply seq 3"),
        (
            {"layers": ECHO & ~Layer.IPV4 | Layer.IPV6, **V6, "proto": 58, "icmp_type": 128, "icmp_seq": 4},
            "icmpv6",
            "ICMPv6 echo request seq 4",
        ),
        ({"layers": ERROR, "proto": 1, "icmp_type": 3, "icmp_code": 1}, "icmp", "ICMP host unreachable"),
        (
            {"layers": ERROR & ~Layer.IPV4 | Layer.IPV6, **V6, "proto": 58, "icmp_type": 3, "icmp_code": 0},
            "icmpv6",
            "ICMPv6 hop limit exceeded in transit",
        ),
        ({"layers": ERROR, "proto": 1, "icmp_type": 9, "icmp_code": 7}, "icmp", "ICMP type 9 code 7"),
        ({"layers": ETHERNET, "eth_type": 0x88CC, "orig_len": 99}, "0x88cc", "LLDP 99 bytes"),
        ({"layers": ETHERNET, "eth_type": 0x0842, "orig_len": 99}, "0x0842", "EtherType 0x0842 99 bytes"),
        ({"layers": Layer.MAC_SRC, "eth_type": 0, "orig_len": 60}, "unknown", "EtherType unknown 60 bytes"),
    ],
)
def test_a_packet_is_called_by_its_innermost_layer(columns: dict[str, Any], protocol: str, text: str) -> None:
    """Its protocol, and what of it a person asks first: flags, sequence number, length."""
    assert _told(seen(0, 1, **columns)) == (protocol, text)


def test_parts_of_a_hop_are_one_packet() -> None:
    """Fragments are counted and their bytes added up; segments have the flags of all of them."""
    first = {"layers": UDP | Layer.FRAGMENT, "payload_len": 1480}
    segments = [seen(0, n, layers=TCP, tcp_flags=flags, payload_len=700) for n, flags in enumerate((0x10, 0x18, 0x11))]

    assert _told(seen(0, 1, **first), seen(0, 2, **first | {"payload_len": 20}))[1] == "UDP 1500 bytes in 2 fragments"
    assert _told(*segments)[1] == "TCP FIN,PSH,ACK 2100 bytes"


@pytest.mark.parametrize(
    ("op", "six", "text"),
    [
        (1, False, "ARP who has 172.17.0.1?"),
        (2, False, "ARP 172.17.0.1 is at 02:42:a5:97:21:da"),
        (8, False, "ARP operation 8"),
        (1, True, "NDP who has fd00::1?"),
        (2, True, "NDP fd00::1 is at 02:42:a5:97:21:da"),
    ],
)
def test_address_resolution_is_called_by_what_is_asked(op: int, six: bool, text: str) -> None:
    """Also where other such messages were seen before it."""
    asked = "fd00::1" if six else "172.17.0.1"
    layers = ETHERNET | Layer.IPV6 | Layer.ICMP | Layer.NEIGHBOUR if six else ARP
    frames = [
        seen(0, 1, layers=ARP, neighbour={"op": 1, "asked": "10.0.0.1"}),
        seen(0, 2, layers=layers, neighbour={"op": op, "asked": asked, "mac": 0x0242_A597_21DA}),
    ]
    told = context([at(0, "veth-c1", Role.VETH)], [packet(frame) for frame in frames])

    assert summary(told, told.rows_of(1)) == text
    assert protocol_of(told, 0) == "arp"


@pytest.mark.parametrize(
    ("version", "kind", "code", "text"),
    [
        (4, 3, 13, "communication administratively prohibited"),
        (4, 5, 1, "redirect for host"),
        (4, 11, 1, "fragment reassembly time exceeded"),
        (6, 1, 4, "port unreachable"),
        (6, 2, 0, "packet too big"),
        (4, 2, 0, "type 2 code 0"),
    ],
)
def test_icmp_types_mean_other_things_in_both_versions(version: int, kind: int, code: int, text: str) -> None:
    """What has no name is told by its numbers."""
    assert icmp_text(version, kind, code) == text
