"""Reads who listens (``ss -H -O -ltunpem``, ss(8)), and whom names are asked of (resolv.conf(5))."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address, ip_address

from analyzer.model import Address, Listener

_USERS = re.compile(r'[(,]\("((?:[^"\\]|\\.)*)"(?:,pid=(\d{1,9}))?')
_CGROUP = re.compile(r"cgroup:\S*?([0-9a-f]{64})")
"""Of a container: engines call it by the whole id."""
_COLUMNS = 6
"""Protocol, state, Recv-Q, Send-Q, local end, peer."""
_ANY = {"*": None, "0.0.0.0": 4, "::": 6}
"""How an end for all addresses is written, and of which IP version it is; None for one of IPv6 that takes both."""


def parse_listeners(lines: Iterable[str]) -> tuple[Listener, ...]:
    """Return the sockets that wait for somebody; lines that are none are left out."""
    return tuple(listener for line in lines if (listener := _listener(line)) is not None)


def _listener(line: str) -> Listener | None:
    words = line.split(maxsplit=_COLUMNS)
    if len(words) < _COLUMNS or words[0] not in ("tcp", "udp") or words[1] not in ("LISTEN", "UNCONN"):
        return None
    host, _, port = words[4].rpartition(":")
    host, _, interface = host.partition("%")
    if not all(word.isascii() and word.isdecimal() for word in (port, words[2], words[3])):
        return None
    host = host.strip("[]")
    try:
        address = None if host in _ANY else _plain(ip_address(host))
    except ValueError:
        return None
    rest = words[_COLUMNS] if len(words) > _COLUMNS else ""
    # Whoever made a socket is older than those that it gave it to.
    users = [(int(pid or 0), name) for name, pid in _USERS.findall(rest)]
    pid, program = min(users, key=lambda user: user[0], default=(0, ""))
    cgroup = _CGROUP.search(rest)
    version = address.version if address is not None else _ANY[host]
    return Listener(
        words[0], address, version, int(port), program, int(words[2]), int(words[3]), interface or None, pid or None,
        cgroup[1] if cgroup else "",
    )  # fmt: skip


def _plain(ip: Address) -> Address:
    """Return IPv4's address of one that is mapped into IPv6."""
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def parse_resolvers(lines: Iterable[str]) -> tuple[tuple[Address, ...], tuple[str, ...]]:
    """Return the name servers, and the domains that are added to names."""
    found = list(_settings(lines))
    searches = [rest for word, rest in found if word in ("search", "domain")]
    return tuple(_servers(found)), tuple(searches[-1].split()) if searches else ()


def _settings(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        word, *rest = line.split(maxsplit=1) or [""]
        yield word, rest[0].strip() if rest else ""


def _servers(settings: Iterable[tuple[str, str]]) -> Iterator[Address]:
    for word, rest in settings:
        try:
            if word == "nameserver":
                yield ip_address(rest.split("%")[0].strip())
        except ValueError:
            continue
