"""The subnets and ranges that dumps name, which must be some afterwards as well."""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from analyzer.anonymise.addresses import Network
from analyzer.model import Address

_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
_NETWORK = re.compile(rf"(?<![\w.:])({_IP})/(\d{{1,3}}(?:\.\d{{1,3}}){{0,3}})(?![\w.:])")
"""``10.0.0.0/8``, ``fd00::/8``, and iptables' ``/255.0.0.0``."""
_JSON = re.compile(rf'"(?:local|addr)":\s*"({_IP})",\s*"(?:prefixlen|len)":\s*(\d+)')
"""``ip -j addr``'s, and what ``nft -j`` has of prefixes, where all members stand in this order."""
_LOCAL = re.compile(rf'"local":\s*"({_IP})"[^{{}}]*?"prefixlen":\s*(\d+)')
_RANGE = re.compile(rf"(?<![\w.:])({_IP})-({_IP})(?![\w.:])")
_JSON_RANGE = re.compile(rf'"range":\s*\[\s*"({_IP})",\s*"({_IP})"\s*\]')


def networks_in(text: str) -> set[Network]:
    """Return all networks that a dump names."""
    found = set()
    for pattern in (_NETWORK, _JSON, _LOCAL):
        for ip, length in pattern.findall(text):
            try:
                found.add(ip_network(f"{ip}/{length}", strict=False))
            except ValueError:
                continue
    return found


def ranges_in(text: str) -> set[tuple[Address, Address]]:
    """Return all ranges that a dump names, by their first and last address."""
    found = set()
    for pattern in (_RANGE, _JSON_RANGE):
        for ends in pattern.findall(text):
            try:
                first, last = map(ip_address, ends)
            except ValueError:
                continue
            if first.version == last.version:
                found.add((first, last))
    return found


def named_in(texts: Iterable[str]) -> tuple[set[Network], set[tuple[Address, Address]]]:
    """Return the networks and ranges of all dumps."""
    networks, ranges = set(), set()
    for text in texts:
        networks |= networks_in(text)
        ranges |= ranges_in(text)
    return networks, ranges
