"""
Frames with other addresses and payloads, and all else as it was: lengths, numbers, flags, and what checksums say.

A checksum that was right is right afterwards, one that was wrong is as wrong, and one that a card was to complete is
still so. What is neither understood here nor needed to follow a packet is zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.control import Control
from analyzer.anonymise.payload import Payloads
from analyzer.decode import offsets as at
from analyzer.decode.checksum import FIELD, completed
from analyzer.read import records

MAC = 6
ETHERNET_BRIDGED, GRE_SEQUENCE = 0x6558, 0x1000
"""GRE's type of Ethernet (RFC 1701), and its bit that a number follows."""
SLL, SLL2 = (6, 4, 14), (12, 11, 0)
"""Where the cooked headers have an address, its length, and the protocol."""
IGMP, IPIP, SIT = 2, 4, 41
KEPT_OPTIONS = (0, 1, 2, 3, 4, 5, 8)
"""TCP options that tell nothing of anybody: padding, MSS, window scale, SACK, timestamps."""
OF_IP = {4: at.IPV4_HEADER, 6: at.IPV6_HEADER}
DEEPEST = 4
"""Packets in packets."""
ONES = 0xFFFF
OFFSET = 0x1FFF
"""Of a fragment's place."""
ALERT = b"\x94\x04\x00\x00"
"""The option that IGMP has (RFC 2113)."""
ALERT6 = b"\x05\x02\x00\x00\x01\x00"
"""Those that MLD has (RFC 2711)."""


@dataclass(frozen=True, slots=True)
class _Carried:
    """What an IP packet carries, and where."""

    begin: int
    end: int
    missing: int
    """Bytes of it that were cut off."""
    fragment: int
    """Its place in units of 8 bytes, and above them whether more follow, as in an IPv4 header; 0 of what is none."""
    pair: tuple[bytes, bytes]
    """The addresses, source and destination, before and now."""
    depth: int
    """Of packets that it is in."""


