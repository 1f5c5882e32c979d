"""Types of addresses as the kernel tells them, and which of its own it takes for a translation."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import HostState, Link, Route
from analyzer.model.question import ABSENT, Missing, OneOf, Unknown
from analyzer.state.addresses import address_type, masqueraded, redirected, type_of
from tests.state.rules.judge import syn


def _link(index: int, name: str, *addresses: str) -> Link:
    return Link(index, name, None, None, None, tuple(map(ip_address, addresses)))


def _route(dst: str, kind: str) -> Route:
    return Route(ip_network(dst), "wlan0", None, 0, "local", f"{kind} {dst}", kind)


HOST = HostState(
    links=(
        _link(1, "lo", "127.0.0.1", "::1"),
        _link(2, "wlan0", "192.168.1.100", "fe80::1", "2001:db8::100"),
        _link(3, "docker0", "172.17.0.1", "172.17.0.254"),
        _link(4, "bare"),
    ),
    routes=(
        _route("192.168.1.255/32", "broadcast"), _route("10.9.0.0/24", "local"), _route("0.0.0.0/0", "unicast"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("192.168.1.100", "LOCAL"), ("2001:db8::100", "LOCAL"), ("127.9.9.9", "LOCAL"), ("::1", "LOCAL"),
        ("10.9.0.77", "LOCAL"), ("224.0.0.251", "MULTICAST"), ("ff02::1", "MULTICAST"),
        ("192.168.1.255", "BROADCAST"), ("255.255.255.255", "BROADCAST"), ("192.168.1.254", "UNICAST"),
        ("8.8.8.8", "UNICAST"), ("2001:db8::80", "UNICAST"), ("::ffff:ffff", "UNICAST"),
    ],
)  # fmt: skip
def test_the_type_is_that_of_table_local(ip: str, kind: str) -> None:
    """Its own addresses and those that a route calls local; groups; broadcasts of its segments, and that of all."""
    assert address_type(HOST, ip_address(ip)) == kind


@pytest.mark.parametrize("ip", [None, OneOf(ip_address("10.0.0.1"), ip_address("10.0.0.9"))])
def test_the_type_of_an_unknown_address_is_unknown(ip: Any) -> None:
    """Also where it may be one of several; what is missing is said."""
    assert type_of(HOST, ip, "source address") == Unknown(Missing.FIELD, "source address")
    assert type_of(HOST, ip_address("8.8.8.8"), "source address") == "UNICAST"


@pytest.mark.parametrize(
    ("oif", "src", "own"),
    [
        ("wlan0", "10.0.0.1", "192.168.1.100"), ("wlan0", "fd00::2", "2001:db8::100"), ("docker0", "10.0.0.1", None),
        ("bare", "10.0.0.1", None), ("eth7", "10.0.0.1", None), (None, "10.0.0.1", None), (ABSENT, "10.0.0.1", None),
    ],
)  # fmt: skip
def test_masquerade_takes_the_only_address_of_the_way_out(oif: Any, src: str, own: str | None) -> None:
    """Of the packet's IP version and not of the link alone; with several or none, or no way out, nobody knows which."""
    found = masqueraded(HOST, syn(src=src, dst="8.8.8.8" if "." in src else "2001:db8::80", oif=oif))

    assert found == (Unknown(Missing.FIELD, "address of the interface") if own is None else ip_address(own))


@pytest.mark.parametrize(("iif", "own"), [(ABSENT, "127.0.0.1"), ("wlan0", "192.168.1.100"), (None, None)])
def test_redirect_takes_the_address_of_the_way_in(iif: Any, own: str | None) -> None:
    """Loopback's for what the host itself sends; unknown where it is not known how the packet came in."""
    found = redirected(HOST, syn(iif=iif, oif="docker0"))

    assert found == (Unknown(Missing.FIELD, "address of the interface") if own is None else ip_address(own))
