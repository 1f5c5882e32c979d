"""
Addresses replaced so that what is in a subnet stays in it: two share as many first bits afterwards as before.

As in Crypto-PAn (Xu, Fan, Ammar, Moon, 2002), whether a bit is turned depends on those before it, and on a key. Some
are never turned: those that lead to blocks with a meaning of their own (RFC 6890), to the ends of subnets, which are
the network's and the broadcast address, and to the ends of ranges that rules have.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from analyzer.anonymise.key import Key
from analyzer.model import Address

Network = IPv4Network | IPv6Network
Node = tuple[int, int, int]
"""IP version, how many bits are given, and these bits: what is turned, or not, is the next one."""

KEPT = tuple(map(ip_network, (
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "192.88.99.0/24",
    "::/64", "ff00::/8", "fd00:ec2::254/128",
)))  # fmt: skip
"""Blocks whose addresses are nobody's, or mean the same everywhere: those of clouds' metadata, too."""
LEFT = tuple(map(ip_network, (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24",
    "2000::/3", "2001:db8::/32", "3fff::/20", "fd00::/8", "fe80::/64",
)))  # fmt: skip
"""Blocks that one must still see an address to be of; inside them all is replaced."""
EMBEDDING = tuple(map(ip_network, ("::ffff:0:0/96", "64:ff9b::/96")))
"""Of IPv6, that end in an IPv4 address (RFC 4291 section 2.5.5.2, RFC 6052)."""
SOLICITED = IPv6Network("ff02::1:ff00:0/104")
"""Groups that end as the address that is asked for does (RFC 4291 section 2.7.1)."""
TAIL = 24
"""So the last bits of an IPv6 address are replaced by themselves."""
USUAL_ENDS = 16
"""Bits of an IPv4 address behind which subnets begin and end, as far as nobody says where."""
MULTICAST, DOCKERS = 0x01, b"\x02\x42"
"""The bit of a group's MAC, and what the MACs of Docker's containers begin with, before their IPv4 address."""
GROUPS6 = b"\x33\x33"
"""What the MAC of an IPv6 group begins with, before its last four bytes (RFC 2464 section 7)."""
VRRP = b"\x00\x00\x5e"
"""MACs of protocols (RFC 9542)."""
MOST_KNOWN = 1 << 18
"""Replacements that are remembered."""


class Addresses:
    """Which address stands for which."""

    def __init__(
        self, key: Key, networks: Iterable[Network] = (), ranges: Iterable[tuple[Address, Address]] = ()
    ) -> None:
        """Take the subnets, and first and last addresses of ranges, that shall be some afterwards as well."""
        self._key = key
        self.packed = lru_cache(maxsize=MOST_KNOWN)(self._packed)
        self.mac = lru_cache(maxsize=MOST_KNOWN)(self._other_mac)
        self._still: set[Node] = set()
        for network in (*KEPT, *LEFT, *EMBEDDING):
            self._still |= _way(network.network_address, 0, network.prefixlen)
        for network in networks:
            if not any(network.version == one.version and network.subnet_of(one) for one in KEPT):  # type: ignore[arg-type]
                self._still |= _way(network.network_address, network.prefixlen)
                self._still |= _way(network.broadcast_address, network.prefixlen)
        for first, last in ranges:
            apart = first.max_prefixlen - (int(first) ^ int(last)).bit_length()
            self._still |= _way(first, apart) | _way(last, apart)

    def ip(self, address: Address) -> Address:
        """Return what stands for an address."""
        return ip_address(self.packed(address.packed))

    def _packed(self, address: bytes) -> bytes:
        """Return what stands for an address of 4 or 16 bytes."""
        return self._replaced(ip_address(address)).packed

    def _other_mac(self, mac: bytes) -> bytes:
        """Return what stands for a MAC; those of groups stay, and those that tell an address tell the new one."""
        if mac[:2] == GROUPS6:
            group = b"\xff\x02" + bytes(9) + b"\x01" + mac[2:] if mac[2] == 0xFF else None
            return mac[:2] + self.packed(group)[12:] if group is not None else mac
        if mac[0] & MULTICAST or not any(mac) or mac[:3] == VRRP:
            return mac
        if mac[:2] == DOCKERS:
            return DOCKERS + self.packed(mac[2:])
        new = self._key.digest(b"mac", mac, 6)
        return bytes((new[0] & ~3 | mac[0] & 3, *new[1:]))

    def _replaced(self, address: Address) -> Address:
        if isinstance(address, IPv4Address):
            return address if any(address in one for one in KEPT) else IPv4Address(self._turned(address, 32))
        if address in SOLICITED:
            return IPv6Address(int(address) >> TAIL << TAIL | self._tail(int(address)))
        if any(address in one for one in EMBEDDING):
            return IPv6Address(int(address) >> 32 << 32 | int(self.ip(IPv4Address(int(address) & 0xFFFF_FFFF))))
        if any(address in one for one in KEPT):
            return address
        return IPv6Address(self._turned(address, 128 - TAIL) | self._tail(int(address)))

    def _turned(self, address: Address, until: int) -> int:
        """Turn the first *until* bits, a byte at a time, and leave the others out."""
        value, width, version = int(address), address.max_prefixlen, address.version
        mask = 0
        for begin in range(0, until, 8):
            before = value >> width - begin
            turns = self._key.digest(b"ip%d" % version, begin.to_bytes() + before.to_bytes(16), 32)
            for bit in range(8):
                given = begin + bit
                bits = value >> width - given
                node = 1 << bit | bits & (1 << bit) - 1  # as in a heap
                turn = turns[node >> 3] >> (node & 7) & 1
                mask = mask << 1 | (turn if not self._stays(version, given, bits) else 0)
        return ((value >> width - until) ^ mask) << width - until

    def _stays(self, version: int, given: int, bits: int) -> bool:
        if (version, given, bits) in self._still:
            return True
        end = bits & (1 << given % 8) - 1
        return version == 4 and given >= USUAL_ENDS and end in (0, (1 << given % 8) - 1)

    def _tail(self, value: int) -> int:
        """Turn an IPv6 address' last bits, whatever comes before them; first and last stay so."""
        value &= (1 << TAIL) - 1
        mask = 0
        for given in range(TAIL):
            bits = value >> TAIL - given
            turn = self._key.digest(b"tail", bytes((given,)) + bits.to_bytes(4), 1)[0] & 1
            mask = mask << 1 | (turn if bits not in (0, (1 << given) - 1) else 0)
        return value ^ mask


def _way(address: Address, begin: int, end: int | None = None) -> set[Node]:
    """Return the nodes on the way to an address, from so many given bits on."""
    width = address.max_prefixlen
    return {
        (address.version, given, int(address) >> width - given) for given in range(begin, width if end is None else end)
    }