class Frames:
    """Which frame stands for which."""

    def __init__(self, addresses: Addresses, payloads: Payloads) -> None:
        """Take what replaces addresses, and what is carried."""
        self._addresses, self._payloads = addresses, payloads
        self._control = Control(addresses, self._quoted)

    def replaced(self, data: bytes, link_type: int) -> bytes:
        """Replace what was captured of a frame; it is as long."""
        new = bytearray(data)
        try:
            self._link(new, link_type)
        except (IndexError, ValueError):
            new[:] = self._shown(new, link_type)
        return bytes(new)

    def _shown(self, new: bytearray, link_type: int) -> bytes:
        """Return what is left of a frame that contradicts itself: nothing but MACs that are replaced."""
        whole = link_type == records.LINKTYPE_ETHERNET and len(new) >= at.ETH_HEADER
        return bytes(new[: at.ETH_HEADER] if whole else b"").ljust(len(new), b"\0")

    def _link(self, new: bytearray, link_type: int) -> None:
        if link_type == records.LINKTYPE_ETHERNET:
            self._ethernet(new, 0, 0)
        elif link_type in (records.LINKTYPE_LINUX_SLL, records.LINKTYPE_LINUX_SLL2):
            cooked = SLL if link_type == records.LINKTYPE_LINUX_SLL else SLL2
            header = at.SLL_HEADER if cooked is SLL else at.SLL2_HEADER
            where, length, protocol = cooked
            if len(new) < header:
                new[:] = bytes(len(new))
            elif new[length] == MAC or int.from_bytes(new[length : length + 2]) == MAC:
                new[where : where + MAC] = self._addresses.mac(bytes(new[where : where + MAC]))
            else:
                new[where : where + 8] = bytes(8)
            self._carried(new, int.from_bytes(new[protocol : protocol + 2]), header, 0)
        elif link_type in (records.LINKTYPE_NULL, records.LINKTYPE_LOOP):
            self._packet(new, at.NULL_HEADER, 0)
        elif link_type == records.LINKTYPE_PPP:
            self._ppp(new, 2 if int.from_bytes(new[:2]) == at.PPP_ADDRESS else 0, 0)
        elif link_type in records.DECODED:
            self._packet(new, 0, 0)
        else:
            new[:] = bytes(len(new))

    def _ethernet(self, new: bytearray, begin: int, depth: int) -> None:
        if len(new) < begin + at.ETH_HEADER:
            new[begin:] = bytes(len(new) - begin)
            return
        for place in (begin, begin + MAC):
            new[place : place + MAC] = self._addresses.mac(bytes(new[place : place + MAC]))
        self._carried(new, int.from_bytes(new[begin + 12 : begin + 14]), begin + at.ETH_HEADER, depth)

    def _carried(self, new: bytearray, kind: int, begin: int, depth: int) -> None:
        """Replace what is behind an EtherType."""
        while kind in at.VLAN_TYPES and begin + at.VLAN_TAG <= len(new):
            kind = int.from_bytes(new[begin + 2 : begin + 4])
            begin += at.VLAN_TAG
        if kind in (at.ETHERTYPE_IPV4, at.ETHERTYPE_IPV6):
            self._packet(new, begin, depth)
        elif kind == at.ETHERTYPE_ARP:
            self._control.arp(new, begin)
        elif kind == at.ETHERTYPE_PPPOE:
            self._ppp(new, begin + at.PPPOE_HEADER, depth)
        else:
            new[begin:] = bytes(len(new) - begin)

    def _ppp(self, new: bytearray, begin: int, depth: int) -> None:
        if begin + 2 <= len(new):
            size = 1 if new[begin] & 1 else 2  # a protocol that is compressed to a byte (RFC 1661, section 6.5)
            kind = int.from_bytes(new[begin : begin + size])
            if kind in (at.PPP_IPV4, at.PPP_IPV6):
                self._packet(new, begin + size, depth)
            else:
                new[begin + size :] = bytes(len(new) - begin - size)

    def _quoted(self, new: bytearray, begin: int) -> None:
        """Replace a packet that an ICMP error quotes: it was cut, whatever its header says."""
        self._packet(new, begin, DEEPEST, quoted=True)

    def _packet(self, new: bytearray, begin: int, depth: int, *, quoted: bool = False) -> None:
        """Replace an IP packet, by what its first byte says it is."""
        version = new[begin] >> 4 if begin < len(new) else 0
        header = OF_IP.get(version)
        if header is None or depth > DEEPEST or begin + header > len(new):
            new[begin:] = bytes(len(new) - begin)
        elif version == 4:
            self._ipv4(new, begin, depth, quoted=quoted)
        else:
            self._ipv6(new, begin, depth, quoted=quoted)

    def _ipv4(self, new: bytearray, begin: int, depth: int, *, quoted: bool) -> None:
        header = (new[begin] & 0xF) * 4
        if header < at.IPV4_HEADER:
            new[begin + 12 :] = bytes(len(new) - begin - 12)
            return
        total = int.from_bytes(new[begin + 2 : begin + 4])
        behind = min(begin + header, len(new))
        end, missing = _end(new, begin + total if total >= header else 0, quoted=quoted)
        before = _sum(bytes(new[begin:behind]))
        old = bytes(new[begin + 12 : begin + 20])
        for place in (begin + 12, begin + 16):
            new[place : place + 4] = self._addresses.packed(bytes(new[place : place + 4]))
        options = slice(begin + at.IPV4_HEADER, behind)
        if new[options] != ALERT:
            new[options] = b"\x01" * len(new[options])
        new[begin + 10 : begin + 12] = b"\0\0"
        new[begin + 10 : begin + 12] = ((before - _sum(bytes(new[begin:behind]))) % ONES).to_bytes(2)
        fragment = int.from_bytes(new[begin + 6 : begin + 8]) & 0x3FFF
        pair = old, bytes(new[begin + 12 : begin + 20])
        self._transport(new, new[begin + 9], _Carried(behind, end, missing, fragment, pair, depth))

    def _ipv6(self, new: bytearray, begin: int, depth: int, *, quoted: bool) -> None:
        length = int.from_bytes(new[begin + 4 : begin + 6])
        end, missing = _end(new, begin + at.IPV6_HEADER + length if length else 0, quoted=quoted)
        old = bytes(new[begin + 8 : begin + 40])
        for place in (begin + 8, begin + 24):
            new[place : place + 16] = self._addresses.packed(bytes(new[place : place + 16]))
        kind, place, fragment = new[begin + 6], begin + at.IPV6_HEADER, 0
        while kind in at.EXTENSIONS and place + 8 <= end and not fragment & OFFSET:
            size = (new[place + 1] + 2) * 4 if kind == at.EXT_AUTH else (new[place + 1] + 1) * 8
            if kind == at.EXT_FRAGMENT:
                size, told = 8, int.from_bytes(new[place + 2 : place + 4])
                fragment = told >> 3 | (told & 1) << 13  # as IPv4 has it
            elif kind in (at.EXT_ROUTING, at.EXT_AUTH, at.EXT_MOBILITY):
                inside = slice(place + 4, min(place + size, end))
                new[inside] = bytes(len(new[inside]))  # addresses on the way, proofs
            else:
                inside = slice(place + 2, min(place + size, end))
                new[inside] = new[inside] if new[inside] == ALERT6 else bytes(len(new[inside]))  # Pad1, as many
            kind, place = new[place], place + size
        if kind in at.EXTENSIONS and not fragment & OFFSET:  # it was cut within its headers
            new[min(place + 2, end) : end] = bytes(max(end - place - 2, 0))
            return
        pair = old, bytes(new[begin + 8 : begin + 40])
        self._transport(new, kind, _Carried(min(place, end), end, missing, fragment, pair, depth))

    def _transport(self, new: bytearray, protocol: int, of: _Carried) -> None:
        """Replace what an IP packet carries."""
        begin, end = of.begin, of.end
        if of.fragment & OFFSET:
            new[begin:end] = self._payloads.opaque(bytes(new[begin:end]))
            return
        old, inner = bytes(new[begin:end]), 0
        if protocol in (at.PROTO_TCP, at.PROTO_UDP, at.PROTO_UDPLITE):
            inner = self._segment(new, protocol, of)
        elif protocol in (at.PROTO_ICMP, at.PROTO_ICMP6):
            self._control.icmp(new, protocol, begin, end, self._payloads.opaque)
        elif protocol == IGMP:
            self._control.igmp(new, begin, end)
        elif protocol in (IPIP, SIT):
            self._within(new, begin, end, partial(self._packet, begin=0, depth=of.depth + 1))
        elif protocol == at.PROTO_GRE:
            self._gre(new, begin, end, of.depth)
        else:
            kept = begin + {at.PROTO_SCTP: 16, at.PROTO_DCCP: 16, at.PROTO_ESP: 8}.get(protocol, 0)
            if kept < end:
                new[kept:end] = self._payloads.opaque(bytes(new[kept:end]))
        now = bytes(new[begin:end])
        if inner:  # the outer sum counts on what the card makes of the inner one's
            old, now = (one[:inner] + completed(one[inner:]) for one in (old, now))
        _keep_checksum(new, protocol, of, old, now)

    def _segment(self, new: bytearray, protocol: int, of: _Carried) -> int:
        """Replace what TCP or UDP carries; return where the packet begins that it does, if it is one, else 0."""
        begin, end = of.begin, of.end
        tcp = protocol == at.PROTO_TCP
        if begin + (at.TCP_HEADER if tcp else at.UDP_HEADER) > end:
            return 0  # ports and numbers at most
        ports = int.from_bytes(new[begin : begin + 2]), int.from_bytes(new[begin + 2 : begin + 4])
        header = max((new[begin + 12] >> 4) * 4, at.TCP_HEADER) if tcp else at.UDP_HEADER
        payload = min(begin + header, end)
        if tcp:
            _hide_options(new, begin + at.TCP_HEADER, payload)
        elif ports[1] in at.VXLAN_PORTS and payload + at.VXLAN_HEADER <= end and new[payload] == at.VXLAN_FLAGS >> 24:
            self._within(new, payload + at.VXLAN_HEADER, end, partial(self._ethernet, begin=0, depth=of.depth + 1))
            return at.UDP_HEADER + at.VXLAN_HEADER + at.ETH_HEADER
        size = end - payload + of.missing
        new[payload:end] = self._payloads.replaced(bytes(new[payload:end]), protocol, size, ports)
        return 0

    def _gre(self, new: bytearray, begin: int, end: int, depth: int) -> None:
        """Replace what GRE carries (RFC 2890); its header stays."""
        if begin + at.GRE_HEADER > end:
            return
        flags, kind = (int.from_bytes(new[begin + place : begin + place + 2]) for place in (0, 2))
        size = at.GRE_HEADER + 4 * sum(bool(flags & bit) for bit in (at.GRE_CHECKSUM, at.GRE_KEY, GRE_SEQUENCE))
        inner = min(begin + size, end)
        if kind in (at.ETHERTYPE_IPV4, at.ETHERTYPE_IPV6):
            self._within(new, inner, end, partial(self._packet, begin=0, depth=depth + 1))
        elif kind == ETHERNET_BRIDGED:
            self._within(new, inner, end, partial(self._ethernet, begin=0, depth=depth + 1))
        else:
            new[inner:end] = bytes(end - inner)

    @staticmethod
    def _within(new: bytearray, begin: int, end: int, replace: Callable[[bytearray], None]) -> None:
        """Replace a part, and nothing behind it."""
        part = new[begin:end]
        replace(part)
        new[begin:end] = part


