"""Docker hosts with more than Docker: firewalld, ufw, a tunnel for the way out, a swarm, all drivers; as recorded.

Whoever recorded them knew nothing of the rules by which they are told, and wrote down what is wrong before.
"""

from dataclasses import replace

import pytest

from analyzer.explain.doctor import examine
from analyzer.model import Severity
from analyzer.report.words import worded
from tests.explain.hosts import told_first, trace_of

HEALTHY = ("docker-firewalld.healthy", "docker-ufw.healthy", "docker-ufw.route-allowed", "drivers.hairpin",
           "drivers.healthy", "swarm.healthy", "swarm.healthy-other-node", "tun.healthy")  # fmt: skip
CHANGE_ZONE = "firewall-cmd --permanent --zone=docker --change-interface=br-8422ae05a032"
FAULTS = {
    "docker-firewalld.bridge-in-no-zone": ("filtered-by-rule", "of filter_FORWARD_POLICIES rejects it", CHANGE_ZONE),
    "docker-firewalld.input-rejected": ("filtered-by-rule", "of filter_INPUT_POLICIES rejects it", CHANGE_ZONE),
    "docker-firewalld.ipv6-policy": ("filtered-by-rule", "rule 1 of filter_FWD_policy_no6_deny rejects it",
                                     "firewall-cmd --info-policy=no6"),
    "docker-firewalld.strict-forward-ports": ("filtered-by-rule", "rule 1 of filter_FORWARD_dnat rejects it",
                                              "StrictForwardPorts in /etc/firewalld/firewalld.conf"),
    "docker-ufw.asked-by-outer-port": ("filtered-by-rule", "asks for the port before DNAT",
                                       "ufw route allow from any to 172.30.0.2 port 80 proto tcp"),
    "docker-ufw.input-denied": ("filtered-by-rule", "no rule of filter INPUT accepts it, and its policy is DROP",
                                "ufw allow in on br-2940056148ab to any port 9000 proto tcp"),
    "docker-ufw.route-denied": ("filtered-by-rule", "rule 1 of ufw-user-forward drops it", "ufw route insert 1 allow"),
    "docker-ufw.without-iptables": ("filtered-by-rule", "no rule of filter FORWARD accepts it", "ufw route allow"),
    "drivers.localhost-only": ("connection-refused", "httpd listens only on 127.0.0.1", "Let httpd listen on"),
    "drivers.macvlan-gateway": ("arp-unanswered", "it is the gateway that network mw was made with",
                                "--gateway 192.168.1.1"),
    "drivers.macvlan-own-host": ("arp-unanswered", "do not reach each other, by design", "macvlan interface of its"),
    "drivers.sidecar-left": ("sidecar-cut-off", "side, which serves that port, is left without a network",
                             "docker restart side"),
    "drivers.sidecar-port": ("connection-refused", "web refuses, it listens on 80/tcp (httpd)", "-p 9090:80"),
    "drivers.ula-untranslated": ("masquerade-missing", "untranslated", "ip6tables -t nat -A POSTROUTING -s fd00:e::"),
    "swarm.gossip-blocked": ("arp-unanswered", "no node can tell this one where it is: rule “-A INPUT -p tcp",
                             "port 7946 pass"),
    "swarm.vxlan-blocked-here": ("vxlan-unanswered", "this host keeps VXLAN out, rule “-A INPUT -p udp",
                                 "iptables -I INPUT -s 192.168.1.62 -p udp --dport 4789 -j ACCEPT"),
    "swarm.vxlan-blocked-there": ("vxlan-unanswered", "UDP port 4789 to 192.168.1.61 is not let through",
                                  "Let UDP port 4789 pass"),
    "tun.answers-by-it": ("asymmetric-path", "“default dev tun0” sends them there", "CONNMARK"),
    "tun.blackhole": ("mtu-blackhole", "they vanish beyond tun0", "--set-mss"),
    "tun.down": ("host-unreachable", "the host has no default route for IPv4", "Bring tun0 up"),
    "tun.icmp-dropped": ("mtu-blackhole", "cannot send 1500 bytes or more", "Let ICMP fragmentation needed"),
    "tun.peer-dead": ("syn-unanswered", "its SYNs leave by tun0, and nothing comes back", "its answers find a way"),
    "tun.rp-filter": ("reverse-path-filtered", "rp_filter on eth0 drops it", "net.ipv4.conf.eth0.rp_filter=2"),
}  # fmt: skip
"""By recording: the check that finds it, what its title says, and what its remedy does."""
UNTRANSLATED = "drivers.healthy"
"""It has an IPv6 network that nothing masquerades, which nobody used meanwhile."""
GOSSIP = "iptables -t filter -I INPUT -s 192.168.1.61 -d 192.168.1.62 -p tcp --dport 7946 -j ACCEPT"


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_one_is_accused_of_nothing(name: str) -> None:
    """Neither its traffic nor its state."""
    trace = trace_of(name)
    state = worded(examine(trace.hosts.everywhere), trace.hosts.everywhere.engine)

    told = [one.check for one in (*trace.findings, *state) if one.severity is not Severity.INFO]
    assert told == (["masquerade-missing"] if name == UNTRANSLATED else [])
    assert not {"dropped", "lost"} & set(trace.dispositions())


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong(name: str) -> None:
    """Comes first, and what helps is said with the program that does it."""
    assert told_first(name, FAULTS[name]) == FAULTS[name]


def test_nodes_of_a_swarm_are_no_strangers() -> None:
    """A rule that keeps them apart is told with what lets them in; what wants no answer is not called silence."""
    findings = trace_of("swarm.gossip-blocked").findings
    rules = [one for one in findings if one.check == "filtered-by-rule" and one.severity is not Severity.INFO]

    assert [GOSSIP in one.commands for one in rules] == [True]
    assert "request-unanswered" not in {one.check for one in trace_of("swarm.vxlan-blocked-here").findings}


def test_the_state_alone_shows_that_a_node_is_kept_out() -> None:
    """Of VXLAN, by the port that the overlay's own interface has, and of gossip."""
    host = trace_of("swarm.vxlan-blocked-here").hosts.everywhere
    (found,) = worded(examine(host), host.engine)

    assert found.title.startswith("node 192.168.1.62 cannot reach this host's port 4789 (VXLAN) (UDP): rule 1 of INPUT")
    silent = replace(host, overlays={})
    assert worded(examine(silent), host.engine) == ()


def test_a_port_that_floods_pass_has_no_hole() -> None:
    """A bridge sends what it does not know yet by all ports, and later by one."""
    assert "capture-gap" not in {one.check for one in trace_of("tun.answers-by-it").findings}


def test_one_cause_is_told_once() -> None:
    """Whatever is asked for without a way out."""
    assert [one.check for one in trace_of("tun.down").findings] == ["host-unreachable"]


def test_ndp_that_the_firewall_stops_within_a_bridge() -> None:
    """br_netfilter shows IP's rules what goes from port to port: nobody's address is wrong."""
    findings = trace_of("docker-firewalld.bridge-in-no-zone").findings
    titles = [one.title for one in findings if one.check == "arp-unanswered"]

    assert len(titles) == 2
    assert all("NDP does not pass from port to port: rule “inet firewalld filter_FORWARD_POLICIES" in one
               for one in titles)  # fmt: skip
