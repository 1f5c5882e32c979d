"""Strict reverse path filtering with more than one way out."""

from dataclasses import replace

import pytest

from analyzer.model import HostState, Route, Severity
from tests.explain.host.state import asked, link, route

check = asked("reverse-path-filtered")

ALL = "net.ipv4.conf.all.rp_filter"
WLAN, ETH = "net.ipv4.conf.wlan0.rp_filter", "net.ipv4.conf.eth1.rp_filter"
WAYS = (route("0.0.0.0/0", "wlan0", "192.168.1.1"), route("10.0.0.0/8", "eth1", "192.168.2.1"))
HOST = HostState(links=(link("wlan0"), link("eth1")), routes=WAYS)


@pytest.mark.parametrize(
    ("sysctls", "names", "lines"),
    [
        ({ALL: "1"}, "wlan0, eth1", (ALL,)),
        ({ALL: "0", WLAN: "1"}, "wlan0", (WLAN,)),
        ({ALL: "1", WLAN: "2"}, "eth1", (ALL,)),
        ({ALL: "1", ETH: "1"}, "wlan0, eth1", (ALL, ETH)),
        ({WLAN: "1", ETH: "1"}, "wlan0, eth1", (WLAN, ETH)),
        ({ALL: "2", WLAN: "1"}, None, ()),
        ({ALL: "0"}, None, ()),
        ({}, None, ()),
    ],
)
def test_strict_ones_are_named(sysctls: dict[str, str], names: str | None, lines: tuple[str, ...]) -> None:
    """By the larger of all's value and its own; each setting that makes it so is shown once."""
    found = check(replace(HOST, sysctls=sysctls))

    assert [(f.severity, f.detail, f.proof) for f in found] == [
        (Severity.WARNING, f"strict reverse path filtering on {names}, with 2 uplinks",
         tuple(f"sysctl.txt: {line} = 1" for line in lines))
    ] * (names is not None)  # fmt: skip


@pytest.mark.parametrize(
    "routes",
    [
        (WAYS[0],),
        (WAYS[0], route("10.0.0.0/8", "wlan0", "192.168.1.2")),
        (WAYS[0], route("10.0.0.0/8", "eth1")),
        (WAYS[0], route("10.0.0.0/8", "gone", "192.168.2.1")),
        (WAYS[0], route("10.0.0.0/8", None, "192.168.2.1")),
        (WAYS[0], route("fd00::/8", "eth1", "fe80::1")),
    ],
    ids=["one", "same", "no-gateway", "no-such-link", "no-device", "ipv6"],
)
def test_one_way_out_is_no_matter(routes: tuple[Route, ...]) -> None:
    """Only IPv4 routes by a gateway, of interfaces that are there, are ways out."""
    assert check(replace(HOST, routes=routes, sysctls={ALL: "1"})) == []
