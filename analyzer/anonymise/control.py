"""ARP, ICMP, neighbour discovery and group membership: messages that tell addresses."""

from collections.abc import Callable

from analyzer.anonymise.addresses import Addresses
from analyzer.decode import offsets as at

REDIRECT, ADVERTISED = 5, 9
"""ICMP types that have addresses in their header."""
TIMES, TIMES_LENGTH = (13, 14), 12
"""Requests for the time of day, and answers, and the bytes of their three times (RFC 792)."""
SOLICITS, ROUTER, NEIGHBOURS, REDIRECT6 = 133, 134, (135, 136), 137
LISTENERS, LISTENERS2 = (130, 131, 132), 143
"""MLD (RFC 2710), and its reports of version 2 (RFC 3810)."""
OPTION_PREFIX, OPTION_MTU, OPTION_NAMESERVERS = 3, 5, 25
PREFIX_AT = 16
QUERY, IGMP3 = 0x11, 0x22


class Control:
    """Which message stands for which."""

    def __init__(self, addresses: Addresses, quoted: Callable[[bytearray, int], None]) -> None:
        """*quoted* replaces a packet that an error quotes, from a place on."""
        self._addresses, self._quoted = addresses, quoted

    def arp(self, new: bytearray, begin: int) -> None:
        """Replace an ARP packet's addresses (RFC 826); of other hardware than Ethernet, nothing is left of them."""
        known = int.from_bytes(new[begin : begin + 6]) == at.ARP_ETHERNET_IPV4
        if not known or begin + at.ARP_LENGTH > len(new):
            new[begin + 8 :] = bytes(max(len(new) - begin - 8, 0))
            return
        for place in (begin + 8, begin + 18):
            new[place : place + 6] = self._addresses.mac(bytes(new[place : place + 6]))
            self._ip(new, place + 6, 4)
        new[begin + at.ARP_LENGTH :] = bytes(len(new) - begin - at.ARP_LENGTH)

    def icmp(self, new: bytearray, protocol: int, begin: int, end: int, opaque: Callable[[bytes], bytes]) -> None:
        """Replace a message's addresses, the packet that it quotes, or what it carries."""
        if begin >= end:
            return
        kind, body = new[begin], min(begin + at.ICMP_HEADER, end)
        version6 = protocol == at.PROTO_ICMP6
        if kind in (at.ICMP6_ERRORS if version6 else at.ICMP_ERRORS):
            if kind == REDIRECT and not version6:
                self._ip(new, begin + 4, 4)
            inner = new[body:end]
            self._quoted(inner, 0)
            new[body:end] = inner
        elif version6 and SOLICITS <= kind <= REDIRECT6:
            self._neighbours(new, kind, begin, end)
        elif version6 and kind in LISTENERS:
            self._ip(new, body, 16)
            self._all(new, body + 20, end, 16)
        elif version6 and kind == LISTENERS2:
            self._records(new, body, end, 16)
        elif not version6 and kind == ADVERTISED:
            self._all(new, body, end, 4, 8)
        else:
            body += 0 if version6 or kind not in TIMES else TIMES_LENGTH
            new[body:end] = opaque(bytes(new[body:end]))

    def igmp(self, new: bytearray, begin: int, end: int) -> None:
        """Replace the sources that queries and reports name (RFC 3376); groups mean the same everywhere."""
        known = begin + 8
        if begin < end and new[begin] == IGMP3:
            known = self._records(new, known, end, 4)
        elif known + 4 <= end and new[begin] == QUERY:
            known += 4
            sources = min(known + 4 * int.from_bytes(new[known - 2 : known]), end)
            self._all(new, known, sources, 4)
            known = sources
        new[known:end] = bytes(max(end - known, 0))

    def _neighbours(self, new: bytearray, kind: int, begin: int, end: int) -> None:
        """Replace what neighbour discovery tells (RFC 4861)."""
        place = begin + 8
        if kind == ROUTER:
            place += 8
        elif kind in (*NEIGHBOURS, REDIRECT6):
            for _ in range(2 if kind == REDIRECT6 else 1):
                self._ip(new, place, 16)
                place += 16
        while place + 8 <= end and new[place + 1]:
            option, until = new[place], min(place + new[place + 1] * 8, end)
            if option in (at.NDP_OPT_SOURCE, at.NDP_OPT_TARGET):
                new[place + 2 : place + 8] = self._addresses.mac(bytes(new[place + 2 : place + 8]))
            elif option == OPTION_PREFIX:
                self._ip(new, place + PREFIX_AT, 16)
            elif option == OPTION_NAMESERVERS:
                self._all(new, place + 8, until, 16)
            elif option != OPTION_MTU:
                new[place + 2 : until] = bytes(until - place - 2)
            place = until

    def _records(self, new: bytearray, place: int, end: int, size: int) -> int:
        """Replace a report's groups and their sources; return where they end."""
        while place + 4 + size <= end:
            sources = int.from_bytes(new[place + 2 : place + 4])
            self._ip(new, place + 4, size)
            self._all(new, place + 4 + size, min(place + 4 + size * (1 + sources), end), size)
            place += 4 + size * (1 + sources) + 4 * new[place + 1]
        return place

    def _all(self, new: bytearray, place: int, end: int, size: int, step: int = 0) -> None:
        """Replace one address after the other."""
        for one in range(place, end - size + 1, step or size):
            self._ip(new, one, size)

    def _ip(self, new: bytearray, place: int, size: int) -> None:
        if place + size <= len(new):
            new[place : place + size] = self._addresses.packed(bytes(new[place : place + size]))
