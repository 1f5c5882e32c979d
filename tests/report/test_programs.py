"""What the programs that make rules are told."""

import pytest

from analyzer.report.words.programs import told
from analyzer.report.words.sentence import Facts

ENDS: Facts = {"from": "1.2.3.4", "to": "172.17.0.2", "to_port": 80, "to_protocol": "tcp"}
UNSERVED: Facts = {"owner": "kube-proxy", "service": "shop/cart:http", "endpoints": "none"}


@pytest.mark.parametrize(
    ("facts", "tool"),
    [
        ({"owner": "ufw", "forwarded": True, **ENDS}, "to 172.17.0.2 port 80 proto tcp (from any, for all clients)"),
        ({"owner": "ufw", **ENDS, "to_port": ""}, "comes back. ufw allow from 1.2.3.4 to 172.17.0.2"),
        ({"owner": "ufw", **ENDS, "in_bridge": "docker0"}, "ufw allow in on docker0 to any port 80 proto tcp"),
        ({"owner": "firewalld", "in_bridge": "docker0"}, "--change-interface=docker0 && firewall-cmd --reload"),
        ({"owner": "firewalld"}, "or firewall-cmd --add-forward-port for this one."),
        ({"owner": "firewalld", "zone": "work", "iif": "br0", "forwarded": True, "sent_by": "x"},
         "or firewall-cmd --add-forward-port for this one."),
        ({"owner": "firewalld", "zone": "work", "iif": "br0", "forwarded": True, "unassigned": True},
         "firewall-cmd --permanent --zone=trusted --change-interface=br0 && firewall-cmd --reload"),
        ({"owner": "firewalld", "zone": "work", "iif": "br0", "forwarded": True},
         "--add-egress-zone, --set-target ACCEPT)."),
        ({"owner": "firewalld", "zone": "work", "iif": "br0", **ENDS, "forwarded": False},
         "firewall-cmd --permanent --zone=work --add-port=80/tcp && firewall-cmd --reload"),
        ({"owner": "firewalld", "zone": "work", "iif": "br0", "zone_of_port": "a", "forward_port": "port=1:proto=tcp"},
         "--zone=work --add-forward-port=port=1:proto=tcp && firewall-cmd --reload"),
        ({"owner": "fail2ban", "chain": "f2b-ssh", **ENDS},
         "set ssh unbanip 1.2.3.4, and ignoreip = 1.2.3.4 in that jail, if it is one of yours."),
        ({"owner": "fail2ban", "chain": "f2b-ssh", "container": "web", **ENDS, "from_host": True},
         "so the ban meets all of them."),
        ({"owner": "Docker", "within": "n"}, "put those that shall talk on a network of their own."),
        ({"owner": "Docker"}, "deleted by hand it comes back."),
        ({"owner": "somebody"}, "deleted by hand it comes back."),
        ({"owner": "kube-proxy", "cause": "rule “-A X -j DROP”"}, "deleted by hand it comes back."),
        ({"owner": "Calico", "chain": "cali-fhfw-wlan0"},
         "with applyOnForward: true, that selects it and allows this (calicoctl apply), or delete that HostEndpoint."),
        ({"owner": "Calico", "chain": "cali-th-wlan0"},
         "add a GlobalNetworkPolicy that selects it and allows this (calicoctl apply), or delete that HostEndpoint."),
        ({"owner": "Calico", "chain": "cali-tw-cali123"}, "(calicoctl get networkpolicy -A)."),
        ({"owner": "libvirt", "cause": "-A LIBVIRT_FWI -o virbr0 -j REJECT", "in_bridge": "docker0"},
         "Or make that network with <forward mode='open'/>: libvirt then makes no rules."),
        ({"owner": "libvirt", "cause": "-A LIBVIRT_FWX -j REJECT", "in_bridge": "docker0"}, "comes back."),
        ({"owner": "Tailscale", "cause": "-A ts-input -s 100.64.0.0/10 -j DROP"}, "another range there."),
        ({"owner": "Tailscale", "cause": "-s 100.64.0.0/10 -j DROP", "source": "c1"}, "in daemon.json)."),
        ({"owner": "Shorewall", "in_bridge": "br1", **ENDS}, "(ACCEPT dock $FW tcp 80), and shorewall reload."),
        ({"owner": "Shorewall", "forwarded": True}, "(ACCEPT dock ZONE), and shorewall reload."),
        ({"owner": "OpenWrt's firewall", "in_bridge": "docker0"}, "has chains, and nothing leads to them."),
        ({"owner": "Mullvad"}, "lets those and the LAN talk."),
        ({"owner": "wg-quick"}, "or by the container's name."),
        ({"owner": "Tailscale", "cause": "-A ts-forward -j DROP"}, "comes back."),
    ],
)  # fmt: skip
def test_a_rule_is_changed_with_the_program_that_made_it(facts: Facts, tool: str) -> None:
    """By its own command, where that is known."""
    remedy = told(facts)

    assert remedy.startswith(f"The rule is made by {facts['owner']}: change it there")
    assert remedy.endswith(tool)


def test_what_a_command_is_about() -> None:
    """The jail's container, the Service, the bridges."""
    inside = told({"owner": "fail2ban", "chain": "f2b-ssh", "container": "web", **ENDS})
    service = told(UNSERVED)
    between = told({"owner": "libvirt", "cause": "-A LIBVIRT_FWI -o virbr0 -j REJECT", "in_bridge": "docker0"})

    assert "docker exec web fail2ban-client set ssh unbanip 1.2.3.4" in inside
    assert "kubectl -n shop get endpointslices -l kubernetes.io/service-name=cart" in service
    assert "iptables -I FORWARD -i docker0 -o virbr0 -j ACCEPT" in between


def test_a_policy_is_its_program_s_too() -> None:
    """Which is told what to let pass."""
    facts: Facts = {"owner": "ufw", "policy_of": "filter INPUT", "in_bridge": "docker0", **ENDS}

    assert told(facts).endswith("let pass: ufw allow in on docker0 to any port 80 proto tcp")


@pytest.mark.parametrize(
    ("facts", "tool"),
    [
        ({"endpoints": "none", "service": "shop/cart:http"}, "give it another one."),
        ({"endpoints": "local", "service": "shop/cart:http"}, "or set the policy to Cluster."),
        ({"endpoints": "port", "to": "10.96.0.1", "to_port": 81}, "ask for one of these, or add it."),
    ],
)
def test_kube_proxy_is_told_nothing(facts: Facts, tool: str) -> None:
    """It is the Service that has to change."""
    remedy = told({"owner": "kube-proxy", **facts})

    assert "kube-proxy: change it" not in remedy
    assert remedy.endswith(tool)
