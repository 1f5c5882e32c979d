"""Hosts whose containers no engine made, as recorded: LXC, libvirt, incus, firewalld, IPv6 alone, a bridged LAN.

Whoever recorded them knew nothing of the rules by which they are told, and wrote down what is wrong before.
"""

import pytest

from analyzer.explain.doctor import examine
from analyzer.model import Severity
from analyzer.model.engine import NO_ENGINE
from analyzer.report.words import worded
from tests.explain.hosts import trace_of

HEALTHY = ("bridged.healthy", "firewalld.healthy", "incus.healthy", "ipv6.healthy", "ipv6.proxied", "libvirt.healthy",
           "lxc.booting", "lxc.healthy")  # fmt: skip
FAULTS = {
    "bridged.beside-docker": ("filtered-by-rule", "no rule of filter FORWARD accepts it, and its policy is DROP",
                              "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
    "firewalld.no-masquerade": ("masquerade-missing", "untranslated",
                                "firewall-cmd --permanent --zone=public --add-masquerade"),
    "firewalld.no-zone": ("filtered-by-rule", "rule 6 of filter_FORWARD_POLICIES rejects it",
                          "firewall-cmd --permanent --zone=trusted --change-interface=br0"),
    "firewalld.rp-filter": ("reverse-path-filtered", "rp_filter on ens19 drops it",
                            "sysctl -w net.ipv4.conf.ens19.rp_filter=2"),
    "firewalld.wrong-zone": ("filtered-by-rule", "filter_INPUT_POLICIES rejects it",
                             "--zone=external --add-forward-port=port=8080:proto=tcp:toport=80:toaddr=10.77.0.10"),
    "incus.hairpin": ("hairpin-broken", "the answers come straight over the bridge", "masquerade"),
    "incus.pmtu": ("mtu-blackhole", "cannot send 1500 bytes or more", "--set-mss"),
    "incus.ufw-dns": ("filtered-by-rule", "no rule of filter INPUT accepts it",
                      "ufw allow from 10.155.38.55 to 10.155.38.1 port 53 proto udp"),
    "incus.ufw-forward": ("filtered-by-rule", "no rule of filter FORWARD accepts it",
                          "ufw route allow from 10.155.38.55 to 198.51.100.80 port 80 proto tcp"),
    "incus.wrong-target": ("arp-unanswered", "sends it to 10.155.38.99, which no container has", "the rule"),
    "ipv6.ndp-dropped": ("arp-unanswered", "this host does not hear the question: policy DROP of filter INPUT",
                         "--icmpv6-type neighbour-solicitation -j ACCEPT"),
    "ipv6.no-default": ("host-unreachable", "the host has no default route for IPv6", "accept_ra=2"),
    "ipv6.no-way-back": ("masquerade-missing", "outside there may be no way back to 2001:db8:2::/64",
                         "ip route add 2001:db8:2::/64 via 2001:db8:1::100"),
    "ipv6.not-forwarding": ("forwarding-disabled", "net.ipv6.conf.all.forwarding is 0",
                            "sysctl -w net.ipv6.conf.all.forwarding=1"),
    "ipv6.not-proxied": ("ndp-proxy-missing", "the host does not answer for it",
                         "ip -6 neigh add proxy 2001:db8:1:0:c::12 dev eth0"),
    "ipv6.wrong-masquerade": ("masquerade-missing", "untranslated",
                              "ip6tables -t nat -A POSTROUTING -s fd00:6:1::/64 ! -o br6 -j MASQUERADE"),
    "libvirt-nft.dnat-rejected": ("filtered-by-rule", "rule 2 of guest_input rejects it",
                                  "nft insert rule ip libvirt_network guest_input ip daddr 192.168.122.60 tcp dport"),
    "libvirt.dnat-rejected": ("filtered-by-rule", "rule 2 of LIBVIRT_FWI rejects it",
                              "iptables -I FORWARD -d 192.168.122.60 -o virbr0 -p tcp --dport 80 -j ACCEPT"),
    "libvirt.not-forwarding": ("forwarding-disabled", "net.ipv4.ip_forward is 0", "sysctl -w net.ipv4.ip_forward=1"),
    "libvirt.wrong-gateway": ("arp-unanswered", "gateway of bl-virt-vm1, and its network's is 192.168.122.1",
                              "ip netns exec bl-virt-vm1 ip route replace default via 192.168.122.1"),
    "lxc.beside-docker": ("filtered-by-rule", "no rule of filter FORWARD accepts it, and its policy is DROP",
                          "iptables -I FORWARD -i lxcbr0 -j ACCEPT"),
    "lxc.flushed": ("masquerade-missing", "untranslated",
                    "iptables -t nat -A POSTROUTING -s 10.0.3.0/24 ! -o lxcbr0 -j MASQUERADE"),
    "lxc.localhost-only": ("connection-refused", "python3 listens only on 127.0.0.1", "Let python3 listen on 0.0.0.0"),
    "lxc.no-dhcp": ("dhcp-unanswered", "cannot get an IPv4 address by DHCP: no DHCP server runs on this host",
                    "Start what serves DHCP on lxcbr0"),
    "lxc.own-filter": ("filtered-by-rule", "no rule of inet filter forward accepts it, and its policy is DROP",
                       "nft insert rule inet filter forward iifname"),
    "lxc.same-address": ("duplicate-address", "(bl-lxc-c3) answers for 10.0.3.50, too", "another address"),
}  # fmt: skip
"""By recording: the check that finds it, what its title says, and what its remedy does."""
NO_ADDRESS = "lxc.no-dhcp"
"""Its container has none yet, and so is none of a network."""
NOT_HERE = ("docker0", "systemctl restart docker", "daemon.json", "docker network", "docker run")


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_one_is_accused_of_nothing(name: str) -> None:
    """Neither its traffic nor its state; a client of DHCP that has read its answer elsewhere refuses nothing."""
    trace = trace_of(name)

    assert trace.findings == ()
    assert not {"dropped", "lost"} & set(trace.dispositions())
    assert worded(examine(trace.hosts.everywhere), NO_ENGINE) == ()


SHOWN_BY_STATE = {
    "firewalld.no-masquerade": "masquerade-missing", "firewalld.no-zone": "filtered-by-rule",
    "incus.ufw-forward": "forward-policy-drop", "ipv6.not-forwarding": "forwarding-disabled",
    "ipv6.wrong-masquerade": "masquerade-missing", "libvirt.not-forwarding": "forwarding-disabled",
    "lxc.beside-docker": "forward-policy-drop", "lxc.flushed": "masquerade-missing",
    "lxc.own-filter": "filtered-by-rule",
}  # fmt: skip
"""What the state alone shows, of those faults that it shows."""


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_state_alone_shows(name: str) -> None:
    """For each IP version that the host has; all others are no matter of its rules, routes and settings."""
    found = worded(examine(trace_of(name).hosts.everywhere), NO_ENGINE)

    assert {finding.check for finding in found} == {check for of, check in SHOWN_BY_STATE.items() if of == name}
    assert not [word for finding in found for word in NOT_HERE if word in f"{finding.remedy} {finding.commands}"]


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong(name: str) -> None:
    """Comes first, is the only error, and what helps is said in words of the host."""
    first, *others = trace_of(name).findings
    check, title, remedy = FAULTS[name]
    advice = f"{first.remedy} {' '.join(first.commands)}"

    assert (first.check, title in first.title) == (check, True)
    assert remedy in advice
    assert not [word for word in NOT_HERE if word in advice]
    assert {one.check for one in others if one.severity is Severity.ERROR} <= {check}


@pytest.mark.parametrize("name", ["lxc.flushed", "firewalld.no-masquerade", "ipv6.wrong-masquerade"])
def test_a_first_rule_makes_its_table(name: str) -> None:
    """What is tried on a host without a nat table is not called too little."""
    (finding,) = trace_of(name).findings

    assert "translated by “-A POSTROUTING" in (finding.tried or "")
    assert "Not enough" not in (finding.remedy or "")


@pytest.mark.parametrize("name", sorted({*HEALTHY, *FAULTS} - {NO_ADDRESS}))
def test_namespaces_are_containers(name: str) -> None:
    """With their names, addresses and bridges, as an engine's are."""
    host = trace_of(name).hosts.everywhere

    assert {one.engine for one in host.containers} == {NO_ENGINE}
    assert {one.name for one in host.containers} <= set(host.inside)
    assert all(host.link(one.network) is not None and one.addresses for one in host.containers)
