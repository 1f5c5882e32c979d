"""Sysctls that decide whether the kernel passes a packet on, as its code combines them."""

from collections.abc import Iterable
from dataclasses import dataclass

from analyzer.model import HostState

FOLDER = "/proc/sys/"
BRIDGE_CALLS = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}
"""Whether iptables sees what bridges pass on, by IP version (br_netfilter)."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off."""

    name: str
    on: bool


@dataclass(frozen=True, slots=True)
class ReversePath:
    """Source validation at one interface: 0 none, 1 strict, 2 loose (RFC 3704)."""

    value: int
    names: tuple[str, ...]
    """The settings that make it so."""


def parse_sysctls(lines: Iterable[str]) -> dict[str, str]:
    """Read lines of ``sysctl``, or of ``grep ^ /proc/sys/...``; parts of names are set apart by points."""
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith(FOLDER):
            path, _, value = line.removeprefix(FOLDER).rpartition(":")
            found[path.replace("/", ".")] = value.replace("\t", " ").strip()
        elif "=" in line:
            name, _, value = line.partition("=")
            found[name.strip().replace("/", ".")] = value.replace("\t", " ").strip()
    return found


def sysctl(host: HostState, name: str) -> int | None:
    """Return a sysctl's value, None if it was not recorded."""
    value = host.sysctls.get(name, "")
    return int(value) if value.isascii() and value.removeprefix("-").isdecimal() else None


def sysctl_line(host: HostState, name: str) -> str:
    """Return the line of the dump that shows it."""
    return f"sysctl.txt: {name} = {host.sysctls.get(name)}"


def takes_loopback(host: HostState, interface: str | None) -> Switch | None:
    """Tell whether packets for 127.0.0.0/8 may come in by an interface (IN_DEV_NET_ROUTE_LOCALNET); None if unknown."""
    names = [f"net.ipv4.conf.{name}.route_localnet" for name in ("all", interface)]
    values = [sysctl(host, name) for name in names]
    if any(values):
        return Switch(next(name for name, value in zip(names, values, strict=True) if value), on=True)
    return None if None in values else Switch(names[1], on=False)


def forwards(host: HostState, version: int, interface: str | None) -> Switch | None:
    """Tell whether packets that come in by an interface are forwarded (IN_DEV_FORWARD, idev->cnf.forwarding)."""
    if version == 6:
        names = ["net.ipv6.conf.all.forwarding"]
    else:
        names = [f"net.ipv4.conf.{interface}.forwarding", "net.ipv4.ip_forward"]
    for name in names:
        value = sysctl(host, name)
        if value is not None:
            return Switch(name, bool(value))
    return None


def reverse_path(host: HostState, interface: str | None) -> ReversePath | None:
    """Return the larger of an interface's value and that of all, as IN_DEV_RPFILTER does; None if not recorded."""
    names = ("net.ipv4.conf.all.rp_filter", f"net.ipv4.conf.{interface}.rp_filter")
    values = {name: value for name in names if (value := sysctl(host, name)) is not None}
    if not values:
        return None
    most = max(values.values())
    return ReversePath(most, tuple(name for name, value in values.items() if value == most))
