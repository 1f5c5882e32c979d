"""A server at home, as recorded: compose projects, a name server, a VPN in a container, a macvlan, a NAS elsewhere.

Whoever recorded them knew nothing of the rules by which they are told, and wrote down what is wrong before.
"""

import pytest

from analyzer.model import Severity
from tests.explain.hosts import told_first, trace_of

HEALTHY = (
    "home.healthy-dns-stub-two-addresses", "home.healthy-firewalled-host", "home.healthy-gluetun",
    "home.healthy-macvlan-shim", "home.healthy-two-nics-asymmetric",
)  # fmt: skip
NAMES = {
    "home.healthy-dns-stub-two-addresses": {"dns-failed", "no-address-for-name"},
    "home.healthy-macvlan-shim": {"no-address-for-name"},
}
"""Their name servers say NXDOMAIN where they know another type, and 0.0.0.0 as blocklists do, which nobody notices."""
FAULTS = {
    "home.app-listens-ipv6-only": ("connection-refused", "nginx listens only on IPv6", "listen on 0.0.0.0 or ::"),
    "home.dns-published-tcp-only": ("connection-refused", "pihole publishes it as 0.0.0.0:53->53/tcp, which is another",
                                    "Publish it for the protocol that is asked: -p .../udp"),
    "home.docker-pool-covers-nas": ("subnet-overlap", "192.168.20.30, backup cannot reach 192.168.1.10:80, 192.168.20",
                                    "give network wiki_default other addresses"),
    "home.gluetun-recreated": ("sidecar-cut-off", "the container whose network it shared is gone",
                               "docker compose up -d --force-recreate prowlarr"),
    "home.host-gateway-app-on-lan-address": ("connection-refused", "busybox listens only on 192.168.1.10",
                                             "listen on 172.17.0.1 as well"),
    "home.macvlan-shim-without-route": ("arp-unanswered", "route leads to eth0, and not by its macvlan shim",
                                        "ip route add 192.168.1.53 dev shim"),
    "home.name-of-other-project": ("container-name-unknown", "they share no network on which Docker tells names",
                                   "docker network connect NET pgadmin"),
    "home.nginx-keeps-old-address": ("connection-refused", "the address that nextcloud had before; redis has it now",
                                     "restart or reload it"),
    "home.pihole-local-service": ("dns-unanswered", "docker-proxy on this host is asked at 192.168.1.10, and answers",
                                  "Ask pihole by its name"),
    "home.pool-covers-nas-too": ("subnet-overlap", "network cloud_db has taken 192.168.16.0/20",
                                "default-address-pools"),
    "home.proxy-asks-published-port": ("connection-refused", "sonarr refuses, it listens on 8989/tcp (busybox)",
                                       "If 8989/tcp was meant, ask for that"),
    "home.published-on-former-address": ("connection-refused", "web publishes it as 192.168.1.10:80->80/tcp, at that",
                                         "publish it at the address that is asked, too"),
    "home.ssdp-from-bridge": ("multicast-stays-inside", "homeassistant looks for services by SSDP, 6 questions",
                              "the host's network, a macvlan network, or a reflector"),
    "home.vpn-lan-network": ("stopped-in-container", "gluetun sends its answers out by tun0, another network",
                             "FIREWALL_OUTBOUND_SUBNETS"),
}  # fmt: skip
"""By recording: the check that finds it, what its title says, and what its remedy does."""


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_one_is_accused_of_nothing(name: str) -> None:
    """What name servers say that is not quite right is no error, where nobody is kept from anything."""
    told = [one for one in trace_of(name).findings if one.severity is not Severity.INFO]

    assert {one.check for one in told} == NAMES.get(name, set())
    assert all(one.severity is Severity.WARNING for one in told)


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong(name: str) -> None:
    """Comes first, and what helps is said with the program that does it."""
    assert told_first(name, FAULTS[name]) == FAULTS[name]


def test_another_network_s_client_whose_answers_a_docker_network_swallows() -> None:
    """All that it misses is one trouble: published ports, the host's own, pings."""
    errors = [one for one in trace_of("home.docker-pool-covers-nas").findings if one.severity is Severity.ERROR]

    assert [one.check for one in errors] == ["subnet-overlap"]


def test_a_name_server_that_answers_only_its_own_network() -> None:
    """Is named beside what else is wrong with it."""
    found = [one.title for one in trace_of("home.pihole-local-service").findings]

    assert any("pihole answers its own network, 172.19.0.3, and keeps silent to others" in title for title in found)


@pytest.mark.parametrize("name", ["home.healthy-macvlan-shim", "home.ssdp-from-bridge"])
def test_whoever_answers_a_group_s_question_is_no_stranger(name: str) -> None:
    """SSDP asks 239.255.255.250, and everybody answers from their own address."""
    assert "answered-from-elsewhere" not in {one.check for one in trace_of(name).findings}
