"""Messages that tell addresses: ARP, ICMP, neighbour discovery, group membership."""

from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from analyzer.read.records import LINKTYPE_ETHERNET, LINKTYPE_IPV4, LINKTYPE_IPV6
from tests.build import C1, C2, arp, ether, ipv4, ipv6, mac


def test_arp_asks_for_the_address_that_stands_for_it(new: SimpleNamespace) -> None:
    """With both ends' MACs."""
    frame = ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, "172.17.0.9", "00:00:00:00:00:00", "172.17.0.1"), 0x0806)

    found = new.frames.replaced(frame, LINKTYPE_ETHERNET)

    own = new.addresses.mac(mac(C1))
    assert found[:12] == b"\xff" * 6 + own
    assert found[22:28] == own
    assert found[28:32] == new.addresses.packed(bytes((172, 17, 0, 9)))
    assert found[32:38] == bytes(6)
    assert found[38:42] == new.addresses.packed(bytes((172, 17, 0, 1)))


@pytest.mark.parametrize("kind", [135, 136])
def test_a_neighbour_is_asked_for_and_answers_by_its_new_address(new: SimpleNamespace, kind: int) -> None:
    """And says its new MAC."""
    target = ip_address("2001:db8::77").packed
    packet = ipv6("fe80::1", "ff02::1:ff00:77", 58, bytes((kind, 0)) + bytes(6) + target + b"\x01\x01" + mac(C2))

    found = new.frames.replaced(packet, LINKTYPE_IPV6)

    assert found[48:64] == new.addresses.packed(target)
    assert found[66:72] == new.addresses.mac(mac(C2))
    assert found[37:40] == found[61:64]  # the group ends as the address does


def test_a_router_tells_its_prefix_and_name_servers(new: SimpleNamespace) -> None:
    """RFC 4861 and RFC 8106; options that nobody knows are empty."""
    prefix, server = ip_address("2001:db8:7::").packed, ip_address("2001:db8::53").packed
    options = b"\x03\x04\x40\xc0" + bytes(12) + prefix + b"\x19\x03\0\0" + bytes(4) + server + b"\x1f\x01secret"
    packet = ipv6("fe80::1", "ff02::1", 58, bytes((134, 0)) + bytes(14) + options)

    found = new.frames.replaced(packet, LINKTYPE_IPV6)

    assert found[72:88] == new.addresses.packed(prefix)
    assert found[96:112] == new.addresses.packed(server)
    assert found[114:] == bytes(6)


@pytest.mark.parametrize(
    ("protocol", "body", "kept"),
    [
        (1, bytes((13,)) + bytes(19) + b"secret", 20),
        (2, b"\x16\0\0\0\xef\1\2\3secret", 8),
        (2, b"\x11\0\0\0\xef\1\2\3\0\0\0\0secret", 12),
        (2, b"\x22\0\0\0\0\0\0\1\4\0\0\0\xef\1\2\3secret", 16),
    ],
    ids=["timestamp", "IGMPv2", "query of IGMPv3", "report of IGMPv3"],
)
def test_nothing_behind_a_message_is_shown(new: SimpleNamespace, protocol: int, body: bytes, kept: int) -> None:
    """But its own fields."""
    found = new.frames.replaced(ipv4("10.0.0.1", "10.0.0.2", protocol, body), LINKTYPE_IPV4)[20:]

    assert b"secret" not in found
    assert found[4:kept] == body[4:kept]


def test_the_sources_of_a_query_are_replaced(new: SimpleNamespace) -> None:
    """RFC 3376, section 4.1."""
    body = b"\x11\0\0\0\xef\1\2\3\0\0\0\1" + bytes((9, 9, 9, 9))

    found = new.frames.replaced(ipv4("10.0.0.1", "10.0.0.2", 2, body), LINKTYPE_IPV4)

    assert found[32:36] == new.addresses.packed(bytes((9, 9, 9, 9)))


def test_a_redirect_names_the_new_gateway(new: SimpleNamespace) -> None:
    """In ICMP's header."""
    body = b"\x05\x01\0\0" + bytes((192, 168, 1, 7)) + ipv4("10.0.0.1", "9.9.9.9", 17, bytes(8))

    found = new.frames.replaced(ipv4("192.168.1.1", "10.0.0.1", 1, body), LINKTYPE_IPV4)

    assert found[24:28] == new.addresses.packed(bytes((192, 168, 1, 7)))
    assert found[40:44] == new.addresses.packed(bytes((10, 0, 0, 1)))


def test_reports_keep_groups_and_name_new_sources(new: SimpleNamespace) -> None:
    """IGMPv3 and MLDv2."""
    group, source = bytes((239, 1, 2, 3)), bytes((10, 0, 0, 9))
    report = b"\x22\0\0\0\0\0\0\x01" + b"\x01\0\0\x01" + group + source

    found = new.frames.replaced(ipv4("10.0.0.1", "224.0.0.22", 2, report), LINKTYPE_IPV4)

    assert found[32:36] == group
    assert found[36:40] == new.addresses.packed(source)


def test_times_stay_and_pings_carry_nothing(new: SimpleNamespace) -> None:
    """ICMP's timestamps are numbers; what a ping carries may be anything."""
    times = ipv4("10.0.0.1", "10.0.0.2", 1, b"\x0d\0" + bytes(6) + b"123456789012")
    ping = ipv4("10.0.0.1", "10.0.0.2", 1, b"\x08\0" + bytes(6) + b"123456789012")

    assert new.frames.replaced(times, LINKTYPE_IPV4).endswith(b"123456789012")
    assert not new.frames.replaced(ping, LINKTYPE_IPV4).endswith(b"123456789012")
