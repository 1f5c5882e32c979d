"""Hosts of other kinds of guests, as recorded: a hypervisor's bridges and firewall, a scheduler's CNI networks.

Whoever recorded them knew nothing of the rules by which they are told, and wrote down what is wrong before.
"""

import pytest

from analyzer.model import Severity
from tests.explain.hosts import told_first, trace_of

HEALTHY = (
    "hypervisor.healthy-dhcp-vip-failover", "hypervisor.healthy-vxlan-exit-and-routed",
    "hypervisor.healthy-zones-and-hairpin", "nomad.healthy-connect", "nomad.healthy-tproxy", "nomad.healthy-two-nets",
)  # fmt: skip
FAULTS = {
    "hypervisor.dnat-443-all": ("hairpin-broken", "a rule takes it for its own, though it goes elsewhere: “-A PREROUT",
                                "the address of this host that it is meant for (-d)"),
    "hypervisor.docker-leftover-policy": ("filtered-by-rule", "no rule of filter FORWARD accepts it, and its policy is",
                                          "iptables -I FORWARD -i vmbr0 -j ACCEPT"),
    "hypervisor.macfilter-second-mac": ("filtered-by-rule", "rule 2 of veth102i0-OUT drops it",
                                        "iptables -t filter -I veth102i0-OUT -s 203.0.113.23"),
    "hypervisor.masquerade-eno1": ("masquerade-missing", "its packets leave by eno1 as 10.10.10.101, untranslated",
                                   "iptables -t nat -A POSTROUTING -s 10.10.10.0/24 ! -o vmbr1 -j MASQUERADE"),
    "hypervisor.nat-guest-with-firewall": ("stale-conntrack", "conntrack settles at bridge fwbr100i0 that it is not",
                                           "iptables -t raw -I PREROUTING -i fwbr100i0 -j CT --zone 1"),
    "hypervisor.vnet-mtu": ("loss-inside-host", "packets of 1500 bytes are too long for vxlan_vnet0, which takes 1450",
                            "one MTU: 1450"),
    "nomad.admin-reply": ("filtered-by-rule", "10.20.0.50 cannot reach 10.20.0.11:8080, 10.20.0.11:25432 (TCP): rule 2",
                          "-I NOMAD-ADMIN -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"),
    "nomad.dns-input": ("filtered-by-rule", "no rule of inet filter input accepts it, and its policy is DROP",
                        "nft insert rule inet filter input iifname '{ \"nomad\" }' accept"),
    "nomad.hairpin-self": ("hairpin-broken", "its bridge port vethfddba488 is not in hairpin mode",
                           "bridge link set dev vethfddba488 hairpin on"),
    "nomad.masq-flushed": ("masquerade-missing", "its packets leave by eth0 as 172.26.64.2, untranslated",
                           "iptables -t nat -A POSTROUTING -s 172.26.64.0/20 ! -o nomad -j MASQUERADE"),
    "nomad.metrics-loopback": ("connection-refused", "api listens only on 127.0.0.1", "Let api listen on 0.0.0.0"),
    "nomad.stale-hostport": ("published-port-shadowed", "a rule that is left over sends that port elsewhere",
                             "-d 10.20.0.11/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.26.64.2:8080"),
    "nomad.two-nets-reply": ("asymmetric-path", "questions come by eth1, and answers leave by eth0", "--restore-mark"),
}  # fmt: skip
"""By recording: the check that finds it, what its title says, and what its remedy does."""


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_one_is_accused_of_nothing(name: str) -> None:
    """Nor is a proxy that somebody runs taken for an engine's."""
    assert [one.check for one in trace_of(name).findings if one.severity is not Severity.INFO] == []
    assert "docker-proxy-in-path" not in {one.check for one in trace_of(name).findings}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong(name: str) -> None:
    """Comes first, and what helps is said with the program that does it."""
    assert told_first(name, FAULTS[name]) == FAULTS[name]


def test_what_a_bridge_does_not_route_is_lost_in_silence() -> None:
    """The same MTU helps all, and is told of pings and of segments."""
    checks = [one.check for one in trace_of("hypervisor.vnet-mtu").findings if one.severity is Severity.ERROR]

    assert checks == ["loss-inside-host", "mtu-blackhole"]


def test_both_rules_that_drop_a_second_mac() -> None:
    """One for IPv4, and one of the bridge's own tables for ARP."""
    titles = [one.title for one in trace_of("hypervisor.macfilter-second-mac").findings]

    assert any("rule 1 of bridge filter veth102i0-OUT drops frames" in one for one in titles)
