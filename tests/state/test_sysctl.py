"""Settings as the kernel combines them."""

import pytest

from analyzer.model import HostState
from analyzer.state.sysctl import BRIDGE_CALLS, ReversePath, Switch, forwards, reverse_path, sysctl, sysctl_line

ALL4, ALL6 = "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"
ETH0 = "net.ipv4.conf.eth0.forwarding"
ALL_RP, ETH0_RP = "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0.rp_filter"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-1", -1), ("0", 0), ("", None), ("1 2", None), ("x", None), ("²", None), ("٣", None)],
)
def test_values(text: str, value: int | None) -> None:
    """A number, or none."""
    assert sysctl(HostState(sysctls={"a": text}), "a") == value


def test_a_setting_that_was_not_recorded() -> None:
    """It has no value."""
    assert sysctl(HostState(sysctls={"a": "1"}), "b") is None


def test_the_line_of_a_setting() -> None:
    """As it stands in the dump."""
    assert sysctl_line(HostState(sysctls={ALL4: "0"}), ALL4) == "sysctl.txt: net.ipv4.ip_forward = 0"


def test_the_settings_of_br_netfilter() -> None:
    """One for each family."""
    assert BRIDGE_CALLS == {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}


@pytest.mark.parametrize(
    ("version", "sysctls", "switch"),
    [
        (4, {ALL4: "1"}, Switch(ALL4, True)),
        (4, {ALL4: "0"}, Switch(ALL4, False)),
        (4, {ALL4: "1", ETH0: "0"}, Switch(ETH0, False)),
        (4, {ALL4: "0", ETH0: "1"}, Switch(ETH0, True)),
        (4, {ALL6: "1"}, None),
        (6, {ALL6: "1"}, Switch(ALL6, True)),
        (6, {ALL6: "0", ALL4: "1", ETH0: "1"}, Switch(ALL6, False)),
        (6, {ALL4: "1", ETH0: "1"}, None),
        (4, {}, None),
    ],
)
def test_forwarding(version: int, sysctls: dict[str, str], switch: Switch | None) -> None:
    """IPv4 asks the interface that packets come in by, and all where that was not recorded; IPv6 asks all."""
    assert forwards(HostState(sysctls=sysctls), version, "eth0") == switch


@pytest.mark.parametrize(
    ("sysctls", "found"),
    [
        ({ALL_RP: "0", ETH0_RP: "2"}, ReversePath(2, (ETH0_RP,))),
        ({ALL_RP: "1", ETH0_RP: "0"}, ReversePath(1, (ALL_RP,))),
        ({ALL_RP: "1", ETH0_RP: "1"}, ReversePath(1, (ALL_RP, ETH0_RP))),
        ({ALL_RP: "1"}, ReversePath(1, (ALL_RP,))),
        ({ETH0_RP: "0"}, ReversePath(0, (ETH0_RP,))),
        ({ALL_RP: "x"}, None),
        ({}, None),
    ],
)
def test_reverse_paths(sysctls: dict[str, str], found: ReversePath | None) -> None:
    """The larger of an interface's value and that of all counts, and both are named where they are the same."""
    assert reverse_path(HostState(sysctls=sysctls), "eth0") == found
