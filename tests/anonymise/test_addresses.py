"""Addresses, whose subnets stay subnets."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.anonymise.addresses import KEPT, LEFT, Addresses
from analyzer.anonymise.key import Key
from analyzer.model import Address

ADDRESSES = Addresses(Key(b"secret"))
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)


def _alike(one: Address, other: Address) -> int:
    """How many bits two have in common."""
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()


@given(V4, st.integers(0, 31), st.integers(0, 2**32 - 1))
def test_two_addresses_have_as_many_first_bits_in_common_as_before(one: IPv4Address, bits: int, rest: int) -> None:
    """What Crypto-PAn promises."""
    other = IPv4Address((int(one) >> 32 - bits << 32 - bits) | rest >> bits)

    assert _alike(ADDRESSES.ip(one), ADDRESSES.ip(other)) == _alike(one, other)


@given(V6, st.integers(0, 127), st.integers(0, 2**128 - 1))
def test_of_ipv6_as_well(one: IPv6Address, bits: int, rest: int) -> None:
    """But where an IPv4 address is embedded, or a group's address ends as another one does, which has its own way."""
    other = IPv6Address((int(one) >> 128 - bits << 128 - bits) | rest >> bits)

    assert _alike(ADDRESSES.ip(one), ADDRESSES.ip(other)) == _alike(one, other)


@pytest.mark.parametrize("block", [one for one in KEPT if one.prefixlen < one.max_prefixlen], ids=str)
def test_addresses_that_mean_the_same_everywhere_stay(block: object) -> None:
    """Loopback, groups, link-local ones, nobody's."""
    network = ip_network(str(block))
    group = ip_address("ff02::fb") if network.version == 6 and network.is_multicast else network[77]

    assert ADDRESSES.ip(group) == group


@pytest.mark.parametrize("block", LEFT, ids=str)
def test_what_is_private_is_private_afterwards(block: object) -> None:
    """And of the same block; the first one in each subnet, which is the gateway, is the first one again."""
    network = ip_network(str(block))
    found = ADDRESSES.ip(network[len(range(256)) + 37 if network.num_addresses > 512 else 37])

    assert found in network


def test_the_first_and_the_last_of_what_mostly_is_a_subnet_stay_so() -> None:
    """As nobody says where they begin and end."""
    for text in ("192.0.2.0", "192.0.2.1", "192.0.2.254", "192.0.2.255"):
        assert str(ADDRESSES.ip(ip_address(text))).rsplit(".", 1)[1] == text.rsplit(".", 1)[1]


def test_known_subnets_have_their_ends_and_ranges_their_bounds() -> None:
    """A broadcast address is one, whatever the subnet's length; and what was within a range is within it."""
    subnet, first, last = ip_network("10.77.64.0/20"), ip_address("203.0.113.77"), ip_address("203.0.113.99")
    for number in range(20):
        addresses = Addresses(Key(bytes((number,))), [subnet], [(first, last)])
        low, high = addresses.ip(subnet[0]), addresses.ip(subnet[-1])

        assert (int(low) & 0xFFF, int(high) & 0xFFF) == (0, 0xFFF)
        inside = [addresses.ip(IPv4Address(one)) for one in range(int(first), int(last) + 1)]
        assert (inside[0], inside[-1]) == (min(inside), max(inside))
        outside = addresses.ip(first - 1), addresses.ip(last + 1)
        assert not any(inside[0] <= one <= inside[-1] for one in outside)


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_stays_a_groups_or_somebodys_own_or_a_vendors(mac: bytes) -> None:
    """By the first byte's lowest bits."""
    found = ADDRESSES.mac(mac)

    assert len(found) == 6
    assert found[0] & 3 == mac[0] & 3


def test_macs_that_tell_an_address_tell_the_new_one(new: SimpleNamespace) -> None:
    """Docker's of old, and the groups that a neighbour is asked at."""
    asked = ip_address("2001:db8::12:3456")
    group, groups_mac = b"\xff\x02" + bytes(9) + b"\x01\xff" + asked.packed[13:], b"\x33\x33\xff" + asked.packed[13:]
    told = new.addresses.ip(asked).packed[13:]

    assert new.addresses.mac(bytes.fromhex("0242ac110002"))[2:] == new.addresses.packed(bytes((172, 17, 0, 2)))
    assert new.addresses.packed(group)[13:] == told
    assert new.addresses.mac(groups_mac) == b"\x33\x33\xff" + told


@pytest.mark.parametrize("mac", ["ff" * 6, "00" * 6, "01005e0000fb", "333300000016", "0180c2000000", "00005e000105"])
def test_macs_of_groups_and_protocols_stay(mac: str) -> None:
    """They are nobody's."""
    assert ADDRESSES.mac(bytes.fromhex(mac)) == bytes.fromhex(mac)


def test_an_embedded_address_is_the_one_that_stands_for_it() -> None:
    """NAT64's, and those of sockets for both."""
    inner = ADDRESSES.ip(ip_address("9.9.9.9"))

    assert ADDRESSES.ip(ip_address("64:ff9b::9.9.9.9")) == ip_address(f"64:ff9b::{inner}")
    assert ADDRESSES.ip(ip_address("::ffff:9.9.9.9")) == ip_address(f"::ffff:{inner}")