def _end(new: bytearray, told: int, *, quoted: bool) -> tuple[int, int]:
    """Return where a packet ends that ends where it *told*, 0 for nowhere, and how many bytes of it are missing."""
    if quoted or told > len(new) or not told:
        return len(new), max(told - len(new), int(quoted))
    new[told:] = bytes(len(new) - told)  # padding, which may be of other packets
    return told, 0


def _sum(data: bytes) -> int:
    """Add up 16-bit words in ones' complement (RFC 1071)."""
    return int.from_bytes(data + b"\0" * (len(data) & 1)) % ONES


CHECKSUMS = FIELD | {IGMP: 2}
"""Where each protocol has its checksum."""


def _keep_checksum(new: bytearray, protocol: int, of: _Carried, old: bytes, now: bytes) -> None:
    """Let a transport checksum of what is carried, before and now, say what it said; a cut datagram's, nothing."""
    place = CHECKSUMS.get(protocol)
    if place is None or place + 2 > len(old):
        return
    field = slice(of.begin + place, of.begin + place + 2)
    given = int.from_bytes(old[place : place + 2])
    if protocol == at.PROTO_UDP and (not given or of.missing or of.fragment):
        new[field] = b"\0\0"
        return
    covered = protocol not in (at.PROTO_ICMP, IGMP)
    before, after = (_sum(one) + protocol + len(old) if covered else 0 for one in of.pair)
    if covered and given and given % ONES == before % ONES:  # the card is to complete it
        new[field] = (after % ONES or ONES).to_bytes(2)
        return
    rest = now[:place] + b"\0\0" + now[place + 2 :]
    told = (before + _sum(old) - after - _sum(rest)) % ONES
    new[field] = (told or (ONES if protocol == at.PROTO_UDP else 0)).to_bytes(2)


def _hide_options(new: bytearray, begin: int, end: int) -> None:
    """Zero what TCP options tell that may tell of somebody: keys, cookies, signatures."""
    place = begin
    while place + 1 < end and new[place]:
        if new[place] == at.TCPOPT_NOP:
            place += 1
            continue
        size = max(new[place + 1], 2)
        if new[place] not in KEPT_OPTIONS:
            inside = slice(place + 2, min(place + size, end))
            new[inside] = bytes(len(new[inside]))
        place += size
